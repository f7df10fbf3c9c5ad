//! `maillage attack`: what an intruder works out from published tables.

use std::path::PathBuf;

use clap::Args;
use disclosure::tables::{Singletons, Violation};
use node::tables::{AtSource, Attack, Found, Line, Stage};
use render::number::counted;
use render::typography::french;

use super::protect::SingletonsArg;
use super::{Stop, aside};
use crate::terminal::Progress;

/// How many violations of one kind of intruder are named.
const NAMED: usize = 20;

/// Joue les intrus contre des tableaux publiés : que peut-on déduire des cellules cachées ?
///
/// Un lecteur ne se sert que de ce qui est visible : la valeur d’une ligne où suppressed = 1 n’est pas lue, même si elle
/// est là. Qui est seul dans une cellule (colonne owner, ou contributors = 1) connaît en plus toutes les siennes ; pour
/// ceux-là seulement, et pour mesurer lpl et upl, les valeurs cachées du fichier servent. Les cellules que la colonne
/// primary marque (à défaut, toutes les cachées) doivent pouvoir varier de la largeur demandée, de lpl sous leur valeur,
/// de upl au-dessus et de spl en tout, quand ces colonnes existent.
#[derive(Args)]
#[command(
    after_help = "Exemples :\n  maillage attack --cells out.csv --hierarchy H.json\n  maillage attack --cells out.csv --hierarchy H.json --width 5 --intervals i.csv\n  maillage attack --cells A.csv --cells B.csv --hierarchy H.json\n  maillage attack --cells out-mars.csv --history out-janvier.csv --hierarchy H.json\n  maillage attack --cells out.csv --hierarchy H.json --known connues.csv\n\nconnues.csv : les colonnes des dimensions et « value » ; ce que l’intrus sait en plus, cellule par cellule.\n\nCodes de retour : 0 aucune violation ; 1 au moins une, leur nombre est écrit ; 65 fichier ou tableau refusé ;\n73 le fichier de --intervals existe déjà (--force) ;\n2 commande mal écrite ; 66 fichier introuvable ; 75 lecture ou écriture empêchée."
)]
pub struct AttackArgs {
    /// Tableau publié, avec suppressed ; plusieurs si l’intrus les a tous.
    #[arg(long, value_name = "out.csv", required = true)]
    cells: Vec<PathBuf>,
    /// Ce qui s’additionne, dimension par dimension.
    #[arg(long, value_name = "H.json")]
    hierarchy: PathBuf,
    /// Largeur que l’intervalle de chaque cellule doit avoir.
    #[arg(long, value_name = "W", default_value_t = 1)]
    width: u32,
    /// Publication antérieure, de la plus ancienne à la plus récente : jouée seule, puis avec le tableau, où une cellule
    /// est inchangée tant que rien de visible ne dit le contraire (ou que les valeurs des fichiers sont égales).
    #[arg(long, value_name = "avant.csv")]
    history: Vec<PathBuf>,
    /// Cellules que quelqu’un connaît, cachées ou non : un intrus par fichier.
    #[arg(long, value_name = "connues.csv")]
    known: Vec<PathBuf>,
    /// Tableau d’un producteur sur les mêmes cellules, que tout le monde connaît : exact=insee.csv, ou arrondi par lui :
    /// cnaf-arrondi=cnaf.csv.
    #[arg(long = "at-source", value_name = "NOM=producteur.csv")]
    at_source: Vec<AtSource>,
    /// Qui connaît son propre chiffre : les contributeurs nommés (colonne owner), ou aussi quiconque est seul dans sa
    /// cellule. Par défaut : seul, si le tableau compte les contributeurs.
    #[arg(long, value_enum)]
    singletons: Option<SingletonsArg>,
    /// Écrit l’intervalle de chaque cellule cachée, pour un lecteur de tout ce qui est publié (sans --known).
    #[arg(long, value_name = "i.csv")]
    intervals: Option<PathBuf>,
    /// Remplace le fichier de --intervals s’il existe déjà.
    #[arg(long)]
    force: bool,
}

/// Attacks and counts.
pub async fn run(args: AttackArgs) -> Result<(), Stop> {
    let width = args.width;
    let written: Vec<PathBuf> = args.intervals.iter().cloned().collect();
    node::tables::free(&written, args.force)?;
    let ask = Attack {
        cells: args.cells,
        hierarchy: args.hierarchy,
        width,
        history: args.history,
        known: args.known,
        sources: args.at_source,
        singletons: args.singletons.map(Singletons::from),
        intervals: args.intervals.is_some(),
    };
    let progress = Progress::start(2, "Lecture des tableaux");
    let (found, progress) = aside(move || {
        let found = node::tables::attack(&ask, |stage| match stage {
            Stage::Attacking { cells, hidden } => progress.step(&french(&format!(
                "{} dont {} : attaque",
                counted(cells, "cellule", "cellules"),
                counted(hidden, "cachée", "cachées")
            ))),
            Stage::Playing { player, of } => progress.at(player as u64, of as u64),
            Stage::Reading | Stage::Deciding { .. } => {}
        });
        (found, progress)
    })
    .await?;
    progress.finish();
    let found = found?;
    if let (Some(path), Some(bytes)) = (&args.intervals, &found.intervals) {
        node::tables::write(&[(path.clone(), bytes.as_slice())], args.force)?;
    }
    println!("{}", french(&summary(&found, width)));
    if found.violated == 0 { Ok(()) } else { Err(Stop::refused(String::new())) }
}

fn summary(found: &Found, width: u32) -> String {
    let mut lines = vec![format!(
        "{} sur {} à protéger ({} en tout, {}), largeur {width}.",
        counted(found.violated, "violation", "violations"),
        counted(found.asked, "cellule", "cellules"),
        counted(found.cells, "cellule", "cellules"),
        counted(found.hidden, "cachée", "cachées"),
    )];
    for Line { who, asked, violations } in &found.lines {
        lines.push(format!(
            "• {who} : {} sur {}.",
            counted(violations.len(), "violation", "violations"),
            counted(*asked, "cellule", "cellules")
        ));
        for (violation, cell) in violations.iter().take(NAMED) {
            lines.push(format!("    {cell} : {}", says(*violation)));
        }
        if violations.len() > NAMED {
            lines.push(format!("    … et {} autres.", violations.len() - NAMED));
        }
    }
    lines.extend(found.remarks.iter().map(|remark| format!("Remarque : {remark}")));
    lines.join("\n")
}

fn says(violation: Violation) -> &'static str {
    match violation {
        Violation::Shown => "montrée",
        Violation::Computable => "calculable",
        Violation::Narrow => "trop étroite",
        Violation::Below => "ne descend pas de lpl",
        Violation::Above => "ne monte pas de upl",
        Violation::Undecided => "non décidée (le calcul s’est arrêté avant ; compte comme une violation)",
    }
}
