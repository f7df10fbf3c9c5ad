//! Rows and cells: exactly what the layout says, or a fault.

use methodology::{Fold, Layout, LayoutColumn, LevelHint, Shape, Vintage};
use model::{Area, Figure, Level};

use super::gather::{Cell, Gathered, ReadRow};
use super::recognise::{area, reader};
use super::{Place, Places, Scope};
use crate::fault::{Fault, FaultCause, Faults, cut};
use crate::read::lines::Lines;
use crate::read::number::{Number, read};
use crate::source::DecimalMark;

/// How many rows between two words of progress.
const STRIDE: u64 = 500;

/// A file being read.
pub(super) struct File<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    pub(super) layout: &'a Layout,
    pub(super) vintage: &'a Vintage,
    pub(super) separator: char,
    pub(super) header: &'a [String],
    pub(super) places: &'a Places<'a>,
    pub(super) hint: &'a LevelHint,
}

impl File<'_> {
    /// Gathers the rows that are kept; answers how many are not.
    pub(super) fn rows(&self, scope: &Scope<'_>, gathered: &mut Gathered<'_>, faults: &mut Faults) -> u64 {
        let (mut aside, mut seen) = (0, 0);
        let head = self.layout.shape.head() as u64;
        let total = self.text.len() as u64;
        let mut place = Lines::new(self.text);
        let mut records = reader(self.text, self.separator);
        let mut record = csv::StringRecord::new();
        while matches!(records.read_record(&mut record), Ok(true)) {
            let byte = record.position().map_or(0, csv::Position::byte);
            let line = place.advance(byte);
            seen += 1;
            if seen % STRIDE == 0 {
                (scope.progress)(byte, total);
            }
            if seen <= head || record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            match self.territory(&record).and_then(|area| Ok((area, self.year(&record)?))) {
                Err(fault) => faults.push(fault.at_line(line)),
                Ok((area, _)) if !(scope.keep)(&area) => {
                    aside += 1;
                    gathered.saw(|place| counts(place, &record));
                }
                Ok((area, year)) => {
                    let cells = self.cells(&record, &area, (line, year), scope, faults);
                    let read = ReadRow { area, line, year, cells };
                    if let Err((cause, message)) = gathered.add(read) {
                        faults.push(self.fault(cause, &self.layout.territory, message).at_line(line));
                    }
                }
            }
        }
        (scope.progress)(total, total);
        aside
    }

    fn fault(&self, cause: FaultCause, column: &str, message: impl Into<String>) -> Fault {
        Fault::of_file(self.name, cause, message).in_column(column)
    }

    /// The territory of a row that has as many cells as the header.
    fn territory(&self, record: &csv::StringRecord) -> Result<Area, Fault> {
        let column = &self.layout.territory;
        let code = record.get(self.places.territory).unwrap_or_default().trim();
        if code.starts_with('\u{feff}') || code == column {
            let message = "Un second en-tête se trouve au milieu du fichier : deux fichiers ont été mis bout à bout. Importez-les l’un après l’autre.";
            return Err(self.fault(FaultCause::Header, column, message));
        }
        let beyond = record.iter().skip(self.header.len()).any(|cell| !cell.trim().is_empty());
        if record.len() < self.header.len() || beyond {
            let message = format!(
                "La ligne a {} cases pour {} colonnes : elle est coupée, ou un séparateur se trouve dans une case. Reprenez le fichier du producteur.",
                record.len(),
                self.header.len()
            );
            return Err(Fault::of_file(self.name, FaultCause::Ragged, message));
        }
        area(self.hint, code).ok_or_else(|| {
            let communes = matches!(self.hint.level, Level::Commune | Level::Arrondissement);
            if communes && code.len() == 4 && code.bytes().all(|b| b.is_ascii_digit()) {
                let message = format!(
                    "Le code {code} n’a que quatre chiffres : un tableur a supprimé le zéro de tête (0{code}). Reprenez le fichier du producteur sans l’ouvrir dans un tableur."
                );
                return self.fault(FaultCause::DamagedCode, column, message);
            }
            let message = format!("« {} » n’est pas un code de niveau « {} ».", cut(code), self.hint.level);
            self.fault(FaultCause::UnknownCode, column, message)
        })
    }

    /// The year of a row, where rows have one.
    fn year(&self, record: &csv::StringRecord) -> Result<Option<u16>, Fault> {
        let Some(place) = self.places.year else { return Ok(None) };
        let text = record.get(place).unwrap_or_default();
        Shape::row_year(text).map(Some).ok_or_else(|| {
            let message = format!(
                "« {} » n’est pas une année (2018, ou 2021-2022 pour une année scolaire) : reprenez le fichier du producteur.",
                cut(text.trim())
            );
            self.fault(FaultCause::Type, &self.header[place], message)
        })
    }

    /// One cell per column of figures; fewer where there are faults, which refuse the whole file anyway.
    fn cells(
        &self,
        record: &csv::StringRecord,
        area: &Area,
        (line, year): (u64, Option<u16>),
        scope: &Scope<'_>,
        faults: &mut Faults,
    ) -> Vec<Cell> {
        let mut cells = Vec::with_capacity(self.places.columns.len());
        for place in &self.places.columns {
            let dated = place.dated.unwrap_or_else(|| Layout::dated(place.column, self.vintage, year));
            let exists = (scope.exists)(area, dated.geography);
            if !counts(place, record) {
                cells.push(if exists { Cell::Other } else { Cell::Nowhere });
                continue;
            }
            let cell = record.get(place.at).unwrap_or_default();
            let read = match place.column.fold {
                Some(Fold::Count) => Ok(Figure::Observed(place.column.indicator.decimals.one())),
                _ => figure(self.layout, place.column, cell),
            };
            let figure = match read {
                Ok(figure) => figure,
                Err((cause, message)) => {
                    faults.push(self.fault(cause, &self.header[place.at], message).at_line(line));
                    continue;
                }
            };
            if exists {
                cells.push(Cell::Figure(figure));
                continue;
            }
            if figure.observed().is_some() {
                let message = format!(
                    "{} n’existe pas dans la géographie {} de cette colonne, et y a pourtant un chiffre : le fichier est-il d’un autre millésime ?",
                    area.code(),
                    dated.geography.0
                );
                faults.push(self.fault(FaultCause::Constraint, &self.header[place.at], message).at_line(line));
            }
            cells.push(Cell::Nowhere);
        }
        cells
    }
}

/// What a cell says.
fn figure(layout: &Layout, column: &LayoutColumn, cell: &str) -> Result<Figure, (FaultCause, String)> {
    let text = cell.trim();
    if text.is_empty() {
        return Ok(column.blank);
    }
    if let Some(silence) = layout.silence(text) {
        return Ok(silence);
    }
    match number(layout, column, text) {
        Number::Units { units, .. } if units < 0 && !column.signed => Err((
            FaultCause::Constraint,
            "Un nombre négatif, là où il ne peut y en avoir : vérifiez la colonne.".to_owned(),
        )),
        Number::Units { units, .. } => Ok(Figure::Observed(units)),
        Number::Ambiguous => Err((
            FaultCause::Ambiguous,
            "Ce nombre se lit de deux façons (signe décimal ou séparateur de milliers) : reprenez le fichier du producteur.".to_owned(),
        )),
        Number::Not => Err((
            FaultCause::Type,
            "Ni un nombre écrit comme le format le dit, ni un signe de secret ou d’absence connu : reprenez le fichier du producteur, ou complétez le format.".to_owned(),
        )),
    }
}

/// A number with a decimal mark that the layout allows, and a percent sign where the unit is one. A single mark is the decimal one: no layout groups by marks.
fn number(layout: &Layout, column: &LayoutColumn, text: &str) -> Number {
    let percent = column.indicator.unit.starts_with('%');
    let text = if percent { text.strip_suffix('%').map_or(text, str::trim_end) } else { text };
    // Most cells of most files, and a million of them in a file of all France.
    if text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit()) {
        let whole = text.bytes().fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        return whole
            .checked_mul(column.indicator.decimals.one())
            .map_or(Number::Not, |units| Number::Units { units, rounded: false });
    }
    let mark = |c: char| matches!(c, ',' | '.');
    // `12,` is a number cut short.
    if text.ends_with(mark) || (!layout.grouped && text.contains(char::is_whitespace)) {
        return Number::Not;
    }
    let mut marks = text.chars().filter(|c| mark(*c));
    let decimal = match (marks.next(), marks.next()) {
        (Some(_), Some(_)) => return Number::Ambiguous,
        (Some(one), None) if !layout.decimal_marks.contains(&one) => return Number::Ambiguous,
        (Some('.'), None) => DecimalMark::Point,
        (None, _) | (Some(_), None) => DecimalMark::Comma,
    };
    read(text, column.indicator.decimals, decimal)
}

/// Whether a row is one of those that a column is about.
fn counts(place: &Place<'_>, record: &csv::StringRecord) -> bool {
    place.only.iter().all(|(only, at)| only.takes(record.get(*at).unwrap_or_default()))
}
