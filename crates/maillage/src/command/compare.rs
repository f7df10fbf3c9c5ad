//! `maillage compare`: one indicator, the communes as whoever asks may see them.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use hub::access::Credentials;
use hub::compare::file::Form;
use hub::compare::{Comparison, HubClient, Question, Shown};
use model::{Code, DimensionCode, FailureKind, IndicatorCode, Key, PackCode, Period, SystemClock};
use node::{Node, NodeFolder};
use render::{Column, Screen, Table};
use statistics::Reading;

use super::Stop;

/// Compare les communes sur un indicateur.
#[derive(Args)]
#[command(
    after_help = "Exemples :\n  maillage compare dom_demandes --period 2025\n  maillage compare aidfac_accords_part --period 2025 --at type_aide=energie\n  maillage compare log_rp --period 2018 --access ./coordination\n  maillage compare dom_demandes --period 2025 --node ./maillage-node\n  maillage compare aidfac_accords_part --period 2025 --format csv-fr --out comparaison.csv\n  maillage compare dom_demandes --period 2025 --format parquet --out comparaison.parquet"
)]
pub struct CompareArgs {
    /// Code de l’indicateur, par exemple `dom_demandes`.
    indicator: IndicatorCode,
    /// Période : 2025, 2025-S1, 2025-Q4 ou 2025-06.
    #[arg(long)]
    period: Period,
    /// Place dans la ventilation, CRITÈRE=MODALITÉ ; deux au plus. Rien : l’ensemble.
    #[arg(long = "at", value_parser = coordinate)]
    at: Vec<(DimensionCode, Code)>,
    /// Référentiel, si plusieurs ont cet indicateur.
    #[arg(long)]
    pack: Option<PackCode>,
    /// Dossier des accès de coordination remis par l’opérateur du centre.
    #[arg(long, default_value = "maillage-hub/coordinators/coordination", env = "MAILLAGE_ACCESS")]
    access: PathBuf,
    /// Dossier du nœud d’une commune : compare comme elle en a le droit, au lieu de la coordination.
    #[arg(long, conflicts_with = "access")]
    node: Option<PathBuf>,
    /// Forme : tableau à lire, CSV (virgules, point décimal), CSV pour un tableur français, JSON ou Parquet.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Fichier où écrire ; rien : l’écran.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Remplace le fichier s’il existe.
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
    CsvFr,
    Json,
    Parquet,
}

impl Format {
    /// The form of a file; `None` for what people read.
    fn form(self) -> Option<Form> {
        match self {
            Self::Table => None,
            Self::Csv => Some(Form::Csv),
            Self::CsvFr => Some(Form::CsvFr),
            Self::Json => Some(Form::Json),
            Self::Parquet => Some(Form::Parquet),
        }
    }
}

fn coordinate(text: &str) -> Result<(DimensionCode, Code), String> {
    let (dimension, code) = text.split_once('=').ok_or("écrivez CRITÈRE=MODALITÉ, par exemple sexe=F")?;
    Ok((dimension.parse().map_err(|e| format!("{e}"))?, code.parse().map_err(|e| format!("{e}"))?))
}

/// Asks the hub and prints what it answers.
pub async fn run(args: CompareArgs) -> Result<(), Stop> {
    let asker = Asker::open(args.node, &args.access).await?;
    let question = Question {
        indicator: args.indicator,
        period: args.period,
        key: args.at.into_iter().collect::<Key>(),
        pack: args.pack,
    };
    if args.format == Format::Parquet && args.out.is_none() && std::io::stdout().is_terminal() {
        return Err(Stop::failed(
            FailureKind::Invalid,
            "Un fichier Parquet ne se lit pas à l’écran : ajoutez --out comparaison.parquet.".to_owned(),
        ));
    }
    if let Some(out) = &args.out {
        // Before the hub is asked, not after it.
        node::tables::free(std::slice::from_ref(out), args.force)?;
    }
    let comparison = hub::compare::ask_through(&asker.connect().await?, &question).await?;
    let place = &question.key;
    let Some(out) = args.out else {
        match args.format.form() {
            Some(form) => hub::compare::file::write(&comparison, place, form, std::io::stdout().lock())?,
            None => println!("{}", show(&comparison, place, Screen::of(&std::io::stdout()))),
        }
        return Ok(());
    };
    let mut bytes = Vec::new();
    match args.format.form() {
        Some(form) => hub::compare::file::write(&comparison, place, form, &mut bytes)?,
        None => bytes.extend(format!("{}\n", show(&comparison, place, Screen::Plain)).into_bytes()),
    }
    node::tables::write(&[(out.clone(), &bytes)], args.force)?;
    println!("✓ {}", out.display());
    Ok(())
}

/// Who asks.
pub enum Asker {
    Person(Box<Credentials>),
    Commune(Box<Node>),
}

impl Asker {
    /// With the access in a folder, or as the commune of a node.
    pub async fn open(node: Option<PathBuf>, access: &Path) -> Result<Self, Stop> {
        Ok(match node {
            None => Self::Person(Box::new(Credentials::load(access)?)),
            Some(folder) => Self::Commune(Box::new(Node::open(NodeFolder::at(folder), super::world()).await?)),
        })
    }

    /// Connects to the hub.
    pub async fn connect(self) -> Result<HubClient, Stop> {
        match self {
            Self::Person(credentials) => Ok(hub::compare::connect(&credentials, Arc::new(SystemClock)).await?),
            Self::Commune(node) => {
                let client = node::sync::connect(&node).await;
                node.close().await;
                Ok(client?)
            }
        }
    }
}

/// The comparison as text.
pub fn show(comparison: &Comparison, place: &Key, screen: Screen) -> String {
    let heading = &comparison.heading;
    let mut out = String::new();
    if heading.fictional {
        out.push_str("DONNÉES FICTIVES\n");
    }
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "{} ({}) – {}{}\n{} {} · {} · définition {}\n\n",
        heading.title,
        heading.unit,
        render::date::period(heading.period),
        if place.is_empty() { String::new() } else { format!(" – {place}") },
        heading.pack,
        heading.pack_version,
        heading.indicator,
        &heading.definition.to_string()[..12],
    );
    let ratio = comparison.group.numerator.is_some() || comparison.communes.iter().any(|row| row.numerator.is_some());
    let mut columns = vec![Column::text("Commune"), Column::numbers("Valeur")];
    if ratio {
        columns.extend([
            Column::numbers("Numérateur"),
            Column::numbers("Dénominateur"),
            Column::numbers("Écart au groupe"),
        ]);
    }
    if let Some(reference) = &comparison.reference {
        columns.push(Column::numbers(reference.column()));
    }
    if comparison.spread.is_some() {
        columns.push(Column::text("Position"));
    }
    let mut table = Table::new(columns);
    for row in &comparison.communes {
        let mut cells = vec![format!("{} ({})", row.name, row.territory), text(row.value, false)];
        if ratio {
            cells.extend([
                optional(row.numerator, false),
                optional(row.denominator, false),
                optional(row.difference, true),
            ]);
        }
        if comparison.reference.is_some() {
            cells.push(optional(row.rate, false));
        }
        if let Some(spread) = &comparison.spread {
            cells.push(row.bands.map_or_else(String::new, |bands| spread.words(bands)));
        }
        table.push(cells);
    }
    let group = &comparison.group;
    let mut cells = vec![capital(&group.name), text(group.value, false)];
    if ratio {
        cells.extend([optional(group.numerator, false), optional(group.denominator, false), String::new()]);
    }
    if comparison.reference.is_some() {
        cells.push(optional(group.rate, false));
    }
    if comparison.spread.is_some() {
        cells.push(String::new());
    }
    table.push(cells);
    out.push_str(&table.draw(screen));
    if let Some(reason) = &group.reason {
        let _ = write!(out, "\n{reason}");
    }
    if let Some(reference) = &comparison.reference {
        let _ = write!(out, "\n{}", reference.sentence());
    }
    if let Some(spread) = &comparison.spread {
        let _ = write!(out, "\n{}", spread.sentence());
    }
    if let Some(sentence) = comparison.others.sentence() {
        let _ = write!(out, "\n{sentence}");
    }
    if comparison.communes.iter().any(|row| is_interval(row.value)) {
        out.push_str(
            "\nUn intervalle (« entre … et … », « au moins … ») est tout ce que permettent les chiffres montrés : la valeur est cachée par le secret statistique, ou dépend d’une valeur cachée.",
        );
    }
    out
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn is_interval(shown: Shown) -> bool {
    matches!(shown.reading, Reading::Interval { .. })
}

fn optional(shown: Option<Shown>, signed: bool) -> String {
    shown.map_or_else(String::new, |shown| text(shown, signed))
}

fn text(shown: Shown, signed: bool) -> String {
    render::reading::reading(shown.reading, shown.decimals, signed)
}
