//! `maillage hub journal`: who did what on this hub, and the proof of it.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use hub::journal::{JournalFault, verify};
use hub::{Hub, HubFolder};
use model::FailureKind;
use render::{Column, Screen, Table};

use super::Stop;

/// Qui a fait quoi sur ce centre.
#[derive(Args)]
#[command(
    after_help = "Exemples :\n  maillage hub journal list --last 20\n  maillage hub journal export --out journal-2026-11.jsonl\n  maillage hub journal verify\n  maillage hub journal verify journal-2026-11.jsonl"
)]
pub struct JournalArgs {
    #[command(subcommand)]
    command: JournalCommand,
}

impl JournalArgs {
    /// The file to verify, which needs no hub.
    pub fn alone(&self) -> Option<&PathBuf> {
        match &self.command {
            JournalCommand::Verify { file: Some(file), here: false } => Some(file),
            _ => None,
        }
    }
}

#[derive(Subcommand)]
enum JournalCommand {
    /// Montre les dernières lignes.
    List {
        /// Combien.
        #[arg(long, default_value_t = 50)]
        last: u64,
    },
    /// Écrit tout le journal dans un fichier signé, à garder ailleurs. Les personnes y sont des numéros.
    Export {
        /// Le fichier.
        #[arg(long)]
        out: PathBuf,
        /// Remplace le fichier s’il existe.
        #[arg(long)]
        force: bool,
    },
    /// Vérifie la chaîne du journal : celui de ce centre, ou un fichier exporté, sans aucun centre.
    Verify {
        /// Le fichier exporté.
        file: Option<PathBuf>,
        /// Exige qu’il soit signé par le centre de ce dossier.
        #[arg(long, requires = "file")]
        here: bool,
    },
}

/// Verifies an export where there is no hub.
pub fn alone(file: &PathBuf) -> Result<(), Stop> {
    told(file, None)
}

/// Runs one of them.
pub async fn run(folder: HubFolder, args: JournalArgs) -> Result<(), Stop> {
    let hub = Hub::open(folder, super::world()).await?;
    let done = with(&hub, args.command).await;
    hub.close().await;
    done
}

async fn with(hub: &Hub, command: JournalCommand) -> Result<(), Stop> {
    match command {
        JournalCommand::List { last } => {
            let mut table = Table::new(vec![
                Column::numbers("N°"),
                Column::text("Date (UTC)"),
                Column::text("Quoi"),
                Column::text("Qui"),
                Column::text("À propos de"),
            ]);
            for entry in hub.journal(last).await? {
                let about: Vec<String> =
                    entry.about.iter().map(|(key, value)| format!("{key} {}", shortened(value))).collect();
                let at = entry.at.get(..19).unwrap_or(&entry.at).replace('T', " ");
                table.push(vec![entry.number.to_string(), at, entry.what, entry.who, about.join(" · ")]);
            }
            println!("{}", table.draw(Screen::of(&std::io::stdout())));
            Ok(())
        }
        JournalCommand::Export { out, force } => {
            node::tables::free(std::slice::from_ref(&out), force)?;
            let mut bytes = Vec::new();
            let lines = hub.export_journal(&mut bytes).await?;
            node::tables::write(&[(out.clone(), &bytes)], force)?;
            println!("✓ {} : {}", out.display(), counted(lines));
            println!("  Gardez-le hors du centre : un export plus récent doit commencer par les mêmes lignes.");
            Ok(())
        }
        JournalCommand::Verify { file: Some(file), .. } => told(&file, Some(hub)),
        JournalCommand::Verify { file: None, .. } => match hub.verify_journal().await? {
            Ok(lines) => {
                println!("✓ La chaîne du journal tient : {}.", counted(lines));
                Ok(())
            }
            Err(fault) => Err(broken(&fault)),
        },
    }
}

fn told(file: &PathBuf, hub: Option<&Hub>) -> Result<(), Stop> {
    let export = File::open(file)
        .map_err(|error| Stop::failed(render::system::kind(&error), render::system::sentence(file, &error)))?;
    let verified = verify(BufReader::new(export), hub.map(Hub::signing_key)).map_err(|fault| broken(&fault))?;
    println!("✓ La chaîne tient : {}, exportées le {}.", counted(verified.lines), verified.exported_at);
    println!("  empreinte de la dernière ligne : {}", verified.hash);
    println!("  clé du centre qui a signé : {}", verified.key.id());
    if hub.is_none() {
        println!("  Comparez cette clé à celle que votre centre a donnée : elle figure dans chaque récépissé.");
    }
    Ok(())
}

fn broken(fault: &JournalFault) -> Stop {
    Stop::failed(FailureKind::Conflict, fault.french())
}

fn counted(lines: u64) -> String {
    render::number::counted(usize::try_from(lines).unwrap_or(usize::MAX), "ligne", "lignes")
}

/// Hashes and ids are told by their beginning; all of them is in the export.
fn shortened(text: &str) -> String {
    let hexadecimal = text.len() >= 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if hexadecimal { format!("{}…", &text[..8]) } else { text.to_owned() }
}
