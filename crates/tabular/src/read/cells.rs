//! All rows: cells, totals set aside, keys, promises of the table.

use std::collections::HashMap;

use methodology::{Dimension, FieldType, Table};
use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, Series};

use crate::fault::{Fault, FaultCause, Faults, cut};
use crate::rows::{Rows, dimension_column, field_column};

use super::layout::{Header, reader};
use super::lines::Lines;
use super::rules::Plan;
use super::typed::{Cell, cell};

/// One column under construction.
enum Values {
    Codes(Vec<u32>),
    Text(Vec<Option<String>>),
    Numbers(Vec<Option<i64>>),
    Booleans(Vec<Option<bool>>),
}

impl Values {
    fn push(&mut self, cell: Cell) {
        match (self, cell) {
            (Self::Codes(codes), Cell::Code(code)) => codes.push(code),
            (Self::Text(texts), Cell::Text(text)) => texts.push(Some(text)),
            (Self::Text(texts), _) => texts.push(None),
            (Self::Numbers(numbers), Cell::Number(number)) => numbers.push(Some(number)),
            (Self::Numbers(numbers), _) => numbers.push(None),
            (Self::Booleans(booleans), Cell::Boolean(yes)) => booleans.push(Some(yes)),
            (Self::Booleans(booleans), _) => booleans.push(None),
            (Self::Codes(_), _) => unreachable!("`typed::cell` gives a code for every column that feeds a dimension"),
        }
    }

    fn key(&self, row: usize) -> String {
        match self {
            Self::Codes(codes) => codes[row].to_string(),
            Self::Text(texts) => texts[row].clone().unwrap_or_default(),
            Self::Numbers(numbers) => numbers[row].map_or_else(String::new, |n| n.to_string()),
            Self::Booleans(booleans) => booleans[row].map_or_else(String::new, |b| b.to_string()),
        }
    }
}

/// Reads every row after the header.
pub(super) fn rows(file: &str, text: &str, separator: u8, header: &Header, plan: &Plan<'_>) -> Result<Rows, Faults> {
    let mut faults = Faults::default();
    let mut columns: Vec<Values> = plan.rules.iter().map(|rule| empty(rule.dimension, rule.field.kind)).collect();
    let mut lines: Vec<u64> = Vec::new();
    let mut set_aside = 0;
    let mut place = Lines::new(text);
    let mut records = reader(text, separator);
    let mut record = csv::StringRecord::new();
    let mut seen = 0;
    while matches!(records.read_record(&mut record), Ok(true)) {
        seen += 1;
        let line = place.advance(record.position().map_or(0, csv::Position::byte));
        if seen <= header.skip || record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if let Some(fault) = ragged(file, &record, header, separator) {
            faults.push(fault.at_line(line));
            continue;
        }
        if record.iter().any(is_total) {
            if plan.skip_total_rows {
                set_aside += 1;
            } else {
                faults.push(total_row(file).at_line(line));
            }
            continue;
        }
        if row(file, &record, line, header, plan, &mut columns, &mut faults) {
            lines.push(line);
        }
    }
    if lines.is_empty() && faults.is_empty() && !plan.may_be_empty {
        faults.push(Fault::of_file(
            file,
            FaultCause::Empty,
            "Le fichier n'a que son en-tête : l'export est-il complet ? S'il n'y a vraiment rien eu, écrivez \
             may_be_empty = true dans la source.",
        ));
    }
    if faults.is_empty() {
        checks(file, header, plan, &columns, &lines, &mut faults);
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Rows { table: plan.table.definition_hash(), frame: frame(plan, columns, lines.len()), lines, set_aside })
}

fn empty(dimension: Option<&Dimension>, kind: FieldType) -> Values {
    match (dimension, kind) {
        (Some(_), _) => Values::Codes(Vec::new()),
        (None, FieldType::String) => Values::Text(Vec::new()),
        (None, FieldType::Integer | FieldType::Number(_) | FieldType::Date) => Values::Numbers(Vec::new()),
        (None, FieldType::Boolean) => Values::Booleans(Vec::new()),
    }
}

/// Whether the whole row passed; only then is it kept, so that columns stay of one length.
fn row(
    file: &str,
    record: &csv::StringRecord,
    line: u64,
    header: &Header,
    plan: &Plan<'_>,
    columns: &mut [Values],
    faults: &mut Faults,
) -> bool {
    let mut cells = Vec::with_capacity(plan.rules.len());
    for (rule, place) in plan.rules.iter().zip(&header.places) {
        let raw = match (place, rule.constant) {
            (Some(place), _) => record.get(*place).unwrap_or_default(),
            (None, constant) => constant.unwrap_or_default(),
        };
        match cell(plan, rule, raw) {
            Ok(cell) => cells.push(cell),
            Err((cause, message)) => {
                let column = place.and_then(|i| header.names.get(i)).map_or(rule.field.name.as_str(), String::as_str);
                faults.push(Fault::of_file(file, cause, message).at_line(line).in_column(column));
            }
        }
    }
    if cells.len() < columns.len() {
        return false;
    }
    for (column, cell) in columns.iter_mut().zip(cells) {
        column.push(cell);
    }
    true
}

fn ragged(file: &str, record: &csv::StringRecord, header: &Header, separator: u8) -> Option<Fault> {
    let width = header.names.len();
    // A whole row inside one cell: a quote was opened and closed lines later, or never. Without this check the
    // rows between would be lost silently whenever the number of cells happens to fit.
    let row_inside = |line: &str| line.bytes().filter(|b| *b == separator).count() + 1 >= width.max(2);
    if record.iter().any(|cell| cell.contains('\n') && cell.lines().any(row_inside)) {
        return Some(Fault::of_file(
            file,
            FaultCause::Ragged,
            "Une case de cette ligne avale les lignes suivantes : un guillemet (\") est ouvert et mal refermé. Corrigez-le \
             dans le logiciel d'origine ou retirez-le.",
        ));
    }
    let too_many = record.iter().skip(width).any(|cell| !cell.trim().is_empty());
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

fn is_total(cell: &str) -> bool {
    let plain = cell.trim().trim_end_matches([':', '.']).trim_end().to_lowercase();
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

/// What no single cell can tell: repeated keys, units with two codes, sums that do not fit.
fn checks(file: &str, header: &Header, plan: &Plan<'_>, columns: &[Values], lines: &[u64], faults: &mut Faults) {
    let place_of = |name: &str| plan.rules.iter().position(|rule| rule.field.name == name);
    let title_of = |place: usize| {
        let name = header.places[place].and_then(|i| header.names.get(i));
        name.map_or(plan.rules[place].field.name.as_str(), String::as_str)
    };
    let key: Vec<usize> = plan.table.schema().primary_key.iter().filter_map(|name| place_of(name)).collect();
    if let Some(first) = key.first() {
        let mut known: HashMap<Vec<String>, u64> = HashMap::new();
        for (row, line) in lines.iter().enumerate() {
            let value: Vec<String> = key.iter().map(|place| columns[*place].key(row)).collect();
            if let Some(earlier) = known.insert(value, *line) {
                faults.push(
                    Fault::of_file(
                        file,
                        FaultCause::DuplicateKey,
                        format!(
                            "L'identifiant de cette ligne est déjà celui de la ligne {earlier} : retirez le doublon ou \
                             corrigez l'identifiant."
                        ),
                    )
                    .at_line(*line)
                    .in_column(title_of(*first)),
                );
            }
        }
    }
    for dimension in plan.table.dimensions() {
        let Some(coded) = place_of(&dimension.field) else { continue };
        for unit in dimension.single_valued_for.iter().filter_map(|name| place_of(name)) {
            let mut known: HashMap<String, (String, u64)> = HashMap::new();
            for (row, line) in lines.iter().enumerate() {
                let code = columns[coded].key(row);
                let (first, earlier) = known.entry(columns[unit].key(row)).or_insert_with(|| (code.clone(), *line));
                if *first != code {
                    faults.push(
                        Fault::of_file(
                            file,
                            FaultCause::MultiValued,
                            format!(
                                "« {} » est le même qu'à la ligne {earlier}, mais « {} » diffère : mettez la même valeur \
                                 sur toutes ses lignes.",
                                cut(title_of(unit)),
                                dimension.title
                            ),
                        )
                        .at_line(*line)
                        .in_column(title_of(coded)),
                    );
                }
            }
        }
    }
    for (place, column) in columns.iter().enumerate() {
        let Values::Numbers(numbers) = column else { continue };
        let sum = numbers.iter().flatten().try_fold(0_i64, |sum, n| sum.checked_add(n.checked_abs()?));
        if sum.is_none() {
            faults.push(
                Fault::of_file(
                    file,
                    FaultCause::Overflow,
                    "La somme de cette colonne dépasse ce qui peut être compté : vérifiez l'unité et la marque décimale.",
                )
                .in_column(title_of(place)),
            );
        }
    }
}

fn frame(plan: &Plan<'_>, columns: Vec<Values>, height: usize) -> DataFrame {
    let columns: Vec<Column> = plan
        .rules
        .iter()
        .zip(columns)
        .map(|(rule, values)| named(plan.table, rule.field.name.as_str(), values))
        .collect();
    DataFrame::new(height, columns).expect("every column has one value per kept row, and names differ")
}

fn named(table: &Table, field: &str, values: Values) -> Column {
    let name = match table.dimension_of(field) {
        Some(dimension) => dimension_column(&dimension.code),
        None => field_column(field),
    };
    let name = name.as_str().into();
    match values {
        Values::Codes(codes) => Series::new(name, codes),
        Values::Text(texts) => Series::new(name, texts),
        Values::Numbers(numbers) => Series::new(name, numbers),
        Values::Booleans(booleans) => Series::new(name, booleans),
    }
    .into_column()
}
