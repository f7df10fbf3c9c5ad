//! What each column of the table expects from the file, compiled once.

use std::collections::{BTreeMap, BTreeSet};

use methodology::{Dimension, Field, Table};
use regex::Regex;

use crate::fault::{Fault, FaultCause};
use crate::rows::Cell;
use crate::source::{DecimalMark, Names, SourceSpec, Totals};
use crate::totals;

/// One column of the table.
pub(super) struct Rule<'a> {
    pub(super) field: &'a Field,
    pub(super) dimension: Option<&'a Dimension>,
    /// Names in the file, any of which will do.
    pub(super) names: Vec<String>,
    /// Text in the file → text that the pack knows.
    pub(super) codes: Option<&'a BTreeMap<String, String>>,
    /// The value of every row when the file has no such column.
    pub(super) constant: Option<&'a str>,
    /// Of a file of totals, which may lack the column: a value that nobody is shown.
    pub(super) if_absent: Option<Cell<'a>>,
    pub(super) pattern: Option<Regex>,
}

/// All columns, and how texts are to be read.
pub(super) struct Plan<'a> {
    pub(super) table: &'a Table,
    pub(super) rules: Vec<Rule<'a>>,
    missing: BTreeSet<String>,
    /// Bytes of the longest of them.
    longest: usize,
    pub(super) decimal: DecimalMark,
    /// Whether each line stands for several rows.
    pub(super) totals: bool,
    pub(super) skip_total_rows: bool,
    pub(super) may_be_empty: bool,
}

impl<'a> Plan<'a> {
    pub(super) fn new(spec: &'a SourceSpec, file: &str, table: &'a Table) -> Result<Self, Fault> {
        let mut settings = spec.columns.keys().chain(spec.codes.keys()).chain(spec.constants.keys());
        if let Some(unknown) = settings.find(|name| table.schema().field(name).is_none()) {
            return Err(Fault::of_file(
                file,
                FaultCause::Settings,
                format!(
                    "Les réglages de la source nomment la colonne « {unknown} », que la table « {} » ne connaît pas \
                     (colonnes : {}).",
                    table.code(),
                    table.schema().fields.iter().map(|f| f.name.as_str()).collect::<Vec<_>>().join(", ")
                ),
            ));
        }
        let mut rules = Vec::new();
        for field in &table.schema().fields {
            let names = match spec.columns.get(&field.name) {
                Some(given) => given.as_slice().to_vec(),
                None => vec![field.name.clone(), field.title.clone()],
            };
            let pattern = field.pattern.as_ref().map(|pattern| Regex::new(&format!("^(?:{pattern})$")));
            let pattern = pattern.transpose().map_err(|_| {
                Fault::of_file(
                    file,
                    FaultCause::Settings,
                    format!("Le motif de la colonne « {} » n'est pas lisible.", field.name),
                )
            })?;
            rules.push(Rule {
                field,
                dimension: table.dimension_of(&field.name),
                names,
                codes: spec.codes.get(&field.name),
                constant: spec.constants.get(&field.name).map(String::as_str),
                if_absent: None,
                pattern,
            });
        }
        if let Some(totals) = &spec.totals {
            of_totals(spec, totals, file, table, &mut rules)?;
        }
        let missing = table.schema().missing_values.iter().chain(&spec.missing).map(|text| text.trim().to_owned());
        let missing: BTreeSet<String> = missing.collect();
        Ok(Self {
            table,
            rules,
            longest: missing.iter().map(String::len).max().unwrap_or(0),
            missing,
            decimal: spec.decimal,
            totals: spec.totals.is_some(),
            skip_total_rows: spec.skip_total_rows,
            may_be_empty: spec.may_be_empty,
        })
    }

    /// Whether a text means "no value".
    pub(super) fn is_missing(&self, text: &str) -> bool {
        text.len() <= self.longest && self.missing.contains(text)
    }

    /// Places of the columns that together name a row once; of a file of totals, those that tell its lines apart.
    pub(super) fn key(&self) -> Vec<usize> {
        if self.totals {
            let fields = self.table.schema().fields.iter().enumerate();
            let apart = fields.filter(|(_, field)| !totals::is_amount(self.table, &field.name));
            return apart.map(|(place, _)| place).collect();
        }
        self.table.schema().primary_key.iter().filter_map(|name| self.place_of(name)).collect()
    }

    /// Dimensions that have one code for each value of another column: with the places of both.
    pub(super) fn singles(&self) -> impl Iterator<Item = (&'a Dimension, usize, usize)> {
        // Units have no column in a file of totals.
        self.table.dimensions().iter().filter(|_| !self.totals).flat_map(|dimension| {
            let coded = self.place_of(&dimension.field);
            let units = dimension.single_valued_for.iter().filter_map(|name| self.place_of(name));
            units.filter_map(move |unit| Some((dimension, coded?, unit)))
        })
    }

    fn place_of(&self, name: &str) -> Option<usize> {
        self.rules.iter().position(|rule| rule.field.name == name)
    }
}

/// What is different where each line stands for several rows: columns may be absent, those that name rows or units are
/// not read, and two more count.
fn of_totals<'a>(
    spec: &SourceSpec,
    totals: &Totals,
    file: &str,
    table: &'a Table,
    rules: &mut Vec<Rule<'a>>,
) -> Result<(), Fault> {
    let settings = |message: String| Fault::of_file(file, FaultCause::Settings, message);
    for rule in rules.iter_mut() {
        let name = &rule.field.name;
        let asked = spec.columns.contains_key(name) || rule.constant.is_some();
        if totals::identifies(table, name) {
            if asked {
                return Err(settings(format!(
                    "La source compte des totaux (totals) : ses lignes n’ont pas d’identifiant « {name} ». Retirez cette \
                     colonne des réglages, ou retirez totals si chaque ligne est une seule demande."
                )));
            }
            rule.names.clear();
        }
        if !asked {
            rule.if_absent = Some(totals::any_value(rule.field, rule.dimension));
        }
    }
    let column = |field: &'static Field, names: &Names| Rule {
        field,
        dimension: None,
        names: names.as_slice().to_vec(),
        codes: None,
        constant: None,
        if_absent: None,
        pattern: None,
    };
    rules.push(column(&totals::COUNT, &totals.count));
    match (table.unit(), &totals.units) {
        (Some(_), Some(units)) => rules.push(column(&totals::UNITS, units)),
        (None, None) => {}
        (Some(unit), None) => {
            return Err(settings(format!(
                "La table « {} » protège chaque « {unit} » : dites quelle colonne du fichier les compte (totals.units). Sans \
                 ce nombre, on ne sait pas qui se cache derrière un total.",
                table.code()
            )));
        }
        (None, Some(_)) => {
            return Err(settings(format!(
                "La table « {} » compte ses lignes elles-mêmes : retirez totals.units.",
                table.code()
            )));
        }
    }
    Ok(())
}
