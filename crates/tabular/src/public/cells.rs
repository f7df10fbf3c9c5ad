//! Rows and cells: exactly what the layout says, or a fault.

use methodology::{Layout, LayoutColumn, LevelHint};
use model::{Area, Figure, Level};

use super::recognise::{area, reader};
use super::{Places, PublicRow, Scope};
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
    pub(super) header: &'a [String],
    pub(super) places: &'a Places<'a>,
    pub(super) hint: &'a LevelHint,
}

impl File<'_> {
    /// Rows that are kept, and how many are not.
    pub(super) fn rows(&self, scope: &Scope<'_>, faults: &mut Faults) -> (Vec<PublicRow>, u64) {
        let mut rows = Vec::new();
        let (mut aside, mut seen) = (0, 0);
        let total = self.text.len() as u64;
        let mut place = Lines::new(self.text);
        let mut records = reader(self.text, self.layout.separator);
        let mut record = csv::StringRecord::new();
        while matches!(records.read_record(&mut record), Ok(true)) {
            let byte = record.position().map_or(0, csv::Position::byte);
            let line = place.advance(byte);
            seen += 1;
            if seen % STRIDE == 0 {
                (scope.progress)(byte, total);
            }
            if seen == 1 || record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            match self.territory(&record) {
                Err(fault) => faults.push(fault.at_line(line)),
                Ok(area) if !(scope.keep)(&area) => aside += 1,
                Ok(area) => {
                    let figures = self.figures(&record, &area, line, scope, faults);
                    rows.push(PublicRow { area, line, figures });
                }
            }
        }
        (scope.progress)(total, total);
        (rows, aside)
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

    fn figures(
        &self,
        record: &csv::StringRecord,
        area: &Area,
        line: u64,
        scope: &Scope<'_>,
        faults: &mut Faults,
    ) -> Vec<Option<Figure>> {
        let mut figures = Vec::with_capacity(self.places.columns.len());
        for ((column, place), dated) in self.places.columns.iter().zip(&self.places.dated) {
            let cell = record.get(*place).unwrap_or_default();
            let figure = match figure(self.layout, column, cell) {
                Ok(figure) => figure,
                Err((cause, message)) => {
                    faults.push(self.fault(cause, &self.header[*place], message).at_line(line));
                    continue;
                }
            };
            if (scope.exists)(area, dated.geography) {
                figures.push(Some(figure));
                continue;
            }
            if figure.observed().is_some() {
                let message = format!(
                    "{} n’existe pas dans la géographie {} de cette colonne, et y a pourtant un chiffre : le fichier est-il d’un autre millésime ?",
                    area.code(),
                    dated.geography.0
                );
                faults.push(self.fault(FaultCause::Constraint, &self.header[*place], message).at_line(line));
            }
            figures.push(None);
        }
        figures
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

/// A number with a decimal mark that the layout allows. A single mark is the decimal one: no layout groups by marks.
fn number(layout: &Layout, column: &LayoutColumn, text: &str) -> Number {
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
