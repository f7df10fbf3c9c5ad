//! `maillage hub import` and `maillage hub figures`: what producers publish for all communes at once.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use hub::compare::Shown;
use hub::import::{ImportPlan, ImportSummary};
use hub::public::{Edition, PublicEntry, PublicImport, PublicQuestion, PublicRow, PublicSeries};
use hub::{Hub, HubFolder};
use methodology::{Aggregation, PublicIndicator};
use model::{Code, CogYear, CommuneCode, IndicatorCode, Level, Period};
use render::number::counted;
use render::{Column, Screen, Table};
use statistics::{Reading, Silence};

use super::{Stop, world};
use crate::telemetry::say;
use crate::terminal::Progress;

/// How many names of communes a line lists.
const LISTED: usize = 12;

#[derive(Args)]
#[command(
    after_help = "Exemples :\n  maillage hub import FILO2019_DISP_COM.csv FILO2019_DISP_DEP.csv --dry-run\n  maillage hub import base_cc_comparateur.csv --by \"Awa Diallo\"\n  maillage hub import base_cc_comparateur.csv --replace   (le producteur a révisé ses chiffres)\n\nChaque fichier est reconnu à ses colonnes. Un nouveau millésime ou un nouveau producteur se décrit dans un fichier\ndu dossier layouts/ du centre."
)]
pub struct ImportArgs {
    /// Fichiers tels que le producteur les publie, sans les rouvrir dans un tableur.
    #[arg(required = true, value_name = "FICHIER")]
    files: Vec<PathBuf>,
    /// Aperçu seulement : rien n’est écrit.
    #[arg(long)]
    dry_run: bool,
    /// Accepte des chiffres révisés par leur producteur ; les anciens restent dans l’historique.
    #[arg(long)]
    replace: bool,
    /// Garde les communes de toute la France, non celles du seul département.
    #[arg(long)]
    all_communes: bool,
    /// Qui importe, pour le journal.
    #[arg(long, env = "USER", default_value = "exploitant du centre")]
    by: String,
}

#[derive(Args)]
#[command(
    after_help = "Exemples :\n  maillage hub figures                                   ce qui est là\n  maillage hub figures --indicator pauvrete_taux\n  maillage hub figures --indicator pop --period 2022 --geography 2025\n  maillage hub figures --indicator rsa_foyers --iris-of 93066\n  maillage hub figures --journal                         qui a importé quoi, et quand"
)]
pub struct FiguresArgs {
    /// Code de l’indicateur ; sans lui, la liste de ce qui est là.
    #[arg(long)]
    indicator: Option<IndicatorCode>,
    /// Période, par exemple 2019 ; toutes sinon.
    #[arg(long)]
    period: Option<Period>,
    /// Source, par exemple insee-filosofi ; toutes sinon.
    #[arg(long)]
    source: Option<Code>,
    /// Année de la géographie (communes au 1er janvier) ; toutes sinon.
    #[arg(long)]
    geography: Option<u16>,
    /// Les IRIS de cette commune, par exemple 93066, là où le producteur donne des chiffres par IRIS.
    #[arg(long, requires = "indicator", value_name = "CODE")]
    iris_of: Option<CommuneCode>,
    /// Le journal des imports, au lieu des chiffres.
    #[arg(long, conflicts_with_all = ["indicator", "period", "source", "geography"])]
    journal: bool,
}

/// Imports each file by itself: one that is refused stops no other.
pub async fn import(folder: HubFolder, args: ImportArgs) -> Result<(), Stop> {
    let hub = Hub::open(folder, world()).await?;
    let mut refused = 0;
    for path in &args.files {
        if let Err(failure) = one(&hub, path, &args).await {
            refused += 1;
            say!("✗ {}\n[{}]", failure.message, failure.reason);
        }
    }
    hub.close().await;
    if refused == 0 {
        return Ok(());
    }
    let taken = args.files.len() - refused;
    Err(Stop::refused(format!(
        "{} sur {}, {}.",
        counted(refused, "fichier refusé", "fichiers refusés"),
        args.files.len(),
        if args.dry_run { counted(taken, "lisible", "lisibles") } else { counted(taken, "traité", "traités") }
    )))
}

async fn one(hub: &Hub, path: &std::path::Path, args: &ImportArgs) -> Result<(), model::Failure> {
    let name = path.file_name().map_or_else(|| path.to_string_lossy(), |name| name.to_string_lossy());
    let bar = Arc::new(Progress::start(1, &format!("Lecture de {name}")));
    let moving = Arc::clone(&bar);
    let plan = hub.plan_import(path, args.all_communes, Arc::new(move |done, whole| moving.at(done, whole))).await;
    if let Ok(bar) = Arc::try_unwrap(bar) {
        bar.finish();
    }
    let plan: ImportPlan = plan?;
    println!("{}", preview(&plan.summary));
    if args.dry_run {
        println!("  Aperçu seulement : rien n’a été écrit.");
        return Ok(());
    }
    match hub.import_public(plan, &args.by, args.replace).await? {
        Some(number) => println!("  ✓ Import n° {number} enregistré."),
        None => println!("  ✓ Tout était déjà là : rien à écrire."),
    }
    Ok(())
}

fn preview(summary: &ImportSummary) -> String {
    let number = |count: u64| render::number::count(render::Exact::whole(i64::try_from(count).unwrap_or(i64::MAX)));
    let mut out = format!(
        "{}\n  Reconnu : {}, millésime {}, niveau {}.\n  {}\n",
        summary.file,
        summary.layout,
        summary.vintage,
        level_name(summary.level),
        summary.source_line
    );
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "  {} ; {} de côté. {} ; {} de côté.\n  {} : {}, {}, {}.\n  {}, {} déjà là, {}.",
        counted(summary.territories, "territoire gardé", "territoires gardés"),
        number(summary.aside),
        counted(summary.columns, "colonne de chiffres", "colonnes de chiffres"),
        counted(summary.ignored, "colonne", "colonnes"),
        counted(summary.values + summary.secret + summary.missing, "chiffre", "chiffres"),
        counted(summary.values, "valeur", "valeurs"),
        counted(summary.secret, "secret", "secrets"),
        counted(summary.missing, "absent", "absents"),
        counted(usize::try_from(summary.added).unwrap_or(usize::MAX), "nouveau", "nouveaux"),
        number(summary.unchanged),
        counted(usize::try_from(summary.revised).unwrap_or(usize::MAX), "révisé", "révisés"),
    );
    if !summary.revisions.is_empty() {
        let _ = write!(out, "\n  Révisés : {}.", summary.revisions.join(" ; "));
    }
    for (title, names) in [
        ("Colonnes que ce millésime n’a pas", &summary.absent),
        ("Communes du centre sans ligne dans ce fichier", &summary.lacking),
        ("Communes du département que le centre ne connaît pas", &summary.unknown),
    ] {
        if !names.is_empty() {
            let more = names.len().saturating_sub(LISTED);
            let listed = names.iter().take(LISTED).cloned().collect::<Vec<_>>().join(", ");
            let _ = write!(out, "\n  {title} : {listed}");
            if more > 0 {
                let _ = write!(out, " et {more} autres");
            }
            out.push('.');
        }
    }
    if summary.damaged_names {
        out.push_str("\n  Des noms de communes ont perdu leurs accents dans ce fichier ; seuls les codes servent, rien n’est perdu.");
    }
    out
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Iris => "IRIS",
        Level::Qpv => "quartier prioritaire",
        Level::Arrondissement => "arrondissement municipal",
        Level::Commune => "commune",
        Level::Grouping => "groupement de communes",
        Level::Departement => "département",
        Level::Region => "région",
        Level::Metropole => "France métropolitaine",
        Level::France => "France",
    }
}

/// What is there, or one indicator.
pub async fn figures(folder: HubFolder, args: FiguresArgs) -> Result<(), Stop> {
    let hub = Hub::open(folder, world()).await?;
    let screen = Screen::of(&std::io::stdout());
    let fictional = hub.config().fictional;
    let text = match args.indicator {
        None if args.journal => hub.public_imports().await.map(|imports| journal(&imports, screen)),
        None => hub.public_catalogue().await.map(|entries| catalogue(&entries, screen)),
        Some(indicator) => {
            let geography = args.geography.map(CogYear);
            let question = PublicQuestion { indicator, period: args.period, source: args.source, geography };
            hub.public_figures(&question)
                .await
                .map(|all| all.iter().map(|series| show(series, args.iris_of, screen)).collect::<Vec<_>>().join("\n\n"))
        }
    };
    hub.close().await;
    if fictional {
        println!("DONNÉES FICTIVES");
    }
    println!("{}", text?);
    Ok(())
}

fn catalogue(entries: &[PublicEntry], screen: Screen) -> String {
    if entries.is_empty() {
        return "Aucun chiffre public n’a encore été importé : maillage hub import FICHIER…".to_owned();
    }
    let mut table = Table::new([
        Column::text("Thème"),
        Column::text("Indicateur"),
        Column::text("Code"),
        Column::text("Source"),
        Column::text("Années"),
    ]);
    for entry in entries {
        let title = format!("{} ({})", entry.indicator.title, entry.indicator.unit);
        let code = entry.indicator.code.to_string();
        let years = entry.editions.iter().map(|one| year(one, &entry.indicator)).collect::<Vec<_>>().join(", ");
        table.push([entry.indicator.theme.clone(), title, code, entry.source.to_string(), years]);
    }
    table.draw(screen)
}

fn journal(imports: &[(u64, PublicImport)], screen: Screen) -> String {
    let mut table = Table::new([
        Column::numbers("N°"),
        Column::text("Date"),
        Column::text("Par"),
        Column::text("Fichier"),
        Column::text("Empreinte"),
        Column::text("Source, millésime, niveau"),
        Column::numbers("Nouveaux"),
        Column::numbers("Révisés"),
    ]);
    for (number, import) in imports {
        table.push([
            number.to_string(),
            render::date::moment(import.imported_at),
            import.imported_by.clone(),
            import.file_name.clone(),
            import.file_hash.to_string().chars().take(12).collect(),
            format!("{}, {}, {}", import.source, import.vintage, level_name(import.level)),
            import.added.to_string(),
            import.revised.to_string(),
        ]);
    }
    table.draw(screen)
}

fn year(edition: &Edition, indicator: &PublicIndicator) -> String {
    let adds = matches!(indicator.aggregation, Aggregation::Additive | Aggregation::Ratio);
    let levels = &edition.levels;
    let of = if levels.contains(&Level::Commune) || (adds && levels.contains(&Level::Iris)) {
        ""
    } else if levels.contains(&Level::Qpv) {
        ", quartiers prioritaires"
    } else if levels.contains(&Level::Iris) {
        ", par IRIS"
    } else {
        ", sans les communes"
    };
    format!("{} (géo. {}{of})", edition.period, edition.geography.0)
}

/// A series as text.
fn show(series: &PublicSeries, iris_of: Option<CommuneCode>, screen: Screen) -> String {
    let indicator = &series.indicator;
    let mut out = format!(
        "{} ({}) – {}\n{} au 1er janvier {} · {}\n\n",
        indicator.title,
        indicator.unit,
        render::date::period(series.period),
        if series.communes.is_empty() { "Territoires" } else { "Communes" },
        series.geography.0,
        indicator.code,
    );
    let quarters = |row: &&PublicRow| match row.area.level() {
        Level::Iris => iris_of.is_some_and(|commune| row.area.code().starts_with(commune.as_str())),
        _ => true,
    };
    let rows = || series.communes.iter().chain(series.quarters.iter().filter(quarters)).chain(&series.references);
    let ratio = rows().any(|row| row.numerator.is_some());
    let mut columns = vec![Column::text("Territoire"), Column::numbers("Valeur")];
    if ratio {
        columns.extend([Column::numbers("Numérateur"), Column::numbers("Dénominateur")]);
    }
    let mut table = Table::new(columns);
    for row in rows() {
        let mut cells = vec![name(row), text(row.value)];
        if ratio {
            cells.extend([row.numerator.map(text).unwrap_or_default(), row.denominator.map(text).unwrap_or_default()]);
        }
        table.push(cells);
    }
    let group = &series.group;
    if group.reason.is_none() {
        table.push([group.name.clone(), text(group.value)]);
    }
    out.push_str(&table.draw(screen));
    let mut notes: Vec<String> = group.reason.iter().cloned().collect();
    if group.reason.is_none() && group.counted < group.expected {
        notes.push(format!(
            "Sans chiffre, et hors de l’ensemble, qui n’est donc pas celui du département : {}.",
            group.lacking.join(", ")
        ));
    }
    notes.extend(series.notes.iter().cloned());
    let hidden = series.quarters.iter().filter(|row| !quarters(row)).count();
    if hidden > 0 && iris_of.is_none() {
        notes.push(format!(
            "{} : ajoutez --iris-of CODE pour ceux d’une commune.",
            counted(hidden, "IRIS dans le fichier", "IRIS dans le fichier")
        ));
    }
    if let Some(sheet) = &indicator.sheet {
        notes.push(format!("Ce qui est compté : {}", sheet.population));
        notes.push(format!("Comment lire : {}", sheet.how_to_read));
        notes.push(format!("Comment ne pas lire : {}", sheet.how_not_to_read));
        notes.extend(sheet.limits.iter().map(|limit| format!("Limite : {limit}")));
        notes.push(format!("Périodicité : {}", sheet.periodicity));
        if !sheet.lag.is_empty() {
            notes.push(format!("Délai : {}", sheet.lag));
        }
    }
    notes.push(format!("Source : {} {}", series.source_line, series.url));
    for file in &series.files {
        notes.push(format!("Fichier {}, importé le {}.", file.name, render::date::day(file.imported_at)));
    }
    for note in notes {
        let _ = write!(out, "\n{note}");
    }
    out
}

fn name(row: &PublicRow) -> String {
    let name = match row.area.level() {
        Level::Metropole | Level::France | Level::Qpv => row.name.clone(),
        Level::Departement => format!("{} (département {})", row.name, row.area.code()),
        Level::Region => format!("{} (région)", row.name),
        _ => format!("{} ({})", row.name, row.area.code()),
    };
    if row.revised { format!("{name} – révisé") } else { name }
}

fn text(shown: Shown) -> String {
    let number = |value: f64| render::number::approximate(value, shown.decimals).unwrap_or_else(|| "–".to_owned());
    match shown.reading {
        Reading::Value(value) => number(value),
        Reading::Interval { .. } if shown.suppressed => "secret".to_owned(),
        Reading::Interval { low, high: Some(high) } => format!("entre {} et {}", number(low), number(high)),
        Reading::Interval { low, high: None } => format!("au moins {}", number(low)),
        Reading::Silence(silence) => match silence {
            Silence::NotReceived => "absent du fichier",
            Silence::NotCollected => "non disponible",
            Silence::NotYetAvailable => "pas encore disponible",
            Silence::NotApplicable => "sans objet",
            Silence::ZeroDenominator => "sans objet (dénominateur nul)",
            Silence::NotAdditive => "ne s’agrège pas",
            Silence::Withdrawn => "retiré",
            Silence::NotShared => "non partagé",
            Silence::NotShown => "non montré",
        }
        .to_owned(),
    }
}
