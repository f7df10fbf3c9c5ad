//! `maillage hub`: what an operator types.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use hub::config::HubConfig;
use hub::{Hub, HubFolder, Listeners};
use model::{Code, CommuneCode, FailureKind, Timestamp};
use render::{Column, Screen, Table};
use tokio::net::TcpListener;

use super::{Stop, world};
use crate::telemetry::say;

/// Le centre départemental.
#[derive(Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "La première fois :\n  maillage hub init --public-address hub.exemple.fr:7443 --listen 0.0.0.0:7443\n  maillage hub run\n  maillage hub invite --territory 93066"
)]
pub struct HubArgs {
    /// Dossier du centre (réglages, clés, base).
    #[arg(long, global = true, default_value = "maillage-hub", env = "MAILLAGE_HUB_FOLDER")]
    folder: PathBuf,
    #[command(subcommand)]
    command: HubCommand,
}

impl HubArgs {
    /// Whether this command stays and serves.
    pub fn serves(&self) -> bool {
        matches!(self.command, HubCommand::Run)
    }
}

#[derive(Subcommand)]
enum HubCommand {
    /// Crée le centre : autorité de certification, clé de signature, réglages, premier accès de coordination.
    Init {
        /// Adresse sous laquelle les communes joignent le centre, NOM:PORT.
        #[arg(long, default_value = "localhost:7443")]
        public_address: String,
        /// Adresse d’écoute sur cette machine.
        #[arg(long, default_value = "127.0.0.1:7443")]
        listen: String,
        /// Base de données : sqlite:FICHIER ou postgres://… ; un fichier du dossier par défaut.
        #[arg(long)]
        database: Option<String>,
        /// Nom du premier accès de coordination.
        #[arg(long, default_value = "coordination")]
        coordinator: Code,
    },
    /// Sert jusqu’à Ctrl-C ; les appels en cours se terminent.
    Run,
    /// Invite une commune : une ligne à lui transmettre, qui ne sert qu’une fois. L’ancien poste de la commune est révoqué.
    #[command(after_help = "Exemple :\n  maillage hub invite --territory 93066")]
    Invite {
        /// Code INSEE de la commune.
        #[arg(long)]
        territory: CommuneCode,
        /// Autres communes pour lesquelles ce poste pourra aussi envoyer.
        #[arg(long)]
        also: Vec<CommuneCode>,
    },
    /// Révoque le poste d’une commune, immédiatement.
    Revoke {
        /// Code INSEE de la commune.
        #[arg(long)]
        territory: CommuneCode,
    },
    /// Accepte l’enveloppe qu’une commune a remise par un autre chemin que le réseau, exactement comme un envoi.
    ///
    /// Mêmes contrôles, mêmes récépissés. La réponse, fermée pour cette commune, est à lui rapporter. Recommencer ne
    /// compte rien deux fois.
    #[command(
        after_help = "Exemple :\n  maillage hub accept-bundle 93066.maillage --answer 93066.reponse\nPuis, dans la commune : maillage node accept-answer 93066.reponse"
    )]
    AcceptBundle {
        /// L’enveloppe.
        file: PathBuf,
        /// La réponse à écrire ; par défaut à côté de l’enveloppe, avec l’extension « reponse ».
        #[arg(long)]
        answer: Option<PathBuf>,
    },
    /// Où en est la campagne : qui a envoyé, qui est en retard, qui est bloqué et pourquoi (aussi sur la page du centre).
    Status,
    /// Les accès des personnes qui comparent.
    #[command(subcommand)]
    Coordinator(CoordinatorCommand),
    /// Les accès des partenaires (université…) : ce que les communes partagent avec eux, pour une finalité, jusqu’à une date.
    #[command(subcommand)]
    Partner(PartnerCommand),
    /// Importe des fichiers publics (INSEE…) pour toutes les communes à la fois ; aucun nœud n’a à les envoyer.
    Import(super::public::ImportArgs),
    /// Montre les chiffres publics importés : la liste des indicateurs, ou un indicateur pour toutes les communes.
    Figures(super::public::FiguresArgs),
    /// Sauvegarde tout le centre (base, clés, réglages) dans un fichier chiffré, pendant qu’il sert.
    Backup(super::backup::BackupArgs),
    /// Fabrique la clé qui ouvrira les sauvegardes : à garder hors du centre.
    BackupKey(super::backup::KeyArgs),
    /// Reconstruit le centre à partir d’une sauvegarde, dans un dossier et une base vides.
    Restore(super::backup::RestoreArgs),
    /// Détruit les octets d’un envoi après une fuite, à deux personnes : l’une propose, l’autre confirme.
    Purge(super::purge::PurgeArgs),
    /// Le journal d’audit : qui a fait quoi, exporté et vérifié même sans le centre.
    Journal(super::journal::JournalArgs),
}

#[derive(Subcommand)]
enum CoordinatorCommand {
    /// Fabrique un accès d’un an : un dossier à remettre à la personne, puis à effacer ici.
    Add {
        /// Nom court de l’accès, sans accent ni espace.
        name: Code,
    },
    /// Retire un accès, immédiatement.
    Revoke {
        /// Nom de l’accès.
        name: Code,
    },
}

#[derive(Subcommand)]
enum PartnerCommand {
    /// Fabrique un accès : un dossier à remettre au partenaire, puis à effacer ici.
    #[command(
        after_help = "Exemple :\n  maillage hub partner add paris13 --purpose \"Observatoire social, convention du 12 janvier 2027\" --until 2027-12-31\nPuis, chez le partenaire : maillage compare dom_demandes --period 2025 --access ./paris13"
    )]
    Add {
        /// Nom court de l’accès, sans accent ni espace.
        name: Code,
        /// Finalité acceptée par le partenariat, en une ligne ; elle est inscrite au journal.
        #[arg(long)]
        purpose: String,
        /// Dernier jour de l’accès.
        #[arg(long, value_parser = day)]
        until: Timestamp,
    },
    /// Les accès ouverts et passés, avec leur finalité et leur terme.
    List,
    /// Retire un accès, immédiatement.
    Revoke {
        /// Nom de l’accès.
        name: Code,
    },
}

fn day(text: &str) -> Result<Timestamp, String> {
    render::date::end_of_day(text).ok_or_else(|| "une date s’écrit ANNÉE-MOIS-JOUR, par exemple 2027-12-31".to_owned())
}

/// Runs one of them.
pub async fn run(args: HubArgs) -> Result<(), Stop> {
    let folder = HubFolder::at(args.folder);
    match args.command {
        HubCommand::Init { public_address, listen, database, coordinator } => {
            if listen.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_err()) {
                return Err(Stop::failed(
                    FailureKind::Invalid,
                    format!("L’adresse d’écoute « {listen} » s’écrit ADRESSE:PORT, par exemple 0.0.0.0:7443."),
                ));
            }
            let config = HubConfig { public_address, listen, database, ..HubConfig::default() };
            let made = hub::init::init(&folder, &config, &coordinator, &world()).await?;
            println!("✓ Centre créé dans {}.", folder.root().display());
            println!("  Empreinte de son autorité : {}", made.authority);
            println!("  Accès de coordination « {coordinator} » : {}", made.coordinator.folder.display());
            println!(
                "  Sauvegardez ce dossier en lieu sûr : qui a keys/authority.key peut parler au nom de toute commune."
            );
            println!("Ensuite : maillage hub run --folder {}", folder.root().display());
            Ok(())
        }
        HubCommand::Run => serve(folder).await,
        HubCommand::Invite { territory, also } => {
            let hub = Hub::open(folder, world()).await?;
            let invited = hub.invite(territory, &also).await?;
            if let Some(notice) = invited.notice() {
                say!("{notice}");
            }
            say!(
                "Invitation de {}, valable jusqu’au {}, une seule fois. Transmettez cette ligne par un canal sûr :",
                hub.named(territory),
                render::date::moment(invited.expires_at)
            );
            println!("{}", invited.invitation.to_line());
            hub.close().await;
            Ok(())
        }
        HubCommand::Revoke { territory } => {
            let hub = Hub::open(folder, world()).await?;
            let revoked = hub.revoke_node(territory).await?;
            hub.close().await;
            if revoked {
                println!("✓ Le poste de {territory} est révoqué.");
                Ok(())
            } else {
                Err(Stop::failed(FailureKind::NotFound, format!("Aucun poste actif pour {territory}.")))
            }
        }
        HubCommand::AcceptBundle { file, answer } => super::bundle::run(folder, file, answer).await,
        HubCommand::Journal(args) => match args.alone() {
            Some(file) => super::journal::alone(file),
            None => super::journal::run(folder, args).await,
        },
        HubCommand::Status => status(folder).await,
        HubCommand::Coordinator(command) => coordinator(folder, command).await,
        HubCommand::Partner(command) => partner(folder, command).await,
        HubCommand::Import(args) => super::public::import(folder, args).await,
        HubCommand::Figures(args) => super::public::figures(folder, args).await,
        HubCommand::Backup(args) => super::backup::backup(folder, args).await,
        HubCommand::BackupKey(args) => super::backup::new_key(&args),
        HubCommand::Restore(args) => super::backup::restore(folder, args).await,
        HubCommand::Purge(args) => super::purge::run(folder, args).await,
    }
}

async fn status(folder: HubFolder) -> Result<(), Stop> {
    let hub = Hub::open(folder, world()).await?;
    let board = hub.board().await;
    hub.close().await;
    println!("{}", super::board::show(&board?, Screen::of(&std::io::stdout())));
    Ok(())
}

async fn coordinator(folder: HubFolder, command: CoordinatorCommand) -> Result<(), Stop> {
    let hub = Hub::open(folder, world()).await?;
    match command {
        CoordinatorCommand::Add { name } => {
            let made = hub.add_coordinator(&name).await?;
            println!("✓ Accès « {name} » : {}", made.folder.display());
            println!("  Remettez ce dossier à la personne (maillage compare … --access DOSSIER), puis effacez-le ici.");
        }
        CoordinatorCommand::Revoke { name } => {
            if !hub.revoke_coordinator(&name).await? {
                return Err(Stop::failed(FailureKind::NotFound, format!("Aucun accès actif au nom de « {name} ».")));
            }
            println!("✓ L’accès « {name} » est retiré.");
        }
    }
    hub.close().await;
    Ok(())
}

async fn partner(folder: HubFolder, command: PartnerCommand) -> Result<(), Stop> {
    let hub = Hub::open(folder, world()).await?;
    let done = match command {
        PartnerCommand::Add { name, purpose, until } => hub.add_partner(&name, &purpose, until).await.map(|made| {
            println!(
                "✓ Accès de partenaire « {name} », jusqu’au {} : {}",
                render::date::day(until),
                made.folder.display()
            );
            println!("  Remettez ce dossier au partenaire (maillage compare … --access DOSSIER), puis effacez-le ici.");
            println!("  Il verra ce que les communes partagent avec les partenaires, et rien d’autre.");
        }),
        PartnerCommand::List => hub.partners().await.map(|partners| {
            let now = world().clock.now();
            let mut table = Table::new(["Partenaire", "État", "Jusqu’au", "Finalité"].map(Column::text));
            for one in &partners {
                let state = match one.revoked_at {
                    Some(at) => format!("retiré le {}", render::date::day(at)),
                    None if one.ends_at < now => "terminé".to_owned(),
                    None => "ouvert".to_owned(),
                };
                table.push([one.name.as_str(), &state, &render::date::day(one.ends_at), &one.purpose]);
            }
            if partners.is_empty() {
                println!("Aucun partenaire n’a d’accès.");
            } else {
                println!("{}", table.draw(Screen::of(&std::io::stdout())));
            }
        }),
        PartnerCommand::Revoke { name } => match hub.revoke_partner(&name).await {
            Ok(true) => {
                println!("✓ L’accès de partenaire « {name} » est retiré.");
                Ok(())
            }
            Ok(false) => {
                hub.close().await;
                let message = format!("Aucun accès de partenaire ouvert au nom de « {name} ».");
                return Err(Stop::failed(FailureKind::NotFound, message));
            }
            Err(failure) => Err(failure),
        },
    };
    hub.close().await;
    Ok(done?)
}

async fn serve(folder: HubFolder) -> Result<(), Stop> {
    let hub = Hub::open(folder, world()).await?;
    let config = hub.config();
    let listeners = Listeners {
        nodes: bind(&config.listen).await?,
        pages: bind_if_set(&config.pages).await?,
        operations: bind_if_set(&config.operations).await?,
    };
    // The ports that were really taken: a setting may leave the choice to the system.
    if let Ok(address) = listeners.nodes.local_addr() {
        say!("Centre à l’écoute sur {address} ; Ctrl-C pour arrêter.");
    }
    if let Some(address) = taken(listeners.pages.as_ref()) {
        say!("Pages de la coordination, sur cette machine seulement : http://{address}/");
    }
    if let Some(address) = taken(listeners.operations.as_ref()) {
        say!("État de marche et mesures : http://{address}/metrics (et /health, /ready)");
    }
    hub.serve(listeners, super::interrupted()).await?;
    hub.close().await;
    say!("Centre arrêté ; tout ce qui a reçu un récépissé est écrit.");
    Ok(())
}

fn taken(listener: Option<&TcpListener>) -> Option<std::net::SocketAddr> {
    listener.and_then(|listener| listener.local_addr().ok())
}

async fn bind_if_set(address: &str) -> Result<Option<TcpListener>, Stop> {
    if address.is_empty() { Ok(None) } else { bind(address).await.map(Some) }
}

async fn bind(address: &str) -> Result<TcpListener, Stop> {
    TcpListener::bind(address).await.map_err(|error| {
        Stop::failed(
            render::system::kind(&error),
            format!(
                "Impossible d’écouter sur {address} : {}. Changez ce réglage dans hub.toml (listen, pages ou operations), ou libérez ce port.",
                render::system::cause(&error)
            ),
        )
    })
}
