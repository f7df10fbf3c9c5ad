//! What no single cell can tell: repeated keys, units with two codes, sums that do not fit.

use std::collections::HashMap;

use crate::fault::{Fault, FaultCause, Faults, cut};
use crate::rows::Cell;

use super::layout::Header;
use super::rules::Plan;

/// What the table promises of all rows together, watched row by row.
pub(super) struct Promises<'a> {
    file: &'a str,
    key: Vec<usize>,
    keys: HashMap<Vec<u8>, u64>,
    repeated: Faults,
    single: Vec<Single<'a>>,
    /// Of each column: the sum of absolute values, as long as it fits.
    sums: Vec<Option<i64>>,
    titles: Vec<&'a str>,
    /// Whether each line stands for several rows.
    totals: bool,
}

/// Each value of `unit` has one code in `coded`.
struct Single<'a> {
    coded: usize,
    unit: usize,
    title: &'a str,
    known: HashMap<Vec<u8>, (Vec<u8>, u64)>,
    broken: Faults,
}

impl<'a> Promises<'a> {
    pub(super) fn new(plan: &'a Plan<'_>, header: &'a Header, file: &'a str) -> Self {
        let titles = (plan.rules.iter().zip(&header.places)).map(|(rule, place)| {
            place.and_then(|i| header.names.get(i)).map_or(rule.field.name.as_str(), String::as_str)
        });
        let single = plan.singles().map(|(dimension, coded, unit)| Single {
            coded,
            unit,
            title: &dimension.title,
            known: HashMap::new(),
            broken: Faults::default(),
        });
        Self {
            file,
            key: plan.key(),
            keys: HashMap::new(),
            repeated: Faults::default(),
            single: single.collect(),
            sums: vec![Some(0); plan.rules.len()],
            titles: titles.collect(),
            totals: plan.totals,
        }
    }

    /// Notes a row; whether all sums still fit.
    pub(super) fn keep(&mut self, cells: &[Cell<'_>], line: u64) -> bool {
        if let Some(first) = self.key.first() {
            let mut value = Vec::new();
            write_key(&self.key, cells, &mut value);
            if let Some(earlier) = self.keys.insert(value, line) {
                let message = if self.totals {
                    format!(
                        "Cette ligne a les mêmes modalités que la ligne {earlier} : réunissez-les en une seule, ou donnez la \
                         colonne qui les distingue."
                    )
                } else {
                    format!(
                        "L'identifiant de cette ligne est déjà celui de la ligne {earlier} : retirez le doublon ou corrigez \
                         l'identifiant."
                    )
                };
                let fault = Fault::of_file(self.file, FaultCause::DuplicateKey, message).at_line(line);
                self.repeated.push(if self.totals { fault } else { fault.in_column(self.titles[*first]) });
            }
        }
        for single in &mut self.single {
            let bytes = |place: usize| cells[place].with_bytes(<[u8]>::to_vec);
            let code = bytes(single.coded);
            let (first, earlier) = single.known.entry(bytes(single.unit)).or_insert_with(|| (code.clone(), line));
            if *first != code {
                single.broken.push(
                    Fault::of_file(
                        self.file,
                        FaultCause::MultiValued,
                        format!(
                            "« {} » est le même qu'à la ligne {earlier}, mais « {} » diffère : mettez la même valeur sur \
                             toutes ses lignes.",
                            cut(self.titles[single.unit]),
                            single.title
                        ),
                    )
                    .at_line(line)
                    .in_column(self.titles[single.coded]),
                );
            }
        }
        add_up(&mut self.sums, cells)
    }

    /// Keys first, then units, then sums; each in the order of the lines.
    pub(super) fn broken(self) -> Faults {
        let mut faults = self.repeated;
        for single in self.single {
            faults.append(single.broken);
        }
        for (title, sum) in self.titles.iter().zip(&self.sums) {
            if sum.is_none() {
                faults.push(
                    Fault::of_file(
                        self.file,
                        FaultCause::Overflow,
                        "La somme de cette colonne dépasse ce qui peut être compté : vérifiez l'unité et la marque \
                         décimale.",
                    )
                    .in_column(title),
                );
            }
        }
        faults
    }
}

/// The values of several columns as bytes that differ where one of them differs.
pub(super) fn write_key(places: &[usize], cells: &[Cell<'_>], key: &mut Vec<u8>) {
    key.clear();
    for place in places {
        cells[*place].with_bytes(|bytes| {
            key.extend_from_slice(&bytes.len().to_le_bytes());
            key.extend_from_slice(bytes);
        });
    }
}

/// Adds absolute values per column; whether all still fit.
pub(super) fn add_up(sums: &mut [Option<i64>], cells: &[Cell<'_>]) -> bool {
    let mut fit = true;
    for (sum, cell) in sums.iter_mut().zip(cells) {
        if let Some(units) = cell.number() {
            *sum = sum.and_then(|sum| sum.checked_add(units.checked_abs()?));
            fit &= sum.is_some();
        }
    }
    fit
}
