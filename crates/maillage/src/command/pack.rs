//! `maillage pack`: what an author of packs needs before a hub publishes anything.

mod published;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use methodology::{Basis, Pack, PackError, Table as PackTable};
use model::{PackCode, Timestamp};
use node::author::{self, GoldenResult};
use render::number::counted;
use render::typography::french;
use render::{Column, Screen, Table};

use super::{Stop, aside};

/// Écrit et vérifie des référentiels d’indicateurs.
#[derive(Args)]
#[command(
    arg_required_else_help = true,
    after_help = "Exemples :\n  maillage pack check mon-referentiel\n  maillage pack test mon-referentiel\n  maillage pack diff referentiel-1.0.pack mon-referentiel\n  maillage pack build mon-referentiel -o referentiel-1.1.pack\n  maillage pack publish referentiel-1.1.pack --folder maillage-hub\n  maillage pack list --access ./coordination\n\nCodes de retour : 0 tout va bien ; 1 le référentiel est refusé ; 65, 66 fichier illisible ou absent ;\n73 le fichier à écrire existe déjà (--force)."
)]
pub struct PackArgs {
    #[command(subcommand)]
    command: PackCommand,
}

#[derive(Subcommand)]
enum PackCommand {
    /// Vérifie un référentiel : tout ce qui ne va pas, avec le fichier, la ligne et le remède.
    #[command(
        after_help = "Exemple :\n  maillage pack check mon-referentiel\n  maillage pack check mon-referentiel --relations"
    )]
    Check {
        /// Dossier du référentiel (celui de pack.toml).
        pack_folder: PathBuf,
        /// Montre comment les lignes des indicateurs se tiennent : X ⊂ Y, X et Y s’excluent, C = A + B, N ≤ D.
        #[arg(long)]
        relations: bool,
    },
    /// Calcule les cas d’épreuve et compare chaque chiffre à celui trouvé à la main.
    #[command(
        after_help = "Exemple :\n  maillage pack test mon-referentiel\n  maillage pack test mon-referentiel --all"
    )]
    Test {
        /// Dossier du référentiel (celui de pack.toml).
        pack_folder: PathBuf,
        /// Montre aussi les chiffres justes.
        #[arg(long)]
        all: bool,
    },
    /// Compare deux versions : quels chiffres passés cessent d’être comparables, quel numéro est dû.
    #[command(after_help = "Exemple :\n  maillage pack diff referentiel-1.0.pack mon-referentiel")]
    Diff {
        /// Version publiée : dossier, ou fichier de « maillage pack build ».
        old: PathBuf,
        /// Nouvelle version.
        new: PathBuf,
    },
    /// Fait le fichier unique que le centre signe et publie ; refuse tout référentiel incomplet.
    #[command(
        after_help = "Exemple :\n  maillage pack build mon-referentiel -o referentiel-1.1.pack --after referentiel-1.0.pack"
    )]
    Build {
        /// Dossier du référentiel (celui de pack.toml).
        pack_folder: PathBuf,
        /// Fichier à écrire.
        #[arg(short, long)]
        output: PathBuf,
        /// Version publiée avant : refuse un numéro qui ne dit pas ce qui change.
        #[arg(long, value_name = "RÉFÉRENTIEL")]
        after: Option<PathBuf>,
        /// Remplace le fichier s’il existe.
        #[arg(long)]
        force: bool,
    },
    /// Publie une version au centre, sur sa machine : montre d’abord ce qui change ; --yes pour publier.
    ///
    /// Le centre la signe ; les postes la reçoivent d’eux-mêmes. L’ancienne version reste acceptée jusqu’à une date.
    #[command(
        after_help = "Exemple :\n  maillage pack publish referentiel-1.1.pack --folder maillage-hub\n  maillage pack publish referentiel-1.1.pack --folder maillage-hub --previous-until 2027-03-31 --yes"
    )]
    Publish {
        /// Dossier du référentiel, ou fichier de « maillage pack build ».
        new: PathBuf,
        /// Dossier du centre.
        #[arg(long, default_value = "maillage-hub", env = "MAILLAGE_HUB_FOLDER")]
        folder: PathBuf,
        /// Dernier jour où l’ancienne version est acceptée ; 90 jours par défaut.
        #[arg(long, value_parser = day)]
        previous_until: Option<Timestamp>,
        /// Publie ; sans cette option, rien n’est écrit.
        #[arg(long)]
        yes: bool,
    },
    /// Montre les référentiels du centre, leur version et l’échéance de la précédente.
    #[command(after_help = "Exemple :\n  maillage pack list --access ./coordination")]
    List {
        /// Dossier des accès remis par l’opérateur du centre.
        #[arg(long, default_value = "maillage-hub/coordinators/coordination", env = "MAILLAGE_ACCESS")]
        access: PathBuf,
    },
    /// Télécharge un référentiel du centre en un fichier que « maillage pack » relit.
    #[command(
        after_help = "Exemple :\n  maillage pack get ccas-activite -o activite.pack --access ./coordination\n  maillage pack get ccas-activite --edition 1.0.0 -o activite-1.0.pack --access ./coordination"
    )]
    Get {
        /// Code du référentiel.
        pack: PackCode,
        /// Version ; celle en vigueur par défaut.
        #[arg(long)]
        edition: Option<String>,
        /// Fichier à écrire.
        #[arg(short, long)]
        output: PathBuf,
        /// Remplace le fichier s’il existe.
        #[arg(long)]
        force: bool,
        /// Dossier des accès remis par l’opérateur du centre.
        #[arg(long, default_value = "maillage-hub/coordinators/coordination", env = "MAILLAGE_ACCESS")]
        access: PathBuf,
    },
}

fn day(text: &str) -> Result<Timestamp, String> {
    render::date::end_of_day(text).ok_or_else(|| "une date s’écrit ANNÉE-MOIS-JOUR, par exemple 2027-03-31".to_owned())
}

/// Reads, judges and says.
pub async fn run(args: PackArgs) -> Result<(), Stop> {
    let said = match args.command {
        PackCommand::Publish { new, folder, previous_until, yes } => {
            let pack = aside(move || ready(&new)).await??;
            published::publish(pack, folder, previous_until, yes).await?
        }
        PackCommand::List { access } => published::list(&access).await?,
        PackCommand::Get { pack, edition, output, force, access } => {
            published::get(&access, &pack, edition.as_deref(), &output, force).await?
        }
        PackCommand::Check { pack_folder, relations } => aside(move || check(&pack_folder, relations)).await??,
        PackCommand::Test { pack_folder, all } => {
            aside(move || tested(&author::examples(&opened(&pack_folder)?), all)).await??
        }
        PackCommand::Diff { old, new } => aside(move || compared(&old, &new)).await??,
        PackCommand::Build { pack_folder, output, after, force } => {
            aside(move || build(&pack_folder, &output, after.as_deref(), force)).await??
        }
    };
    println!("{}", french(&said));
    Ok(())
}

/// A pack whose worked examples hold.
fn ready(place: &Path) -> Result<Pack, Stop> {
    let pack = opened(place)?;
    author::archive(&pack)?;
    Ok(pack)
}

fn check(folder: &Path, relations: bool) -> Result<String, Stop> {
    let pack = opened(folder)?;
    let list = if relations { related(&pack) } else { String::new() };
    Ok(list + &summary(&pack))
}

fn compared(old: &Path, new: &Path) -> Result<String, Stop> {
    let (old, new) = (opened(old)?, opened(new)?);
    let found = methodology::diff(&old, &new);
    let told = found.french(&old, &new);
    match found.lie {
        None => Ok(told),
        Some(lie) => Err(Stop::refused(french(&format!("{told}\n{}", lie.french(&new, &found))))),
    }
}

fn build(folder: &Path, output: &Path, after: Option<&Path>, force: bool) -> Result<String, Stop> {
    // Before anything is computed, not after it.
    node::tables::free(&[output.to_owned()], force)?;
    let pack = opened(folder)?;
    if let Some(after) = after {
        let old = opened(after)?;
        let found = methodology::diff(&old, &pack);
        if let Some(lie) = found.lie {
            return Err(Stop::refused(french(&lie.french(&pack, &found))));
        }
    }
    let bytes = author::archive(&pack)?;
    node::tables::write(&[(output.to_owned(), &bytes)], force)?;
    Ok(format!("{}\n✓ {} (à signer par le centre)", summary(&pack), output.display()))
}

fn opened(place: &Path) -> Result<Pack, Stop> {
    author::check(place)?.map_err(|faults| Stop::refused(french(&listed(&faults))))
}

fn listed(faults: &[PackError]) -> String {
    let mut text = String::new();
    for fault in faults {
        let position =
            fault.position.map_or_else(String::new, |at| format!(", ligne {}, colonne {}", at.line, at.column));
        // A line that is already the position says nothing more.
        let place = if fault.place.starts_with("ligne") { String::new() } else { format!(" ({})", fault.place) };
        writeln!(text, "✗ {}{position}{place}\n  {}", fault.file, fault.message).expect("a text takes everything");
    }
    text.push_str(&counted(
        faults.len(),
        "défaut : le référentiel est refusé.",
        "défauts : le référentiel est refusé.",
    ));
    text
}

fn summary(pack: &Pack) -> String {
    let indicators = pack.tables().iter().map(|table| table.indicators().len()).sum();
    let figures: usize = pack.tables().iter().flat_map(PackTable::golden).map(|case| case.expected.len()).sum();
    format!(
        "✓ {} {} : {}, {}, {} ; aucun défaut.",
        pack.title(),
        pack.version(),
        counted(pack.tables().len(), "table", "tables"),
        counted(indicators, "indicateur", "indicateurs"),
        counted(figures, "chiffre d’épreuve", "chiffres d’épreuve"),
    )
}

/// What secrecy knows of each table: proven without more, declared with its reason.
fn related(pack: &Pack) -> String {
    let mut text = String::new();
    for table in pack.tables() {
        writeln!(text, "{} ({})", table.title(), table.code()).expect("a text takes everything");
        for known in table.relations() {
            let why = match &known.basis {
                Basis::Proven => String::new(),
                Basis::Declared(reason) => format!(" — déclaré : {reason}"),
            };
            writeln!(text, "  {}{why}", known.relation.in_french()).expect("a text takes everything");
        }
        text.push('\n');
    }
    text
}

fn tested(results: &[GoldenResult], all: bool) -> Result<String, Stop> {
    let failed = results.iter().filter(|result| !result.passed).count();
    let mut table = Table::new([
        Column::text(""),
        Column::text("Cas"),
        Column::text("Indicateur"),
        Column::text("Cellule"),
        Column::numbers("Attendu"),
        Column::numbers("Trouvé"),
    ]);
    let mut broken = String::new();
    let mut rows = 0;
    for result in results.iter().filter(|result| all || !result.passed) {
        let Some(indicator) = &result.indicator else {
            writeln!(broken, "✗ {}, cas « {} » : {}", result.table, result.case, result.message)
                .expect("a text takes everything");
            continue;
        };
        rows += 1;
        table.push([
            if result.passed { "✓" } else { "✗" }.to_owned(),
            format!("{} : {}", result.table, result.case),
            indicator.to_string(),
            result.key.to_string(),
            result.expected.clone(),
            result.found.clone(),
        ]);
    }
    let mut text = broken;
    if rows > 0 {
        let _ = writeln!(text, "{}", table.draw(Screen::of(&std::io::stdout())));
    }
    let whole = counted(results.len(), "chiffre calculé", "chiffres calculés");
    if failed == 0 {
        Ok(format!("{text}✓ {whole} : tous sont ceux trouvés à la main."))
    } else {
        Err(Stop::refused(french(&format!(
            "{text}{whole}, dont {failed} en défaut : corrigez la définition, ou le chiffre s’il était mal compté."
        ))))
    }
}
