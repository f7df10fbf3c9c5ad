//! Rows: codes to nodes, figures to integers.

use std::collections::HashMap;

use disclosure::tables::{Dimension, Frozen, Row, Table};
use model::Decimals;

use super::{GridFile, MOST_ROWS};
use crate::fault::{Fault, FaultCause, Faults, cut};
use crate::read::lines::Lines;
use crate::read::number::{Number, read};
use crate::source::DecimalMark;

/// Contributors by name, the same over all files.
#[derive(Default)]
pub struct Owners(HashMap<String, u32>);

/// The finest figures that are computed with.
const FINEST: u8 = 9;

type Refused = (FaultCause, String);

impl GridFile {
    /// Every record after the header that is not blank, with its place in the text.
    pub(super) fn each(&self, mut each: impl FnMut(&csv::StringRecord) -> Result<(), Faults>) -> Result<(), Faults> {
        let mut reader = crate::read::reader(&self.text, self.separator);
        let mut record = csv::StringRecord::new();
        let mut header = true;
        while matches!(reader.read_record(&mut record), Ok(true)) {
            if !std::mem::replace(&mut header, false) && !record.iter().all(|cell| cell.trim().is_empty()) {
                each(&record)?;
            }
        }
        Ok(())
    }

    /// How many rows there are and how many decimals they use. Nothing is kept: ten million rows are refused here.
    pub(super) fn measure(&self) -> Result<(usize, u8), Faults> {
        let (mut rows, mut places) = (0_usize, 0_u8);
        let columns = &self.columns;
        let figures = [columns.top1, columns.top2, columns.lb, columns.ub, columns.lpl, columns.upl, columns.spl];
        let figures: Vec<usize> = figures.into_iter().flatten().collect();
        self.each(|record| {
            rows += 1;
            if rows > MOST_ROWS {
                return Err(too_many(&self.name).into());
            }
            let hidden = self.attacked
                && columns.suppressed.and_then(|at| record.get(at)).is_some_and(|cell| cell.trim() == "1");
            let value = (!hidden).then_some(columns.value);
            for cell in figures.iter().copied().chain(value).filter_map(|at| record.get(at)) {
                while places < FINEST
                    && self.number(cell, places).is_err_and(|(cause, _)| cause == FaultCause::Constraint)
                {
                    places += 1;
                }
            }
            Ok(())
        })?;
        if rows == 0 {
            return Err(Fault::of_file(
                &self.name,
                FaultCause::Empty,
                "Le fichier n’a que son en-tête : l’export est-il complet ?",
            )
            .into());
        }
        Ok((rows, places))
    }

    /// The rows, in units of `decimals`, which are at least those that the file uses.
    ///
    /// # Errors
    /// Every row that does not read.
    pub fn table(&self, dimensions: &[Dimension], decimals: u8, owners: &mut Owners) -> Result<Table, Faults> {
        let mut faults = Faults::default();
        let mut table = Table {
            dimensions: self.columns.dimensions.iter().map(|&(_, dimension)| dimension).collect(),
            nodes: Vec::with_capacity(self.rows * self.columns.dimensions.len()),
            rows: Vec::with_capacity(self.rows),
            says_primary: self.columns.marks.is_some(),
        };
        let mut place = Lines::new(&self.text);
        self.each(|record| {
            let line = place.advance(record.position().map_or(0, csv::Position::byte));
            let before = faults.total;
            let mut fault = |column: Option<usize>, (cause, message): Refused| {
                let fault = Fault::of_file(&self.name, cause, message).at_line(line);
                faults.push(match column {
                    Some(column) => fault.in_column(&self.header[column]),
                    None => fault,
                });
            };
            if record.len() != self.header.len() {
                let message = format!(
                    "La ligne a {} cases, l’en-tête {} : un séparateur dans un texte sans guillemets, ou une ligne \
                     coupée, en est souvent la cause.",
                    record.len(),
                    self.header.len()
                );
                fault(None, (FaultCause::Ragged, message));
                return Ok(());
            }
            let start = table.nodes.len();
            for &(column, dimension) in &self.columns.dimensions {
                match node(&dimensions[dimension], &record[column]) {
                    Ok(node) => table.nodes.push(node),
                    Err(refused) => fault(Some(column), refused),
                }
            }
            let row = self.row(record, decimals, owners, &mut |column, refused| fault(Some(column), refused));
            if faults.total == before {
                table.rows.push(row);
            } else {
                table.nodes.truncate(start);
            }
            Ok(())
        })?;
        if faults.is_empty() { Ok(table) } else { Err(faults) }
    }

    fn row(
        &self,
        record: &csv::StringRecord,
        decimals: u8,
        owners: &mut Owners,
        fault: &mut dyn FnMut(usize, Refused),
    ) -> Row {
        let columns = &self.columns;
        let mut said = |column: Option<usize>, read: &dyn Fn(&str) -> Result<i64, Refused>| {
            let column = column?;
            let cell = record[column].trim();
            if cell.is_empty() {
                return None;
            }
            read(cell).map_err(|refused| fault(column, refused)).ok()
        };
        let units = |cell: &str| self.number(cell, decimals);
        let suppressed = said(columns.suppressed, &flag);
        let hidden = self.attacked && suppressed == Some(1);
        let value = if hidden { None } else { said(Some(columns.value), &units) };
        let row = Row {
            value,
            contributors: said(columns.contributors, &|cell| self.number(cell, 0).and_then(positive))
                .and_then(|contributors| u64::try_from(contributors).ok()),
            top1: said(columns.top1, &units),
            top2: said(columns.top2, &units),
            owner: None,
            low: said(columns.lb, &units),
            high: said(columns.ub, &units),
            lpl: said(columns.lpl, &|cell| units(cell).and_then(positive)),
            upl: said(columns.upl, &|cell| units(cell).and_then(positive)),
            spl: said(columns.spl, &|cell| units(cell).and_then(positive)),
            primary: said(columns.marks, &flag) == Some(1),
            frozen: match said(columns.frozen, &frozen) {
                Some(1) => Frozen::Shown,
                Some(2) => Frozen::Hidden,
                _ => Frozen::No,
            },
            suppressed: suppressed.map(|flag| flag == 1),
            // What does not read is not there: nobody is told about a figure that was to be hidden.
            inside: if hidden { self.number(record[columns.value].trim(), decimals).ok() } else { None },
        };
        let empty = |column: usize| record[column].trim().is_empty();
        if !hidden && empty(columns.value) {
            let message = if self.remembered {
                "La valeur manque : une publication antérieure se donne avec ses valeurs cachées (le fichier de -o, non \
                 celui de --public)."
            } else {
                "La valeur manque : écrivez 0 s’il n’y a rien, et mettez les totaux."
            };
            let message = message.to_owned();
            fault(columns.value, (FaultCause::Required, message));
        }
        if let Some(column) = columns.suppressed.filter(|&column| empty(column)) {
            fault(column, (FaultCause::Required, "Écrivez 0 (montrée) ou 1 (cachée).".to_owned()));
        }
        let owner = columns.owner.map(|column| record[column].trim()).filter(|owner| !owner.is_empty());
        let owner = owner.map(|owner| {
            let next = u32::try_from(owners.0.len()).unwrap_or(u32::MAX);
            *owners.0.entry(owner.to_owned()).or_insert(next)
        });
        Row { owner, ..row }
    }

    /// A figure in units of `decimals`. Decimals beyond are a fault, never rounded. What stands there is not repeated:
    /// it may be a confidential figure, and line and column say where to look.
    fn number(&self, cell: &str, decimals: u8) -> Result<i64, Refused> {
        let places = Decimals::new(decimals.min(FINEST)).unwrap_or(Decimals::NONE);
        if self.mark == DecimalMark::Point && cell.contains(',') {
            // "1,234" between quotes is a thousand in one office and one in the next.
            return Err((
                FaultCause::Ambiguous,
                "Dans un fichier qui n’est pas séparé par des points-virgules, les décimales s’écrivent avec un point \
                 et rien ne sépare les milliers : 1234.5."
                    .to_owned(),
            ));
        }
        match read(cell, places, self.mark) {
            Number::Units { units, rounded: false } => Ok(units),
            Number::Units { .. } if decimals == 0 => {
                Err((FaultCause::Constraint, "Un nombre entier est attendu ici.".to_owned()))
            }
            Number::Units { .. } => {
                Err((FaultCause::Constraint, format!("Plus de {decimals} décimales : arrondissez à l’export.")))
            }
            Number::Ambiguous => Err((
                FaultCause::Ambiguous,
                "Ce nombre se lit de deux façons : écrivez-le sans séparateur de milliers.".to_owned(),
            )),
            Number::Not => Err((
                FaultCause::Type,
                "Ceci n’est pas un nombre, ou est trop grand : écrivez des chiffres, sans unité ni espace.".to_owned(),
            )),
        }
    }

    /// The line of a row (from 0), as a person counts, and its codes: `age=18-64, region=A`.
    pub fn place(&self, row: usize) -> (u64, String) {
        let mut place = Lines::new(&self.text);
        let (mut index, mut found) = (0, (1, String::new()));
        let read = self.each(|record| {
            if index == row {
                let line = place.advance(record.position().map_or(0, csv::Position::byte));
                let code = |&(column, _): &(usize, usize)| {
                    format!("{}={}", self.header[column], cut(record.get(column).unwrap_or_default()))
                };
                found = (line, self.columns.dimensions.iter().map(code).collect::<Vec<_>>().join(", "));
            }
            index += 1;
            Ok(())
        });
        debug_assert!(read.is_ok(), "nothing above refuses a row");
        found
    }

    /// Its dimensions, as places in the hierarchy's list, in the order of its columns.
    pub fn dimensions(&self) -> Vec<usize> {
        self.columns.dimensions.iter().map(|&(_, dimension)| dimension).collect()
    }
}

pub(super) fn too_many(name: &str) -> Fault {
    Fault::of_file(
        name,
        FaultCause::TooLarge,
        format!(
            "Le tableau a plus de {MOST_ROWS} lignes : regroupez des modalités, ou protégez territoire par territoire."
        ),
    )
}

fn node(dimension: &Dimension, cell: &str) -> Result<u32, Refused> {
    let code = cell.trim();
    let node = dimension.axis.find(code).and_then(|node| u32::try_from(node).ok());
    node.ok_or_else(|| {
        let alike = dimension.axis.nodes().iter().find(|known| known.eq_ignore_ascii_case(code));
        let hint = match alike {
            Some(known) => format!(" Écrivez « {} »", cut(known)),
            None if code.is_empty() => " Une ligne de total porte le code du total".to_owned(),
            None => " Corrigez-le, ou ajoutez-le à la hiérarchie".to_owned(),
        };
        (
            FaultCause::UnknownCode,
            format!("{} n’est pas dans la hiérarchie de « {} ».{hint}.", told(code, dimension), cut(&dimension.name)),
        )
    })
}

/// A code as it stands in the file; a number where codes are words may be a figure in the wrong column, and is not told.
fn told(code: &str, dimension: &Dimension) -> String {
    let number = |text: &str| text.chars().any(|c| c.is_ascii_digit()) && !text.chars().any(char::is_alphabetic);
    if number(code) && !dimension.axis.nodes().iter().any(|known| number(known)) {
        "Un nombre est là où un code est attendu : il".to_owned()
    } else {
        format!("Le code « {} »", cut(code))
    }
}

fn flag(cell: &str) -> Result<i64, Refused> {
    match cell.to_ascii_lowercase().as_str() {
        "0" | "false" => Ok(0),
        "1" | "true" => Ok(1),
        _ => Err((FaultCause::Type, "Ce n’est ni 0 ni 1 : écrivez 0 ou 1.".to_owned())),
    }
}

fn frozen(cell: &str) -> Result<i64, Refused> {
    match cell.to_ascii_lowercase().as_str() {
        "0" | "false" => Ok(0),
        "1" | "true" | "shown" => Ok(1),
        "hidden" => Ok(2),
        _ => Err((
            FaultCause::Type,
            "Ce n’est pas un de ces mots : écrivez 0, 1 ou shown (reste montrée), ou hidden (reste cachée).".to_owned(),
        )),
    }
}

fn positive(number: i64) -> Result<i64, Refused> {
    if number < 0 {
        return Err((FaultCause::Constraint, "Un nombre négatif n’a pas de sens ici.".to_owned()));
    }
    Ok(number)
}
