//! Files of public figures: recognised by a layout, read as that layout says, or refused whole.
//!
//! Nothing here is confidential, and nothing is guessed either: a file that no layout fits, or that two fit, is
//! refused with what was missing; a cell that is neither a number nor a declared marker refuses the file. Zero, secret,
//! missing and not applicable stay four different things.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use methodology::{Dated, Layout, LayoutColumn, Only, Vintage};
use model::{Area, Figure, IndicatorCode, Level};

use crate::fault::{Fault, FaultCause, Faults};
use crate::read::decode;

mod cells;
mod gather;
mod recognise;
#[cfg(test)]
mod tests;

/// A larger file is none of those that producers publish for communes, and would not fit in memory twice.
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// What to take of a file.
pub struct Scope<'a> {
    /// Whether this territory's figures are kept; its line is checked for damage either way.
    pub keep: &'a dyn Fn(&Area) -> bool,
    /// Whether this territory exists in this geography: a commune absorbed in 2025 has no figure of geography 2025.
    pub exists: &'a dyn Fn(&Area, model::CogYear) -> bool,
    /// Told how many bytes of how many are read.
    pub progress: &'a dyn Fn(u64, u64),
}

/// One column of figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicColumn {
    /// Its name in the file.
    pub name: String,
    /// What it carries.
    pub indicator: IndicatorCode,
    /// Decimal places of its units.
    pub decimals: model::Decimals,
    /// Year and geography.
    pub dated: Dated,
}

/// One territory's figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicRow {
    /// Which.
    pub area: Area,
    /// Its first line in the file, from 1.
    pub line: u64,
    /// One per column; `None` where the territory does not exist in the column's geography, or where the file has no
    /// row of the column's year for it.
    pub figures: Vec<Option<Figure>>,
}

/// What a file says.
#[derive(Clone, Debug, PartialEq)]
pub struct PublicTable {
    /// The layout it was read with: its place among those given.
    pub layout: usize,
    /// The vintage: its place among those of the layout.
    pub vintage: usize,
    /// What kind of territory its rows are.
    pub level: Level,
    /// Its columns of figures.
    pub columns: Vec<PublicColumn>,
    /// Rows that were kept, in ascending order of territory.
    pub rows: Vec<PublicRow>,
    /// Rows of other territories.
    pub aside: u64,
    /// Columns that the layout says nothing of.
    pub ignored: usize,
    /// Optional columns that the file lacks, and kinds of rows of which it has none at all: of a kind that its edition may
    /// not know, nobody can say that there is zero.
    pub absent: Vec<String>,
    /// Whether letters of names were lost before the file came here; names are not stored.
    pub damaged_names: bool,
}

/// How near a layout came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    /// Its code.
    pub layout: String,
    /// Which vintage.
    pub vintage: String,
    /// How many of its required columns the file has; never none.
    pub known: usize,
    /// Required columns that the file lacks.
    pub missing: Vec<String>,
}

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No layout fits. Those of which the file has a meaningful number of columns, the nearest first; often none.
    #[error("no layout fits")]
    Unknown(Vec<Near>),
    /// Several fit: `layout, vintage, level`.
    #[error("several layouts fit")]
    Ambiguous(Vec<String>),
    /// The layout fits, but neither rows nor the name of the file tell which kind of territory it is about.
    #[error("the level of the territories cannot be told")]
    Level {
        /// The layout's code.
        layout: String,
        /// Levels that it may be.
        levels: Vec<Level>,
    },
    /// Columns fit, but only the name of the file can tell what or which year it is about, and it does not.
    #[error("the name of the file does not tell what it is")]
    Name {
        /// Codes of the layouts whose columns fit.
        layouts: Vec<String>,
        /// Parts of names, one of which the file must have.
        wanted: Vec<String>,
    },
    /// The file is damaged or says something that it may not.
    #[error(transparent)]
    Faults(#[from] Faults),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Faults(fault.into())
    }
}

/// The bytes of a file, unless it is larger than [`MAX_BYTES`].
pub fn bytes(path: &Path, name: &str) -> Result<Vec<u8>, Fault> {
    let unreadable = || {
        Fault::of_file(
            name,
            FaultCause::Unreadable,
            "Le fichier est introuvable ou illisible : vérifiez son chemin et les droits de lecture.",
        )
    };
    let too_large = || {
        Fault::of_file(
            name,
            FaultCause::TooLarge,
            format!(
                "Le fichier dépasse {} Mio : ce n’est pas un fichier de chiffres communaux. Est-ce un fichier détail (une ligne par logement ou par personne) ?",
                MAX_BYTES / (1024 * 1024)
            ),
        )
    };
    let file = File::open(path).map_err(|_| unreadable())?;
    let metadata = file.metadata().map_err(|_| unreadable())?;
    if !metadata.is_file() {
        return Err(unreadable());
    }
    if metadata.len() > MAX_BYTES {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    // One byte beyond the limit tells a file that grew since its size was asked.
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|_| unreadable())?;
    if bytes.len() as u64 > MAX_BYTES { Err(too_large()) } else { Ok(bytes) }
}

/// Reads `bytes` with the one layout that fits; `name` is the name of the file, without its folder.
///
/// # Errors
/// No layout or several; or every fault of the file, in the order of its lines.
pub fn read(layouts: &[Layout], name: &str, bytes: &[u8], scope: &Scope<'_>) -> Result<PublicTable, Refusal> {
    let text = decode::lenient(name, bytes)?;
    let found = recognise::recognise(layouts, name, &text)?;
    let layout = &layouts[found.layout];
    let vintage = &layout.vintages[found.vintage];
    let places = places(name, layout, vintage, &found.header)?;
    let named = found.header.iter().filter(|name| !name.is_empty()).count();
    let mut faults = Faults::default();
    let file = cells::File {
        name,
        text: &text,
        layout,
        vintage,
        separator: found.separator,
        header: &found.header,
        places: &places,
        hint: &found.hint,
    };
    let mut gathered = gather::Gathered::new(&places, layout.folds());
    let aside = file.rows(scope, &mut gathered, &mut faults);
    if !faults.is_empty() {
        return Err(faults.into());
    }
    let used = places.used(layout);
    let (columns, rows, unknown) = gathered.table(vintage);
    Ok(PublicTable {
        layout: found.layout,
        vintage: found.vintage,
        level: found.hint.level,
        columns,
        rows,
        aside,
        ignored: named.saturating_sub(used),
        absent: places.absent.into_iter().chain(unknown).collect(),
        damaged_names: text.contains('\u{fffd}'),
    })
}

/// Where what the layout names stands in the file.
struct Places<'a> {
    territory: usize,
    /// The column of the row's year.
    year: Option<usize>,
    columns: Vec<Place<'a>>,
    absent: Vec<String>,
}

/// One column of figures.
struct Place<'a> {
    column: &'a LayoutColumn,
    at: usize,
    /// Where all rows are about one year.
    dated: Option<Dated>,
    /// Which rows count.
    only: Vec<(&'a Only, usize)>,
}

impl Places<'_> {
    /// How many columns of the file are read.
    fn used(&self, layout: &Layout) -> usize {
        let figures =
            self.columns.iter().flat_map(|place| std::iter::once(place.at).chain(place.only.iter().map(|(_, at)| *at)));
        let all: BTreeSet<usize> = figures.chain([self.territory]).chain(self.year).collect();
        all.len() + usize::from(layout.label.is_some())
    }
}

/// The column, and which rows of it count.
fn label(column: &LayoutColumn, vintage: &Vintage) -> String {
    let name = Layout::column_name(column, vintage);
    let rows: Vec<String> =
        column.only.iter().map(|only| format!("{} = {}", only.column, only.texts.join(", "))).collect();
    if rows.is_empty() { name } else { format!("{name} ({})", rows.join(" ; ")) }
}

fn places<'a>(file: &str, layout: &'a Layout, vintage: &Vintage, header: &[String]) -> Result<Places<'a>, Faults> {
    let mut faults = Faults::default();
    let mut known: BTreeMap<String, Option<usize>> = BTreeMap::new();
    let mut place = |wanted: &str| {
        if let Some(at) = known.get(wanted) {
            return *at;
        }
        let mut at = header.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(index, _)| index);
        let first = at.next();
        if first.is_some() && at.next().is_some() {
            let message =
                "Deux colonnes portent ce nom : retirez celle qui est de trop, ou reprenez le fichier du producteur.";
            faults.push(Fault::of_file(file, FaultCause::DuplicateColumn, message).at_line(1).in_column(wanted));
        }
        known.insert(wanted.to_owned(), first);
        first
    };
    let territory = place(&layout.territory).expect("recognised by this column");
    let year = layout.shape.year.as_deref().and_then(&mut place);
    let mut columns = Vec::new();
    let mut absent = Vec::new();
    for column in &layout.columns {
        let at = place(&Layout::column_name(column, vintage));
        let only: Option<Vec<(&Only, usize)>> =
            column.only.iter().map(|only| Some((only, place(&only.column)?))).collect();
        match (at, only) {
            (Some(at), Some(only)) => {
                let dated = year.is_none().then(|| Layout::dated(column, vintage, None));
                columns.push(Place { column, at, dated, only });
            }
            _ => absent.push(label(column, vintage)),
        }
    }
    if faults.is_empty() { Ok(Places { territory, year, columns, absent }) } else { Err(faults) }
}
