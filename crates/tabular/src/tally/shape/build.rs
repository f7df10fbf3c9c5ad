//! From a table's definitions to the axes that tell its rows apart.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::Quantity;
use methodology::{ColumnRef, FieldType, Filter, Table, Value};
use model::{Code, DimensionCode};
use regex::Regex;

use super::axis::{Axis, Node, Reading};
use super::{Counted, Shape, What};

/// Most patterns that one axis tells apart; a column with more has several axes.
const PATTERNS: usize = 8;

impl Shape {
    /// Compiles a table.
    pub(crate) fn new(table: &Table) -> Self {
        let mut build =
            Build { table, axes: Vec::new(), conditions: Vec::new(), texts: BTreeMap::new(), restrictions: Vec::new() };
        build.axes();
        let mut shape = Self {
            axes: Vec::new(),
            conditions: Vec::new(),
            measures: Vec::new(),
            amounts: Vec::new(),
            summed: Vec::new(),
            identities: Vec::new(),
            unit: None,
            width: 0,
        };
        shape.unit = table.unit().map(|unit| noted(&mut shape.identities, build.field(unit)));
        let mut needs: Vec<Vec<usize>> = Vec::new();
        for scheme in table.scheme().measures() {
            let measure = table
                .indicator(&scheme.indicator)
                .and_then(|indicator| indicator.measure())
                .expect("a scheme's measures are its table's indicators");
            let (what, column) = match &measure.quantity {
                Quantity::Rows => (What::Rows, ""),
                Quantity::Distinct { column } => {
                    (What::Distinct(noted(&mut shape.identities, build.field(column))), column.as_str())
                }
                Quantity::Sum { column } => {
                    (What::Sum(noted(&mut shape.amounts, build.field(column))), column.as_str())
                }
                Quantity::Weight { column } => {
                    (What::Weight(noted(&mut shape.amounts, build.field(column))), column.as_str())
                }
            };
            let texts = measure.conditions.iter().map(|(text, filter)| build.condition(text, filter));
            let mut places: Vec<usize> = texts.collect();
            places.extend(measure.restriction.codes.iter().map(|(code, allowed)| build.codes(code, allowed)));
            needs.push(places);
            let list = |code: &DimensionCode| &table.scheme().dimensions()[code];
            shape.measures.push(Counted {
                indicator: scheme.indicator.clone(),
                what,
                column: column.to_owned(),
                needs: Vec::new(),
                breakdowns: scheme
                    .breakdowns
                    .iter()
                    .map(|by| by.iter().map(|code| (build.axis_of(code), list(code).len())).collect())
                    .collect(),
            });
        }
        shape.summed = (0..shape.amounts.len())
            .map(|place| shape.measures.iter().any(|measure| measure.what == What::Sum(place)))
            .collect();
        shape.conditions = build.conditions;
        shape.axes = build.axes;
        shape.merge_classes();
        shape.place_axes();
        let words = shape.held_words();
        for (measure, places) in shape.measures.iter_mut().zip(needs) {
            measure.needs = vec![0; words];
            for place in places {
                measure.needs[place / 64] |= 1 << (place % 64);
            }
        }
        shape
    }
}

/// The place of `field` in the list, which it enters if it is not there.
fn noted(list: &mut Vec<usize>, field: usize) -> usize {
    list.iter().position(|known| *known == field).unwrap_or_else(|| {
        list.push(field);
        list.len() - 1
    })
}

struct Build<'a> {
    table: &'a Table,
    axes: Vec<Axis>,
    conditions: Vec<Node>,
    /// Canonical text of a condition → its place.
    texts: BTreeMap<String, usize>,
    /// Codes of a dimension → the place of that condition.
    restrictions: Vec<(DimensionCode, BTreeSet<Code>, usize)>,
}

/// All that conditions ask about one column.
#[derive(Default)]
struct Asked<'a> {
    constants: BTreeSet<&'a Value>,
    patterns: BTreeSet<&'a str>,
    /// Whether anything but patterns is asked.
    value: bool,
}

impl<'a> Build<'a> {
    fn field(&self, name: &str) -> usize {
        let place = self.table.schema().fields.iter().position(|field| field.name == name);
        place.expect("`Pack::parse` checked every column that a table names")
    }

    fn field_of(&self, code: &DimensionCode) -> usize {
        self.field(&self.table.dimension(code).expect("`Pack::parse` checked every dimension").field)
    }

    fn axes(&mut self) {
        let table = self.table;
        let mut dimensions: BTreeSet<&DimensionCode> = BTreeSet::new();
        let mut asked: BTreeMap<&str, Asked<'a>> = BTreeMap::new();
        for measure in table.indicators().iter().filter_map(|indicator| indicator.measure()) {
            dimensions.extend(measure.breakdowns.iter().flatten());
            dimensions.extend(measure.restriction.codes.keys());
            for filter in measure.conditions.values() {
                leaves(filter, &mut |leaf| {
                    let name = match leaf.columns().pop_first() {
                        Some(ColumnRef::Field(name)) => name,
                        Some(ColumnRef::Dimension(code)) => {
                            dimensions.insert(code);
                            return;
                        }
                        None => return,
                    };
                    let asked = asked.entry(name).or_default();
                    match leaf {
                        Filter::In(_, values) => asked.constants.extend(values),
                        Filter::Compare(_, _, value) => asked.constants.extend([value]),
                        Filter::Like(_, pattern) => asked.patterns.extend([pattern.as_str()]),
                        Filter::IsNull(_) | Filter::Not(_) | Filter::All(_) | Filter::Any(_) => {}
                    }
                    asked.value |= !matches!(leaf, Filter::Like(..));
                });
            }
        }
        for code in dimensions {
            let size = u32::try_from(table.scheme().dimensions()[code].len()).expect("at most 200 codes");
            self.axis(self.field_of(code), Reading::Code, size);
        }
        for (name, asked) in asked {
            self.axes_of_field(name, &asked);
        }
    }

    fn axes_of_field(&mut self, name: &str, asked: &Asked<'a>) {
        let field = self.field(name);
        let size = |count: usize| u32::try_from(count).expect("a pack has fewer than two billion constants");
        match self.table.schema().fields[field].kind {
            FieldType::Integer | FieldType::Number(_) | FieldType::Date => {
                let units = asked.constants.iter().filter_map(|value| match value {
                    Value::Number(units) | Value::Date(units) => Some(*units),
                    Value::Text(_) | Value::Boolean(_) => None,
                });
                let cuts: BTreeSet<i64> = units.collect();
                let size = size(2 * cuts.len() + 2);
                self.axis(field, Reading::Number(cuts.into_iter().collect()), size);
            }
            FieldType::Boolean => self.axis(field, Reading::Boolean, 3),
            FieldType::String => {
                if asked.value {
                    let texts = asked.constants.iter().filter_map(|value| match value {
                        Value::Text(text) => Some(text.clone()),
                        _ => None,
                    });
                    let texts: BTreeMap<String, u32> = texts.zip(0..).collect();
                    let size = size(texts.len() + 2);
                    self.axis(field, Reading::Exact(texts), size);
                }
                let patterns: Vec<&str> = asked.patterns.iter().copied().collect();
                for some in patterns.chunks(PATTERNS) {
                    let patterns: Vec<Regex> = some.iter().map(|pattern| compiled(pattern)).collect();
                    let size = (1 << patterns.len()) + 1;
                    self.axis(field, Reading::Patterns(patterns), size);
                }
            }
        }
    }

    fn axis(&mut self, field: usize, reading: Reading, size: u32) {
        self.axes.push(Axis { field, reading, size, classes: (0..size).collect(), width: size, word: 0, shift: 0 });
    }

    /// The axis of a dimension's codes.
    fn axis_of(&self, code: &DimensionCode) -> usize {
        let field = self.field_of(code);
        let axis = self.axes.iter().position(|axis| axis.field == field && matches!(axis.reading, Reading::Code));
        axis.expect("every dimension that a measure names has an axis")
    }

    fn condition(&mut self, text: &str, filter: &Filter) -> usize {
        if let Some(place) = self.texts.get(text) {
            return *place;
        }
        let node = self.node(filter);
        self.conditions.push(node);
        self.texts.insert(text.to_owned(), self.conditions.len() - 1);
        self.conditions.len() - 1
    }

    /// The condition that a row has one of these codes.
    fn codes(&mut self, code: &DimensionCode, allowed: &BTreeSet<Code>) -> usize {
        if let Some((.., place)) = self.restrictions.iter().find(|(other, codes, _)| other == code && codes == allowed)
        {
            return *place;
        }
        let list = &self.table.scheme().dimensions()[code];
        let truth = list.iter().map(|code| Some(allowed.contains(code))).collect();
        self.conditions.push(Node::Leaf(self.axis_of(code), truth));
        self.restrictions.push((code.clone(), allowed.clone(), self.conditions.len() - 1));
        self.conditions.len() - 1
    }

    fn node(&self, filter: &Filter) -> Node {
        match filter {
            Filter::Not(inner) => Node::Not(Box::new(self.node(inner))),
            Filter::All(parts) => Node::All(parts.iter().map(|part| self.node(part)).collect()),
            Filter::Any(parts) => Node::Any(parts.iter().map(|part| self.node(part)).collect()),
            Filter::In(column, _) | Filter::Compare(column, _, _) | Filter::IsNull(column) => {
                self.leaf(filter, column, None)
            }
            Filter::Like(column, pattern) => self.leaf(filter, column, Some(pattern)),
        }
    }

    /// The truth of a leaf for each number of its axis: the pack's own evaluation, of a value that stands for it.
    fn leaf(&self, leaf: &Filter, column: &ColumnRef, pattern: Option<&str>) -> Node {
        let name = match column {
            ColumnRef::Dimension(code) => {
                let axis = self.axis_of(code);
                let codes = &self.table.scheme().dimensions()[code];
                let truth = codes.iter().map(|code| leaf.holds(&|_| Some(Value::Text(code.as_str().to_owned()))));
                return Node::Leaf(axis, truth.collect());
            }
            ColumnRef::Field(name) => name,
        };
        let field = self.field(name);
        let of_field = |axis: &Axis| axis.field == field && !matches!(axis.reading, Reading::Code);
        let mut axes = self.axes.iter().enumerate().filter(|(_, axis)| of_field(axis));
        let regex = pattern.map(Filter::like_as_regex);
        let answers = |axis: &Axis| match (&axis.reading, &regex) {
            (Reading::Patterns(patterns), Some(regex)) => patterns.iter().any(|pattern| pattern.as_str() == regex),
            (Reading::Patterns(_), None) | (_, Some(_)) => false,
            (_, None) => true,
        };
        let (place, found) = axes.find(|(_, axis)| answers(axis)).expect("every leaf was asked about");
        let date = self.table.schema().fields[field].kind == FieldType::Date;
        let number = |units: i64| Some(if date { Value::Date(units) } else { Value::Number(units) });
        let truth = (0..found.size).map(|at| {
            let blank = at + 1 == found.size;
            match &found.reading {
                Reading::Patterns(patterns) => {
                    let bit = patterns.iter().position(|pattern| Some(pattern.as_str()) == regex.as_deref())?;
                    (!blank).then_some(at >> bit & 1 == 1)
                }
                _ if blank => leaf.holds(&|_| None),
                Reading::Number(cuts) => leaf.holds(&|_| number(stands_for(cuts, at))),
                Reading::Boolean => leaf.holds(&|_| Some(Value::Boolean(at == 1))),
                Reading::Exact(texts) => {
                    let known = texts.iter().find(|(_, number)| **number == at).map(|(text, _)| text.clone());
                    // Longer than any of them, so none of them.
                    let text = known.unwrap_or_else(|| texts.keys().map(String::as_str).collect::<String>() + "+");
                    leaf.holds(&|_| Some(Value::Text(text.clone())))
                }
                Reading::Code => unreachable!("axes of codes are answered above"),
            }
        });
        Node::Leaf(place, truth.collect())
    }
}

/// A number of the interval: at a constant, or next to one. Where no number lies between two, nobody asks.
fn stands_for(cuts: &[i64], number: u32) -> i64 {
    let at = number as usize / 2;
    match (number % 2 == 1, at.checked_sub(1).and_then(|before| cuts.get(before))) {
        (true, _) => cuts[at],
        (false, Some(before)) => before.saturating_add(1),
        (false, None) => cuts.first().map_or(0, |first| first.saturating_sub(1)),
    }
}

fn compiled(pattern: &str) -> Regex {
    Regex::new(&Filter::like_as_regex(pattern)).expect("an escaped pattern of at most 1 000 bytes")
}

fn leaves<'a>(filter: &'a Filter, see: &mut dyn FnMut(&'a Filter)) {
    match filter {
        Filter::Not(inner) => leaves(inner, see),
        Filter::All(parts) | Filter::Any(parts) => parts.iter().for_each(|part| leaves(part, see)),
        leaf => see(leaf),
    }
}
