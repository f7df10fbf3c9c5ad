//! All rows, one after another: cells, totals set aside, every fault in its place.

use crate::fault::{Fault, FaultCause, Faults};
use crate::rows::Cell;
use crate::totals;

use super::layout::Header;
use super::promises::Promises;
use super::rules::Plan;
use super::typed::{Raw, cell};

/// What takes rows that passed: the cells in the order of the table's columns, and the line.
pub(super) type Sink<'s> = dyn FnMut(&[Cell<'_>], u64) + 's;

/// How many rows there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Per column of the table: whether the file has it, or the settings give its value.
    pub(super) given: Vec<bool>,
    pub(super) height: usize,
    pub(super) set_aside: usize,
}

/// Rows of cells, whatever kind of file they come from.
pub(super) trait Records {
    /// The next row with its line; `None` after the last.
    fn next(&mut self) -> Option<(u64, Vec<Raw<'_>>)>;
}

/// Reads every row after the header.
pub(super) fn rows(
    file: &str,
    records: &mut dyn Records,
    header: &Header,
    plan: &Plan<'_>,
    sink: &mut Sink<'_>,
) -> Result<Seen, Faults> {
    let mut faults = Faults::default();
    let mut promises = Promises::new(plan, header, file);
    let given = plan.rules.iter().zip(&header.places).map(|(rule, place)| place.is_some() || rule.constant.is_some());
    let mut seen = Seen { given: given.collect(), ..Seen::default() };
    let mut number = 0;
    while let Some((line, record)) = records.next() {
        number += 1;
        if number <= header.skip || record.iter().all(|cell| cell.text.trim().is_empty()) {
            continue;
        }
        if let Some(fault) = ragged(file, &record, header) {
            faults.push(fault.at_line(line));
            continue;
        }
        if record.iter().any(|cell| is_total(cell.text)) {
            if plan.skip_total_rows {
                seen.set_aside += 1;
            } else {
                faults.push(total_row(file).at_line(line));
            }
            continue;
        }
        if let Some(cells) = row(file, &record, line, header, plan, &mut faults)
            && faults.is_empty()
        {
            if let Some(message) = plan.totals.then(|| totals::fault(&cells, plan.table)).flatten() {
                faults.push(Fault::of_file(file, FaultCause::Constraint, message).at_line(line));
                continue;
            }
            // A column whose sum does not fit is refused before anything is added up.
            if promises.keep(&cells, line) {
                sink(&cells, line);
            }
            seen.height += 1;
        }
    }
    if seen.height == 0 && faults.is_empty() && !plan.may_be_empty {
        faults.push(Fault::of_file(
            file,
            FaultCause::Empty,
            "Le fichier n'a que son en-tête : l'export est-il complet ? S'il n'y a vraiment rien eu, écrivez \
             may_be_empty = true dans la source.",
        ));
    }
    if faults.is_empty() {
        faults = promises.broken();
    }
    if faults.is_empty() { Ok(seen) } else { Err(faults) }
}

/// The cells, if all passed.
fn row<'a>(
    file: &str,
    record: &[Raw<'a>],
    line: u64,
    header: &Header,
    plan: &Plan<'a>,
    faults: &mut Faults,
) -> Option<Vec<Cell<'a>>> {
    let mut cells = Vec::with_capacity(plan.rules.len());
    for (rule, place) in plan.rules.iter().zip(&header.places) {
        if let (None, None, Some(any)) = (place, rule.constant, &rule.if_absent) {
            cells.push(any.clone());
            continue;
        }
        let raw = match (place, rule.constant) {
            (Some(place), _) => record.get(*place).copied().unwrap_or(Raw::text("")),
            (None, constant) => Raw::text(constant.unwrap_or_default()),
        };
        match cell(plan, rule, raw) {
            Ok(cell) => cells.push(cell),
            Err((cause, message)) => {
                let column = place.and_then(|i| header.names.get(i)).map_or(rule.field.name.as_str(), String::as_str);
                faults.push(Fault::of_file(file, cause, message).at_line(line).in_column(column));
            }
        }
    }
    (cells.len() == plan.rules.len()).then_some(cells)
}

fn ragged(file: &str, record: &[Raw<'_>], header: &Header) -> Option<Fault> {
    let width = header.names.len();
    // A whole row inside one cell: a quote was opened and closed lines later, or never. Without this check the
    // rows between would be lost silently whenever the number of cells happens to fit.
    let row_inside = |line: &str| line.bytes().filter(|b| Some(*b) == header.separator).count() + 1 >= width.max(2);
    if header.separator.is_some()
        && record.iter().any(|cell| cell.text.contains('\n') && cell.text.lines().any(row_inside))
    {
        return Some(Fault::of_file(
            file,
            FaultCause::Ragged,
            "Une case de cette ligne avale les lignes suivantes : un guillemet (\") est ouvert et mal refermé. Corrigez-le \
             dans le logiciel d'origine ou retirez-le.",
        ));
    }
    let too_many = record.iter().skip(width).any(|cell| !cell.text.trim().is_empty());
    if record.len() >= width && !too_many {
        return None;
    }
    Some(Fault::of_file(
        file,
        FaultCause::Ragged,
        format!(
            "La ligne a {} cases, l'en-tête {width} : un séparateur dans un texte sans guillemets, ou une ligne coupée, en \
             est souvent la cause.",
            record.len()
        ),
    ))
}

/// Whether a cell says that its row is a total.
pub(super) fn is_total(cell: &str) -> bool {
    let cell = cell.trim();
    // All these words begin with one of three letters, and most cells do not.
    if !matches!(cell.bytes().next().map(|b| b | 0x20), Some(b't' | b's' | b'e')) {
        return false;
    }
    let plain = cell.trim_end_matches([':', '.']).trim_end().to_lowercase();
    matches!(plain.as_str(), "total" | "totaux" | "total général" | "total general" | "sous-total" | "ensemble")
}

fn total_row(file: &str) -> Fault {
    Fault::of_file(
        file,
        FaultCause::TotalRow,
        "Cette ligne semble être un total : elle serait comptée comme une donnée. Retirez-la, ou écrivez \
         skip_total_rows = true dans la source.",
    )
}
