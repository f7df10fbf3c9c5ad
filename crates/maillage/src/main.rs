//! `maillage`: one file to install, for the hub, for the nodes, and for whoever wants to see it work first.

mod command;
mod demo;
mod french;
mod telemetry;
mod terminal;

use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

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
    /// Le portrait d’une commune : tous ses indicateurs, à côté de son groupe.
    Profile(command::profile::ProfileArgs),
    /// Choisit ce qu’il faut cacher dans vos propres tableaux.
    Protect(command::protect::ProtectArgs),
    /// Joue l’intrus contre des tableaux publiés.
    Attack(command::attack::AttackArgs),
    /// Écrit et vérifie des référentiels d’indicateurs.
    Pack(command::pack::PackArgs),
    /// Un département fictif complet sur cette machine : centre, quatorze nœuds, envois, comparaison.
    Demo(command::demo::DemoArgs),
}

/// What clap itself ends with when a line is no command.
const USAGE: u8 = 2;

/// The command that was typed; otherwise what to end with, after help, version or refusal were printed.
fn typed() -> Result<Cli, ExitCode> {
    let read = french::command(Cli::command()).try_get_matches().and_then(|found| Cli::from_arg_matches(&found));
    read.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // A reader that went away (`| head`) has seen enough.
            let _ = error.print();
            ExitCode::from(if error.use_stderr() { USAGE } else { 0 })
        }
        _ => {
            eprintln!("{}", french::refusal(&error));
            ExitCode::from(USAGE)
        }
    })
}

/// Ends quietly when whoever reads our output has seen enough (`| head`): `println!` panics then, and nothing is wrong.
fn end_with_the_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let said = panic.payload().downcast_ref::<String>().map_or("", String::as_str);
        if said.starts_with("failed printing to std") && said.contains("Broken pipe") {
            // As the signal would have ended us: 128 + SIGPIPE. Whatever was being written is whole or not there.
            std::process::exit(141);
        }
        usual(panic);
    }));
}

fn main() -> ExitCode {
    end_with_the_reader();
    let cli = match typed() {
        Ok(cli) => cli,
        Err(ended) => return ended,
    };
    let serves = matches!(&cli.command, Command::Hub(args) if args.serves());
    telemetry::start(cli.log_format, serves);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("Impossible de démarrer : {}.", render::system::cause(&error));
            return ExitCode::from(70);
        }
    };
    let outcome = runtime.block_on(async {
        match cli.command {
            Command::Hub(args) => command::hub::run(args).await,
            Command::Node(args) => command::node::run(args).await,
            Command::Compare(args) => command::compare::run(args).await,
            Command::Profile(args) => command::profile::run(args).await,
            Command::Protect(args) => command::protect::run(args).await,
            Command::Attack(args) => command::attack::run(args).await,
            Command::Pack(args) => command::pack::run(args).await,
            Command::Demo(args) => command::demo::run(args).await,
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => stop.report(),
    }
}
