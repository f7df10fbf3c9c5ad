//! `maillage`: one file to install, for the hub, for the nodes, and for whoever wants to see it work first.

mod command;
mod demo;
mod telemetry;
mod terminal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Maillage : mutualiser les données des CCAS d’un département pour l’analyse des besoins sociaux.
///
/// Chaque commune calcule et protège ses indicateurs chez elle ; seuls des tableaux protégés partent vers le
/// centre départemental (« hub »), qui les compare.
#[derive(Parser)]
#[command(
    name = "maillage",
    version,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    disable_help_flag = true,
    disable_version_flag = true,
    subcommand_help_heading = "Commandes",
    next_help_heading = "Options générales",
    after_help = "Exemples :\n  maillage demo                          voir tout fonctionner, avec quatorze communes fictives\n  maillage node join maillage1-…         rejoindre le centre avec l’invitation reçue\n  maillage node preview                  voir ce qui partirait, avant tout envoi\n  maillage hub invite --territory 93066  inviter une commune\n  maillage compare dom_personnes --period 2025"
)]
struct Cli {
    /// Forme du journal : pour une personne (text) ou pour une machine (json).
    #[arg(long, global = true, value_enum, default_value = "text", env = "MAILLAGE_LOG_FORMAT")]
    log_format: telemetry::LogFormat,
    /// Affiche cette aide.
    #[arg(short, long, global = true, action = clap::ArgAction::Help)]
    help: Option<bool>,
    /// Affiche la version.
    #[arg(short = 'V', long, action = clap::ArgAction::Version)]
    version: Option<bool>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Le centre départemental : création, service, invitations.
    Hub(command::hub::HubArgs),
    /// Le nœud d’une commune : adhésion, contrôle, aperçu, accord, envoi.
    Node(command::node::NodeArgs),
    /// Compare les communes sur un indicateur.
    Compare(command::compare::CompareArgs),
    /// Choisit ce qu’il faut cacher dans vos propres tableaux.
    Protect(command::protect::ProtectArgs),
    /// Joue l’intrus contre des tableaux publiés.
    Attack(command::attack::AttackArgs),
    /// Un département fictif complet sur cette machine : centre, quatorze nœuds, envois, comparaison.
    Demo(command::demo::DemoArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let serves = matches!(&cli.command, Command::Hub(args) if args.serves());
    telemetry::start(cli.log_format, serves);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("Impossible de démarrer : {error}");
            return ExitCode::from(70);
        }
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Hub(args) => command::hub::run(args).await,
            Command::Node(args) => command::node::run(args).await,
            Command::Compare(args) => command::compare::run(args).await,
            Command::Protect(args) => command::protect::run(args).await,
            Command::Attack(args) => command::attack::run(args).await,
            Command::Demo(args) => command::demo::run(args).await,
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => stop.report(),
    }
}
