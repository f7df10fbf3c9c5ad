//! `maillage protect`: what to hide in anybody's tables.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use disclosure::Zeros;
use disclosure::tables::{Singletons, catalogue};
use model::{Decimals, FailureKind};
use node::tables::{AtSource, Outcome, Protect, Protected, Rule, Stage};
use render::number::counted;
use render::typography::french;

use super::{Stop, aside};
use crate::terminal::Progress;

/// Choisit les cellules à cacher dans vos tableaux, et le prouve.
///
/// Un tableau a une ligne par cellule, totaux compris : une colonne par dimension, « value », et au besoin primary,
/// contributors, top1, top2, owner, lb, ub, lpl, upl, spl, frozen. Des tableaux donnés ensemble sont protégés
/// ensemble : une même cellule y est reconnue à ses codes ; un tableau sans une dimension vaut pour le total de
/// celle-ci.
#[derive(Args)]
#[command(
    after_help = "Exemples :\n  maillage protect --rules\n  maillage protect --table T.csv --hierarchy H.json --rule threshold=5 --width 5 -o out.csv\n  maillage protect --table T.csv --hierarchy H.json --rule ccas-sensible -o out.csv --public publiable.csv\n  maillage protect --table T.csv --hierarchy H.json --primary-column primary -o out.csv\n  maillage protect --table salaires.csv --hierarchy H.json --rule min-contributors=3 --rule dominance=1,85 -o out.csv\n  maillage protect --table A.csv --table B.csv --hierarchy H.json --rule threshold=5 -o sorties/\n  maillage protect --table 2025.csv --hierarchy H.json --rule threshold=5 --history out-janvier.csv -o out-mars.csv\n  maillage protect --table T.csv --hierarchy H.json --rule ccas-ordinaire --at-source cnaf-arrondi=cnaf.csv -o out.csv\n\nRègles :\n  threshold=K         moins de K personnes (contributors, sinon la valeur) ; K est montré\n  min-contributors=K  moins de K contributeurs (colonne contributors)\n  dominance=N,P       les N (1 ou 2) plus grands font plus de P % (colonnes top1, top2)\n  p=P                 le deuxième connaîtrait le premier à moins de P % près\n  one-category=DIM    une seule modalité de DIM prend tout un total\n  differences=K       un total moins une partie vaut moins de K\n  NOM                 une règle du catalogue (--rules)\n\nHiérarchie : {\"dims\": {\"age\": {\"Total\": [\"0-17\",\"18+\"], \"18+\": [\"18-64\",\"65+\"]}, \"region\": {\"Total\": [[\"A\",\"B\"],[\"x\",\"y\"]]}}}\n(une liste de listes : plusieurs décompositions du même total)\nÀ côté de \"dims\", au besoin : \"distinct\": [\"motif\"] (une personne peut compter dans plusieurs parties) et\n\"within\": {\"mesure\": [[\"aidés\",\"ménages\"]]} (le premier n’est jamais au-dessus du second)\n\nSortie : le fichier tel qu’il est écrit (séparateur, guillemets, encodage), puis primary (0/1, réécrite si elle existe) et\nsuppressed (0/1). Elle garde les valeurs cachées, pour vous seul ; ce qui peut partir est le fichier de --public.\n\nCodes de retour : 0 écrit ; 1 aucune protection possible, rien n’est écrit ; 65 fichier ou tableau refusé ;\n73 un fichier de sortie existe déjà (--force) ;\n2 commande mal écrite ; 66 fichier introuvable ; 75 lecture ou écriture empêchée."
)]
pub struct ProtectArgs {
    /// Tableau à protéger ; plusieurs s’ils sont publiés ensemble.
    #[arg(long = "table", value_name = "T.csv", required_unless_present = "rules")]
    tables: Vec<PathBuf>,
    /// Ce qui s’additionne, dimension par dimension.
    #[arg(long, value_name = "H.json", required_unless_present = "rules")]
    hierarchy: Option<PathBuf>,
    /// Règle : threshold=5, dominance=1,85, p=15, min-contributors=3, one-category=DIM, differences=5, ou un nom du
    /// catalogue. Plusieurs possibles : une cellule que l’une cache est cachée.
    #[arg(long = "rule", value_name = "RÈGLE")]
    rule: Vec<Rule>,
    /// Colonne (0/1) des cellules à cacher.
    #[arg(long, value_name = "COLONNE")]
    primary_column: Option<String>,
    /// Largeur que l’intervalle de chaque cellule à cacher doit garder ; sinon celle du catalogue, ou 1.
    #[arg(long, value_name = "W")]
    width: Option<u32>,
    /// Zéros : montrés, ou cachés par les règles comme les petits effectifs.
    #[arg(long, value_enum)]
    zeros: Option<ZerosArg>,
    /// Sortie d’une protection antérieure, de la plus ancienne à la plus récente : ce qui fut montré le reste, ce qui
    /// fut caché et n’a pas changé aussi.
    #[arg(long, value_name = "avant.csv")]
    history: Vec<PathBuf>,
    /// Qui connaît son propre chiffre : les contributeurs nommés (colonne owner), ou aussi quiconque est seul dans sa
    /// cellule. Par défaut : seul, si le tableau compte les contributeurs.
    #[arg(long, value_enum)]
    singletons: Option<SingletonsArg>,
    /// Tableau d’un producteur sur les mêmes cellules, que tout le monde connaît : exact=insee.csv, ou arrondi par lui :
    /// cnaf-arrondi=cnaf.csv. Rien n’y est caché ; ce qu’il dit de vos cellules compte.
    #[arg(long = "at-source", value_name = "NOM=producteur.csv")]
    at_source: Vec<AtSource>,
    /// Laisse montré ce qu’une règle cacherait, mais qui est déjà public (frozen, --history).
    #[arg(long)]
    keep_published: bool,
    /// Fichier à écrire : un par tableau, dans l’ordre, ou un dossier (nom/ ou existant).
    #[arg(short, long = "output", value_name = "out.csv", required_unless_present = "rules")]
    output: Vec<PathBuf>,
    /// Écrit aussi ce qui peut partir : codes, valeurs montrées et suppressed, sans aucune valeur cachée. Fichiers ou
    /// dossier comme pour -o.
    #[arg(long, value_name = "publiable.csv")]
    public: Vec<PathBuf>,
    /// Remplace les fichiers de sortie qui existent déjà. Sans cette option, rien n’est jamais écrasé.
    #[arg(long)]
    force: bool,
    /// Montre le catalogue des règles par producteur, avec leurs sources.
    #[arg(long)]
    rules: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ZerosArg {
    /// Montrés.
    Publish,
    /// Cachés.
    Protect,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum SingletonsArg {
    /// Ceux que la colonne owner nomme.
    Owner,
    /// Aussi quiconque est seul dans sa cellule.
    Alone,
}

impl From<SingletonsArg> for Singletons {
    fn from(argument: SingletonsArg) -> Self {
        match argument {
            SingletonsArg::Owner => Self::Named,
            SingletonsArg::Alone => Self::Alone,
        }
    }
}

/// Decides, then writes everything at once.
pub async fn run(args: ProtectArgs) -> Result<(), Stop> {
    if args.rules {
        println!("{}", rules());
        return Ok(());
    }
    let working = places(&args.output, &args.tables, "-o")?;
    let public = if args.public.is_empty() { Vec::new() } else { places(&args.public, &args.tables, "--public")? };
    let sources: Vec<PathBuf> = args.at_source.iter().map(|source| source.path.clone()).collect();
    let read = [args.tables.as_slice(), &args.history, &sources, args.hierarchy.as_slice()].concat();
    let written = [working.clone(), public.clone()].concat();
    distinct(&written, &read)?;
    // Before a long search, not after it. A folder that is not there yet is made at the end.
    let made_later = |path: &PathBuf| path.parent().is_some_and(|f| !f.as_os_str().is_empty() && !f.exists());
    let now: Vec<PathBuf> = written.iter().filter(|path| !made_later(path)).cloned().collect();
    node::tables::free(&now, args.force)?;
    let ask = Protect {
        tables: args.tables,
        hierarchy: args.hierarchy.unwrap_or_default(),
        rules: args.rule,
        primary: args.primary_column,
        width: args.width,
        zeros: args.zeros.map(|zeros| match zeros {
            ZerosArg::Publish => Zeros::Publish,
            ZerosArg::Protect => Zeros::Protect,
        }),
        history: args.history,
        singletons: args.singletons.map(Singletons::from),
        keep_published: args.keep_published,
        sources: args.at_source,
    };
    let progress = Progress::start(2, "Lecture des tableaux");
    let (outcome, progress) = aside(move || {
        let outcome = node::tables::protect(&ask, |stage| {
            if let Stage::Deciding { cells, primaries } = stage {
                progress.step(&french(&format!(
                    "{} dont {} à cacher : recherche des autres cellules à cacher",
                    counted(cells, "cellule", "cellules"),
                    primaries
                )));
            }
        });
        (outcome, progress)
    })
    .await?;
    progress.finish();
    let protected = match outcome? {
        Outcome::Protected(protected) => protected,
        Outcome::Refused { message, .. } => return Err(Stop::refused(message)),
    };
    let editions = working.iter().zip(&protected.working).chain(public.iter().zip(&protected.public));
    let files: Vec<(PathBuf, &[u8])> = editions.map(|(path, bytes)| (path.clone(), bytes.as_slice())).collect();
    for folder in files.iter().filter_map(|(path, _)| path.parent()) {
        std::fs::create_dir_all(folder).map_err(|error| {
            let message = format!("Le dossier {} ne peut pas être fait ({error}).", folder.display());
            Stop::failed(FailureKind::Precondition, french(&message))
        })?;
    }
    node::tables::write(&files, args.force)?;
    println!("{}", french(&summary(&protected)));
    for (path, _) in files {
        println!("✓ {}", path.display());
    }
    Ok(())
}

fn summary(protected: &Protected) -> String {
    let decision = &protected.decision;
    let hidden = decision.primary + decision.secondary;
    let mut lines: Vec<String> = protected.remarks.iter().map(|remark| format!("Remarque : {remark}")).collect();
    lines.push(format!(
        "{} : {} par les règles, {} pour les protéger ; {}.",
        counted(decision.cells, "cellule", "cellules"),
        counted(decision.primary, "cachée", "cachées"),
        counted(decision.secondary, "cachée", "cachées"),
        counted(decision.cells - hidden, "montrée", "montrées"),
    ));
    let kept = i64::try_from(decision.kept.0).ok().zip(i64::try_from(decision.kept.1).ok()).and_then(|(kept, all)| {
        let exact = render::Exact::whole;
        render::number::percent(exact(kept), exact(all), Decimals::new(1)?)
    });
    if let Some(kept) = kept {
        lines.push(format!("Valeur montrée : {kept} du total de toutes les cellules."));
    }
    if decision.primary > 0 {
        let mut besides = Vec::new();
        if decision.levels > 0 {
            besides.push(format!(
                "pour {}, ce que demandent leurs colonnes lpl, upl et spl ou leur règle",
                counted(decision.levels, "cellule", "cellules")
            ));
        }
        if decision.shares > 0 {
            besides.push(format!(
                "aussi pour {} de cellules d’un même contributeur",
                counted(decision.shares, "somme", "sommes")
            ));
        }
        if decision.contributors > 0 {
            besides.push(format!(
                "aussi devant {} de ses propres chiffres",
                counted(decision.contributors, "contributeur qui se sert", "contributeurs dont chacun se sert")
            ));
        }
        besides.insert(
            0,
            format!("Preuve : chaque cellule cachée par une règle garde un intervalle d’au moins {}", protected.width),
        );
        lines.push(format!(
            "{}. Vérifié sur {} en \
             nombres entiers.",
            besides.join(" ; "),
            counted(decision.proof, "tableau possible", "tableaux possibles"),
        ));
    }
    if let Some(threshold) = protected.narrower_than_threshold {
        lines.push(format!(
            "Attention : avec cette largeur, un lecteur peut encore savoir qu’un effectif est sous le seuil à peu près \
             exactement. Pour un seuil de {threshold}, --width {threshold} est l’usage."
        ));
    }
    lines.join("\n")
}

fn rules() -> String {
    let mut text = String::from("Règles du catalogue (maillage protect --rule NOM) :\n");
    for entry in catalogue::catalogue() {
        write!(
            text,
            "\n  {}\n    {} : {}\n    Source : {}\n",
            entry.name,
            entry.producer,
            french(entry.says),
            entry.source
        )
        .expect("a text takes everything");
    }
    text
}

/// Where each table goes: one file each, or all into a folder under their own names.
fn places(given: &[PathBuf], tables: &[PathBuf], option: &str) -> Result<Vec<PathBuf>, Stop> {
    let wrong = |message: String| Stop::failed(FailureKind::Invalid, french(&message));
    let folder = |path: &Path| path.is_dir() || path.as_os_str().to_string_lossy().ends_with(['/', '\\']);
    if let [only] = given
        && folder(only)
    {
        return Ok(tables.iter().map(|table| only.join(table.file_name().unwrap_or_default())).collect());
    }
    if given.len() != tables.len() {
        return Err(wrong(format!(
            "Donnez {option} une fois par tableau, dans le même ordre, ou un seul dossier ({option} sorties/) : {} pour {}.",
            counted(given.len(), "fichier", "fichiers"),
            counted(tables.len(), "tableau", "tableaux")
        )));
    }
    Ok(given.to_vec())
}

/// Nothing is written over what is read, nor twice.
fn distinct(written: &[PathBuf], read: &[PathBuf]) -> Result<(), Stop> {
    let full = |path: &PathBuf| {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
        path.canonicalize().unwrap_or_else(|_| folder.join(path.file_name().unwrap_or_default()))
    };
    let mut taken: Vec<PathBuf> = read.iter().map(full).collect();
    for path in written {
        let place = full(path);
        if taken.contains(&place) {
            return Err(Stop::failed(
                FailureKind::Invalid,
                french(&format!("{} serait écrasé : donnez un autre nom à la sortie.", path.display())),
            ));
        }
        taken.push(place);
    }
    Ok(())
}
