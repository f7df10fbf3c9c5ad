//! `maillage attack`: what an intruder works out from published tables.

use std::path::PathBuf;

use clap::Args;
use disclosure::tables::Violation;
use node::tables::{Attack, Stage};
use render::number::counted;
use render::typography::french;

use super::{Stop, aside};
use crate::terminal::Progress;

/// How many violations are named.
const NAMED: usize = 20;

/// Joue l’intrus contre des tableaux publiés : que peut-on déduire des cellules cachées ?
///
/// Seul ce qui est visible sert : la valeur d’une ligne où suppressed = 1 n’est pas lue, même si elle est là. Les
/// cellules que la colonne primary marque (à défaut, toutes les cachées) doivent pouvoir varier de la largeur demandée.
#[derive(Args)]
#[command(
    after_help = "Exemples :\n  maillage attack --cells out.csv --hierarchy H.json\n  maillage attack --cells out.csv --hierarchy H.json --width 5 --intervals i.csv\n  maillage attack --cells A.csv --cells B.csv --hierarchy H.json\n\nCodes de retour : 0 aucune violation ; 1 au moins une, leur nombre est écrit ; 65 fichier ou tableau refusé."
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
    /// Écrit l’intervalle de chaque cellule cachée.
    #[arg(long, value_name = "i.csv")]
    intervals: Option<PathBuf>,
}

/// Attacks and counts.
pub async fn run(args: AttackArgs) -> Result<(), Stop> {
    let width = args.width;
    let ask = Attack { cells: args.cells, hierarchy: args.hierarchy, width, intervals: args.intervals.is_some() };
    let progress = Progress::start(2, "Lecture des tableaux");
    let (found, progress) = aside(move || {
        let found = node::tables::attack(&ask, |stage| {
            if let Stage::Attacking { cells, hidden } = stage {
                progress.step(&french(&format!(
                    "{} dont {} : attaque",
                    counted(cells, "cellule", "cellules"),
                    counted(hidden, "cachée", "cachées")
                )));
            }
        });
        (found, progress)
    })
    .await?;
    progress.finish();
    let found = found?;
    if let (Some(path), Some(bytes)) = (&args.intervals, &found.intervals) {
        node::tables::write(&[(path.clone(), bytes.as_slice())])?;
    }
    let count = found.violations.len();
    let of = |kind| found.violations.iter().filter(|(violation, _)| *violation == kind).count();
    println!(
        "{}",
        french(&format!(
            "{} sur {} à protéger ({} en tout, {}), largeur {width}.",
            counted(count, "violation", "violations"),
            counted(found.asked, "cellule", "cellules"),
            counted(found.cells, "cellule", "cellules"),
            counted(found.hidden, "cachée", "cachées"),
        ))
    );
    println!(
        "{}",
        french(
            "Joué : un lecteur qui ne connaît que ce qui est montré. Ce que quelqu’un sait de son propre chiffre est compté \
             par « maillage protect » (colonnes owner et contributors), pas ici."
        )
    );
    if count == 0 {
        return Ok(());
    }
    println!(
        "{}",
        french(&format!(
            "montrées : {} · calculables exactement : {} · trop étroites : {} · non décidées : {}",
            of(Violation::Shown),
            of(Violation::Computable),
            of(Violation::Narrow),
            of(Violation::Undecided)
        ))
    );
    for (violation, cell) in found.violations.iter().take(NAMED) {
        let what = match violation {
            Violation::Shown => "montrée",
            Violation::Computable => "calculable",
            Violation::Narrow => "trop étroite",
            Violation::Undecided => "non décidée",
        };
        println!("  {cell} : {what}");
    }
    if count > NAMED {
        println!("  … et {} autres.", count - NAMED);
    }
    Err(Stop::refused(String::new()))
}
