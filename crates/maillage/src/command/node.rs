//! `maillage node`: what an agent of a CCAS types. French throughout.

mod show;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use model::{CommuneCode, PackCode, Period, Slice, TableCode};
use node::approve::Agreement;
use node::preview::{Preview, PreviewError, Purpose};
use node::share::Selection;
use node::{Node, NodeFolder};

use super::{Stop, world};
use crate::telemetry::say;

/// Le nœud d’une commune.
#[derive(Args)]
#[command(
    disable_help_subcommand = true,
    after_help = "Dans l’ordre, la première fois :\n  maillage node join 'maillage1-…'\n  maillage node check\n  maillage node report\n  maillage node preview\n  maillage node approve --name \"Prénom Nom\" --preview EMPREINTE\n  maillage node push"
)]
pub struct NodeArgs {
    /// Dossier du nœud (réglages, clés, base locale).
    #[arg(long, global = true, default_value = "maillage-node", env = "MAILLAGE_NODE_FOLDER")]
    folder: PathBuf,
    #[command(subcommand)]
    command: NodeCommand,
}

#[derive(Subcommand)]
enum NodeCommand {
    /// Rejoint le centre départemental avec l’invitation reçue.
    ///
    /// Les clés sont fabriquées sur ce poste et n’en sortent pas. Le registre des envois de la commune est
    /// reconstruit auprès du centre et vérifié.
    #[command(after_help = "Exemple :\n  maillage node join 'maillage1-AbC…'")]
    Join {
        /// La ligne « maillage1-… » transmise par l’union départementale.
        invitation: String,
    },
    /// Lit les fichiers décrits dans node.toml et dit ce qui ne va pas : fichier, ligne, colonne, cause, remède.
    Check,
    /// Édition interne : les chiffres exacts de la commune, pour elle seule (page HTML locale).
    #[command(after_help = "Exemple :\n  maillage node report --output edition-interne.html")]
    Report {
        /// Fichier à écrire ; par défaut edition-interne.html dans le dossier du nœud.
        #[arg(long)]
        output: Option<PathBuf>,
    },
    /// Montre ce qui partirait : nouveau, modifié, inchangé, retiré, caché et pourquoi. Rien ne part.
    Preview {
        /// Prépare un essai : le centre dira ce qu’il répondrait, sans rien remplacer. Les chiffres protégés lui sont
        /// montrés quand même ; l’essai demande donc un accord et entre au registre.
        #[arg(long)]
        dry_run: bool,
        /// Montre toutes les cellules, et pas seulement les totaux et ce qui change.
        #[arg(long)]
        all: bool,
    },
    /// Donne l’accord d’une personne à l’aperçu : il est signé et mis en file d’envoi.
    #[command(after_help = "Exemple :\n  maillage node approve --name \"Aïcha Martin\" --preview 3f2a9c01")]
    Approve {
        /// Nom de la personne qui a relu l’aperçu. Il reste sur ce poste.
        #[arg(long)]
        name: String,
        /// Empreinte de l’aperçu relu, ou ses huit premiers caractères (affichée par preview) ; refusé s’il a changé depuis.
        #[arg(long)]
        preview: String,
    },
    /// Envoie ce qui attend en file et affiche les récépissés.
    Push,
    /// Met ce qui attend en file dans un fichier fermé (enveloppe), à remettre au centre par un autre chemin que le réseau.
    ///
    /// C’est un envoi : mêmes documents, mêmes accords, mêmes récépissés. Seul le centre peut ouvrir l’enveloppe. Si le
    /// réseau revient entre-temps, « maillage node push » reste possible : rien n’est compté deux fois.
    #[command(
        after_help = "Exemple :\n  maillage node bundle /media/cle/93066.maillage\nPuis, au centre : maillage hub accept-bundle 93066.maillage\nEt au retour : maillage node accept-answer 93066.reponse"
    )]
    Bundle {
        /// Fichier à écrire ; il ne doit pas exister.
        file: PathBuf,
    },
    /// Lit la réponse que le centre a rendue à une enveloppe : récépissés et refus, comme après un envoi.
    #[command(after_help = "Exemple :\n  maillage node accept-answer /media/cle/93066.reponse")]
    AcceptAnswer {
        /// Fichier de réponse.
        file: PathBuf,
    },
    /// Cherche ce qui empêche le nœud de travailler, et dit comment y remédier. Ne change rien, n’envoie aucun chiffre.
    ///
    /// Réglages, droits, disque, fichiers, horloge, mandataire, connexion, certificats, registre, file d’envoi. La sortie
    /// ne contient rien de confidentiel : elle peut être transmise à une personne qui vous aide.
    #[command(after_help = "Exemples :\n  maillage node doctor\n  maillage node doctor --json > diagnostic.json")]
    Doctor {
        /// Pour une machine ou un service d’assistance : un objet JSON.
        #[arg(long)]
        json: bool,
    },
    /// Travaille en continu : relit les fichiers, applique la règle d’accord de la commune, envoie, renouvelle le certificat.
    Run,
    /// Où en est le nœud : certificat, registre, file d’envoi.
    Status,
    /// Vérifie un récépissé sans réseau.
    #[command(after_help = "Exemple :\n  maillage node verify maillage-node/receipts/000001.recepisse")]
    Verify {
        /// Fichier du récépissé.
        receipt: PathBuf,
    },
    /// Montre qui voit les tableaux de la commune, et le décide.
    ///
    /// Un tableau envoyé est montré à la coordination départementale, et à personne d’autre tant que la commune ne l’a pas
    /// dit. Sans --with, rien ne change : la commande montre qui voit quoi. Sans --name non plus : elle montre ce qui
    /// changerait. Une décision en remplace une autre, et peut toujours être reprise.
    #[command(
        after_help = "Exemples :\n  maillage node share\n  maillage node share --pack ccas-activite --period 2025 --with coordination,communes\n  maillage node share --pack ccas-activite --period 2025 --with coordination,communes --name \"Aïcha Martin\"\n  maillage node share --pack ccas-activite --table domiciliation --period 2026 --with personne --name \"Aïcha Martin\""
    )]
    Share {
        /// Seulement ce référentiel.
        #[arg(long)]
        pack: Option<PackCode>,
        /// Seulement ce tableau.
        #[arg(long)]
        table: Option<TableCode>,
        /// Seulement cette période.
        #[arg(long)]
        period: Option<Period>,
        /// Seulement cette commune.
        #[arg(long)]
        territory: Option<CommuneCode>,
        /// Qui verra ces tableaux, et personne d’autre : coordination, communes, partenaires, public, séparés par des
        /// virgules ; ou « personne ».
        #[arg(long, value_delimiter = ',')]
        with: Vec<String>,
        /// Nom de la personne qui décide. Il reste sur ce poste.
        #[arg(long, requires = "with")]
        name: Option<String>,
    },
    /// Retire un tableau déjà envoyé. Ce qui a été lu reste connu, mais n’est plus montré.
    #[command(
        after_help = "Exemple :\n  maillage node withdraw --pack ccas-activite --table domiciliation --period 2025 --name \"Aïcha Martin\""
    )]
    Withdraw {
        /// Référentiel.
        #[arg(long)]
        pack: PackCode,
        /// Tableau.
        #[arg(long)]
        table: TableCode,
        /// Période.
        #[arg(long)]
        period: Period,
        /// Commune, si ce n’est pas celle du nœud.
        #[arg(long)]
        territory: Option<CommuneCode>,
        /// Nom de la personne qui décide. Il reste sur ce poste.
        #[arg(long)]
        name: String,
    },
}

/// Another command, or the service, works on the folder.
const BUSY: &str = "NODE_BUSY";

/// Runs one of them.
pub async fn run(args: NodeArgs) -> Result<(), Stop> {
    let folder = NodeFolder::at(args.folder);
    match args.command {
        NodeCommand::Join { invitation } => join(folder, &invitation).await,
        NodeCommand::Check => check(folder).await,
        NodeCommand::Report { output } => report(folder, output).await,
        NodeCommand::Preview { dry_run, all } => preview(folder, dry_run, all).await,
        NodeCommand::Approve { name, preview } => approve(folder, name, &preview).await,
        NodeCommand::Push => push(folder).await,
        NodeCommand::Bundle { file } => bundle(folder, file).await,
        NodeCommand::AcceptAnswer { file } => accept_answer(folder, file).await,
        NodeCommand::Doctor { json } => doctor(folder, json).await,
        NodeCommand::Run => work(folder).await,
        NodeCommand::Status => status(folder).await,
        NodeCommand::Verify { receipt } => verify(folder, receipt).await,
        NodeCommand::Share { pack, table, period, territory, with, name } => {
            share(folder, &Selection { pack, table, period, territory }, &with, name.as_deref()).await
        }
        NodeCommand::Withdraw { pack, table, period, territory, name } => {
            let node = Node::open(folder, world()).await?;
            let slice = Slice { territory: territory.unwrap_or(node.provider()), pack, table, period };
            node::withdraw::withdraw(&node, [slice].into(), &name).await?;
            let result = deliver(&node).await;
            node.close().await;
            result
        }
    }
}

async fn join(folder: NodeFolder, invitation: &str) -> Result<(), Stop> {
    let joined = node::join::join(&folder, invitation, world()).await?;
    println!("✓ La commune {} a rejoint le centre {}.", joined.provider, joined.hub);
    for (territory, entries) in &joined.ledgers {
        match entries {
            0 => println!("  Registre des envois de {territory} : vide."),
            n => println!("  Registre des envois de {territory} : {n} entrées retrouvées et vérifiées."),
        }
    }
    println!("  Référentiels reçus : {}.", joined.packs.join(", "));
    if joined.settings_written {
        println!("  Un fichier de réglages a été préparé : {}", folder.config().display());
    }
    println!("Ensuite : décrivez vos fichiers dans node.toml, puis « maillage node check ».");
    Ok(())
}

async fn check(folder: NodeFolder) -> Result<(), Stop> {
    let node = Node::open(folder, world()).await?;
    if node.config().sources.is_empty() {
        return Err(Stop::refused(node::collect::CollectError::NoSource.french().join("\n")));
    }
    let mut wrong = 0;
    for source in &node.config().sources {
        match node::collect::collect_one(
            source,
            node.config(),
            &node.identity().territories,
            node.packs(),
            node.folder().root(),
        ) {
            Ok(one) => {
                let aside = if one.set_aside > 0 {
                    format!(
                        ", {}",
                        render::number::counted(
                            one.set_aside,
                            "ligne de total mise à part",
                            "lignes de total mises à part"
                        )
                    )
                } else {
                    String::new()
                };
                println!(
                    "✓ {} : {} pour « {} » ({}){aside}",
                    source.read.file.display(),
                    render::number::counted(one.rows, "ligne", "lignes"),
                    one.table.title(),
                    source.period
                );
                if !one.not_collected.is_empty() {
                    println!(
                        "  totaux : {} sur {} ; ce qu’ils ne disent pas partira comme « non collecté » ({})",
                        render::number::counted(
                            one.measures - one.not_collected.len(),
                            "indicateur calculé",
                            "indicateurs calculés"
                        ),
                        one.measures,
                        one.not_collected.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
                    );
                }
            }
            Err(error) => {
                wrong += 1;
                for line in error.french() {
                    println!("{line}");
                }
            }
        }
    }
    for local in &node.config().locals {
        match node::local::read(local, node.config(), &node.identity().territories, node.folder().root()) {
            Ok(one) => println!(
                "✓ {} : {} pour « {} » ({}), propre à la commune : rien n’en part",
                one.file,
                render::number::counted(one.rows, "ligne", "lignes"),
                one.table.title(),
                one.period
            ),
            Err(error) => {
                wrong += 1;
                error.french().iter().for_each(|line| println!("{line}"));
            }
        }
    }
    node.close().await;
    if wrong == 0 {
        Ok(())
    } else {
        Err(Stop::refused(format!(
            "{} à corriger. Rien n’a été calculé ni envoyé pour {}.",
            render::number::counted(wrong, "fichier", "fichiers"),
            if wrong == 1 { "ce fichier" } else { "ces fichiers" }
        )))
    }
}

fn refused(error: PreviewError) -> Stop {
    match error {
        PreviewError::Failed(failure) => failure.into(),
        PreviewError::Sources(errors) => {
            let lines: Vec<String> = errors.iter().flat_map(node::collect::CollectError::french).collect();
            Stop::refused(format!("{}\nRien n’a été préparé : corrigez ces fichiers, puis relancez.", lines.join("\n")))
        }
    }
}

async fn report(folder: NodeFolder, output: Option<PathBuf>) -> Result<(), Stop> {
    let output = output.unwrap_or_else(|| folder.root().join("edition-interne.html"));
    let node = Node::open(folder, world()).await?;
    let page = node::report::internal_edition(&node).await.map_err(refused)?;
    node.folder().write(&output, page.as_bytes(), true).map_err(|error| Stop::file(&output, &error))?;
    node.close().await;
    println!("Édition interne écrite dans {}.", output.display());
    println!("NON DIFFUSABLE : elle contient des effectifs exacts. Gardez-la au CCAS.");
    Ok(())
}

async fn preview(folder: NodeFolder, dry_run: bool, all: bool) -> Result<(), Stop> {
    let node = Node::open(folder, world()).await?;
    let node = catch_up(node).await?;
    let purpose = if dry_run { Purpose::Check } else { Purpose::Submit };
    let preview = node::preview::preview(&node, purpose).await.map_err(refused)?;
    show::preview(&preview, all);
    node.close().await;
    Ok(())
}

/// Brings ledger and packs up to what the hub holds, as far as it can be reached: without it the local ledger decides,
/// and refuses by itself if it is not complete.
async fn catch_up(node: Node) -> Result<Node, Stop> {
    let reached = match node::sync::sync(&node).await {
        Ok(synced) => {
            if synced.recovered > 0 {
                say!("{}", show::recovered(synced.recovered));
            }
            node::packs::refresh(&node).await
        }
        Err(failure) => Err(failure),
    };
    match reached {
        Ok(fetched) => {
            fetched.french().iter().for_each(|line| say!("{line}"));
            if fetched.received.is_empty() {
                return Ok(node);
            }
            let folder = node.folder().clone();
            node.close().await;
            Ok(Node::open(folder, world()).await?)
        }
        // Not the hub but ourselves: the other command may be changing what would be shown.
        Err(failure) if failure.reason == BUSY => Err(failure.into()),
        Err(failure) => {
            say!("Le centre n’a pas pu être interrogé ; l’aperçu se fonde sur ce poste. {}", failure.message);
            Ok(node)
        }
    }
}

async fn approve(folder: NodeFolder, name: String, read: &str) -> Result<(), Stop> {
    let node = Node::open(folder, world()).await?;
    let expected = node::approve::waiting(&node, read).await?;
    let ids = node::approve::approve(&node, &Agreement::Person(name), Some(expected)).await?;
    node.close().await;
    let named: Vec<String> = ids.iter().map(ToString::to_string).collect();
    println!(
        "✓ Accord enregistré pour l’aperçu {}. {} en file : {}. Pour envoyer maintenant : maillage node push",
        &expected.to_string()[..8],
        render::number::counted(ids.len(), "envoi", "envois"),
        named.join(", ")
    );
    Ok(())
}

async fn push(folder: NodeFolder) -> Result<(), Stop> {
    let node = Node::open(folder, world()).await?;
    let result = deliver(&node).await;
    node.close().await;
    result
}

async fn deliver(node: &Node) -> Result<(), Stop> {
    node::renew::renew_if_due(node).await?;
    let delivered = node::push::push(node, &show::push_event).await?;
    // Nothing waited, so nobody asked the hub yet what it may have forgotten. Without it, nothing is owed either.
    if delivered.is_empty() {
        match node::sync::sync(node).await {
            Ok(caught_up) if caught_up.recovered > 0 => say!("{}", show::recovered(caught_up.recovered)),
            Err(failure) if failure.reason == BUSY => return Err(failure.into()),
            Ok(_) | Err(_) => {}
        }
    }
    show::delivered(&delivered)
}

async fn bundle(folder: NodeFolder, file: PathBuf) -> Result<(), Stop> {
    let node = Node::open(folder, world()).await?;
    let written = node::bundle::write(&node, &file).await;
    node.close().await;
    let written = written?;
    println!(
        "✓ Enveloppe {} écrite dans {} ({}).",
        written.id,
        file.display(),
        render::number::counted(written.items.len(), "document", "documents")
    );
    for (submission, kind) in &written.items {
        println!("  {} {submission}", show::kind(*kind));
    }
    if written.left > 0 {
        println!(
            "  {} ne tiennent pas dans une enveloppe : faites-en une autre une fois la réponse reçue.",
            render::number::counted(written.left, "autre document", "autres documents")
        );
    }
    println!("Remettez ce fichier au centre ; lui seul peut l’ouvrir. Au retour : maillage node accept-answer FICHIER");
    Ok(())
}

async fn accept_answer(folder: NodeFolder, file: PathBuf) -> Result<(), Stop> {
    let node = Node::open(folder, world()).await?;
    let delivered = node::bundle::accept_answer(&node, &file).await;
    node.close().await;
    show::delivered(&delivered?)
}

async fn doctor(folder: NodeFolder, json: bool) -> Result<(), Stop> {
    let diagnosis = node::doctor::examine(&folder, world()).await;
    if json {
        println!("{}", diagnosis.to_json());
    } else {
        for line in diagnosis.lines() {
            println!("{line}");
        }
    }
    match diagnosis.faults() {
        0 if json => Ok(()),
        0 => {
            println!("Aucun point à corriger.");
            Ok(())
        }
        _ if json => Err(Stop::refused("")),
        n => Err(Stop::refused(format!("{} à corriger.", render::number::counted(n, "point", "points")))),
    }
}

async fn share(folder: NodeFolder, selection: &Selection, with: &[String], name: Option<&str>) -> Result<(), Stop> {
    let audiences = render::audience::read(with.iter().map(String::as_str)).map_err(|word| {
        Stop::failed(model::FailureKind::Invalid, format!(
            "--with : « {word} » ne désigne personne ; écrivez coordination, communes, partenaires, public, séparés par des virgules, ou « personne » seul."
        ))
    })?;
    let node = Node::open(folder, world()).await?;
    let mut tables = node::share::standing(&node, selection).await?;
    if with.is_empty() {
        show::shared(&tables);
        node.close().await;
        return Ok(());
    }
    tables.retain(|one| one.audiences != audiences);
    let result = match name {
        _ if tables.is_empty() => {
            println!("Rien ne change : ces tableaux sont déjà montrés ainsi.");
            Ok(())
        }
        None => {
            show::shared(&tables);
            println!(
                "Rien n’a changé. {} serait désormais vu par : {}. Pour le décider, relancez avec --name \"Prénom Nom\".",
                if tables.len() == 1 { "Ce tableau" } else { "Chacun de ces tableaux" },
                render::audience::labels(&audiences)
            );
            Ok(())
        }
        Some(name) => {
            node::share::share(&node, selection, &audiences, name).await?;
            println!(
                "Décidé. {} vu par : {}.",
                render::number::counted(tables.len(), "tableau", "tableaux, chacun"),
                render::audience::labels(&audiences)
            );
            deliver(&node).await
        }
    };
    node.close().await;
    result
}

async fn work(folder: NodeFolder) -> Result<(), Stop> {
    let stop = tokio_util::sync::CancellationToken::new();
    let signal = stop.clone();
    tokio::spawn(async move {
        super::interrupted().await;
        say!("Arrêt demandé : l’opération en cours se termine, rien n’est perdu.");
        signal.cancel();
    });
    Ok(node::run::run(folder, world(), stop, &show::run_event).await?)
}

async fn status(folder: NodeFolder) -> Result<(), Stop> {
    let node = Node::open(folder, world()).await?;
    let status = node::status::status(&node).await?;
    for line in node::status::describe(&status) {
        println!("{line}");
    }
    node.close().await;
    Ok(())
}

async fn verify(folder: NodeFolder, receipt: PathBuf) -> Result<(), Stop> {
    let bytes = std::fs::read(&receipt).map_err(|error| Stop::file(&receipt, &error))?;
    let node = Node::open(folder, world()).await?;
    let read = node::verify::verify(&bytes, &node.hub_keys()?)?;
    println!("✓ Récépissé authentique.");
    for line in node::verify::describe(&read) {
        println!("{line}");
    }
    node.close().await;
    Ok(())
}

/// What a preview needs for its last lines.
fn next_step(preview: &Preview) -> Option<String> {
    preview.hash.map(|hash| {
        format!(
            "Pour donner votre accord : maillage node approve --name \"Prénom Nom\" --preview {}",
            &hash.to_string()[..8]
        )
    })
}
