//! Files of public figures: recognised by a layout, read as that layout says, or refused whole.
//!
//! Nothing here is confidential, and nothing is guessed either: a file that no layout fits, or that two fit, is
//! refused with what was missing; a cell that is neither a number nor a declared marker refuses the file. Zero, secret,
//! missing and not applicable stay four different things.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use methodology::{Dated, Layout, LayoutColumn, Vintage};
use model::{Area, Figure, IndicatorCode, Level};

use crate::fault::{Fault, FaultCause, Faults};
use crate::read::decode;

mod cells;
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
    /// Its line in the file, from 1.
    pub line: u64,
    /// One per column; `None` where the territory does not exist in the column's geography.
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
    /// Optional columns that the file lacks.
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
    /// Required columns that the file lacks.
    pub missing: Vec<String>,
}

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No layout fits; the nearest ones first.
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
    let used = places.columns.len() + 1 + usize::from(layout.label.is_some());
    let named = found.header.iter().filter(|name| !name.is_empty()).count();
    let mut faults = Faults::default();
    let file = cells::File { name, text: &text, layout, header: &found.header, places: &places, hint: &found.hint };
    let (mut rows, aside) = file.rows(scope, &mut faults);
    once(name, layout, &rows, &mut faults);
    if !faults.is_empty() {
        return Err(faults.into());
    }
    rows.sort_by(|left, right| left.area.cmp(&right.area));
    Ok(PublicTable {
        layout: found.layout,
        vintage: found.vintage,
        level: found.hint.level,
        columns: places.columns.iter().map(|(column, _)| described(column, vintage)).collect(),
        rows,
        aside,
        ignored: named.saturating_sub(used),
        absent: places.absent,
        damaged_names: text.contains('\u{fffd}'),
    })
}

fn described(column: &LayoutColumn, vintage: &Vintage) -> PublicColumn {
    PublicColumn {
        name: Layout::column_name(column, vintage),
        indicator: column.indicator.code.clone(),
        decimals: column.indicator.decimals,
        dated: Layout::dated(column, vintage),
    }
}

/// Where what the layout names stands in the file.
struct Places<'a> {
    territory: usize,
    columns: Vec<(&'a LayoutColumn, usize)>,
    /// Year and geography of each.
    dated: Vec<Dated>,
    absent: Vec<String>,
}

fn places<'a>(file: &str, layout: &'a Layout, vintage: &Vintage, header: &[String]) -> Result<Places<'a>, Faults> {
    let mut faults = Faults::default();
    let mut place = |wanted: &str| {
        let mut at = header.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(index, _)| index);
        let first = at.next();
        if first.is_some() && at.next().is_some() {
            let message =
                "Deux colonnes portent ce nom : retirez celle qui est de trop, ou reprenez le fichier du producteur.";
            faults.push(Fault::of_file(file, FaultCause::DuplicateColumn, message).at_line(1).in_column(wanted));
        }
        first
    };
    let territory = place(&layout.territory).expect("recognised by this column");
    let mut columns = Vec::new();
    let mut absent = Vec::new();
    for column in &layout.columns {
        let name = Layout::column_name(column, vintage);
        match place(&name) {
            Some(index) => columns.push((column, index)),
            None => absent.push(name),
        }
    }
    let dated = columns.iter().map(|(column, _)| Layout::dated(column, vintage)).collect();
    if faults.is_empty() { Ok(Places { territory, columns, dated, absent }) } else { Err(faults) }
}

/// One line per territory: of two, nobody can say which is right.
fn once(file: &str, layout: &Layout, rows: &[PublicRow], faults: &mut Faults) {
    let mut seen: HashMap<&Area, u64> = HashMap::new();
    for row in rows {
        if let Some(first) = seen.insert(&row.area, row.line) {
            let message = format!(
                "Le territoire {} est déjà à la ligne {first} : retirez la ligne de trop, ou reprenez le fichier du producteur.",
                row.area.code()
            );
            let fault = Fault::of_file(file, FaultCause::DuplicateKey, message);
            faults.push(fault.at_line(row.line).in_column(&layout.territory));
        }
    }
}
