//! From rows to every cell of the scheme.

use std::collections::BTreeMap;

use disclosure::{ConfidentialCell, ConfidentialCount, ConfidentialTable, MeasureScheme, Quantity};
use methodology::{Measure, Table};
use model::{DimensionCode, Key, Units};
use polars::prelude::{
    DataFrame, DataType, Expr, IntoLazy, LazyFrame, PolarsResult, SortOptions, UnionArgs, col, concat, len, lit,
};

use crate::rows::{Rows, dimension_column, field_column};

mod lower;
#[cfg(test)]
mod lowering_tests;
#[cfg(test)]
mod tests;

use lower::Lowered;

/// Why rows could not be turned into cells. No variant carries a cell value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComputeError {
    /// The rows were read for another table, or another version of it.
    #[error("the rows were read for another table")]
    OtherTable,
    /// A row that counts has no amount; to sum it as zero would be a lie.
    #[error("line {line} counts for {indicator} and has no value in column {column}")]
    MissingAmount {
        /// The measure that needs it.
        indicator: model::IndicatorCode,
        /// The column of the table.
        column: String,
        /// The line in the file.
        line: u64,
    },
    /// The engine refused the plan: our bug. The engine's text is not kept, it may quote values.
    #[error("the compute engine refused the plan")]
    Engine,
}

impl ComputeError {
    /// For the agent, in French: cause and cure.
    pub fn message(&self) -> String {
        match self {
            Self::OtherTable => {
                "Le fichier a été lu pour une autre version du référentiel : relancez la lecture.".to_owned()
            }
            Self::MissingAmount { indicator, column, line } => format!(
                "Ligne {line} : la colonne « {column} » est vide alors que l'indicateur « {indicator} » la compte. Saisissez \
                 le montant (0 s'il n'y en a pas)."
            ),
            Self::Engine => "Le calcul a échoué par une erreur du logiciel : signalez-la.".to_owned(),
        }
    }
}

/// Every cell of `table.scheme()`, zeros included.
///
/// Contributors are the different values of the table's unit column among the rows of the cell (the rows, if it
/// has none); for a sum, those whose own sum is above zero, because the others hide nobody. `largest` and `second`
/// are the two largest sums of one contributor, for sums only.
pub fn compute(rows: &Rows, table: &Table) -> Result<ConfidentialTable, ComputeError> {
    if rows.table != table.definition_hash() {
        return Err(ComputeError::OtherTable);
    }
    // The engine panics where the calling thread belongs to a runtime of one thread; a thread of its own belongs to none.
    std::thread::scope(|scope| scope.spawn(|| compute_here(rows, table)).join()).unwrap_or(Err(ComputeError::Engine))
}

fn compute_here(rows: &Rows, table: &Table) -> Result<ConfidentialTable, ComputeError> {
    let plan = Plan::new(rows, table).map_err(|_| ComputeError::Engine)?;
    plan.refuse_missing_amounts(rows)?;
    let facts = plan.facts().map_err(|_| ComputeError::Engine)?;
    Ok(ConfidentialTable::new(plan.cells(&facts)))
}

/// The column that stands for a dimension that is not fixed.
const EVERYTHING: &str = "everything";
/// The row's place, to name a line in an error.
const PLACE: &str = "place";

/// A cell while it is computed: measure, breakdown, places of at most two codes.
type Place = (u32, u32, u32, u32);

/// Value, contributors, largest, second. No `Debug`: it would print them.
#[derive(Clone, Copy, Default)]
struct Fact([Units; 4]);

struct Plan<'a> {
    table: &'a Table,
    frame: DataFrame,
    /// Per measure of the scheme: its definition and which rows count.
    measures: Vec<(&'a MeasureScheme, &'a Measure, Expr)>,
}

impl<'a> Plan<'a> {
    fn new(rows: &Rows, table: &'a Table) -> PolarsResult<Self> {
        let mut lowered = Lowered::new(&rows.frame, table);
        let mut measures = Vec::new();
        for scheme in table.scheme().measures() {
            let measure = table
                .indicator(&scheme.indicator)
                .and_then(|indicator| indicator.measure())
                .expect("a scheme's measures are its table's indicators");
            measures.push((scheme, measure, lowered.rows_of(measure)?));
        }
        let columns = [(EVERYTHING, vec![0_u32; rows.height()]), (PLACE, (0..).take(rows.height()).collect())];
        let frame = lowered.frame_with(columns)?;
        Ok(Self { table, frame, measures })
    }

    fn refuse_missing_amounts(&self, rows: &Rows) -> Result<(), ComputeError> {
        for (scheme, measure, filter) in &self.measures {
            let Quantity::Sum { column } = &measure.quantity else { continue };
            let blank = col(field_column(column)).is_null();
            let place =
                self.frame.clone().lazy().filter(filter.clone().and(blank)).select([col(PLACE).min()]).collect();
            let place =
                place.and_then(|frame| Ok(frame.column(PLACE)?.u32()?.get(0))).map_err(|_| ComputeError::Engine)?;
            if let Some(line) = place.and_then(|place| rows.lines.get(usize::try_from(place).ok()?)) {
                return Err(ComputeError::MissingAmount {
                    indicator: scheme.indicator.clone(),
                    column: column.clone(),
                    line: *line,
                });
            }
        }
        Ok(())
    }

    /// All cells that hold a row, in one plan.
    fn facts(&self) -> PolarsResult<BTreeMap<Place, Fact>> {
        let base = self.frame.clone().lazy();
        let mut parts = Vec::new();
        for (m, (scheme, measure, filter)) in (0_u32..).zip(&self.measures) {
            let counted = base.clone().filter(filter.clone());
            for (b, breakdown) in (0_u32..).zip(&scheme.breakdowns) {
                let mut axes = breakdown.iter().map(|code| col(dimension_column(code)));
                let mut next = |name: &str| axes.next().unwrap_or_else(|| col(EVERYTHING)).alias(name);
                let keys = [next("k0"), next("k1")];
                let part = self.aggregated(&counted, measure, keys);
                parts.push(part.select([
                    lit(m).cast(DataType::UInt32).alias("m"),
                    lit(b).cast(DataType::UInt32).alias("b"),
                    col("k0"),
                    col("k1"),
                    col("value").cast(DataType::Int64),
                    col("contributors").cast(DataType::Int64),
                    col("largest").cast(DataType::Int64),
                    col("second").cast(DataType::Int64),
                ]));
            }
        }
        if parts.is_empty() {
            return Ok(BTreeMap::new());
        }
        collected(&concat(&parts, UnionArgs::default())?.collect()?)
    }

    fn aggregated(&self, counted: &LazyFrame, measure: &Measure, keys: [Expr; 2]) -> LazyFrame {
        let unit = self.table.unit().map(|unit| col(field_column(unit)));
        let zero = || lit(0_i64);
        let contributors = || unit.clone().map_or_else(len, Expr::n_unique);
        match &measure.quantity {
            Quantity::Rows => counted.clone().group_by(keys).agg([
                len().alias("value"),
                contributors().alias("contributors"),
                zero().alias("largest"),
                zero().alias("second"),
            ]),
            Quantity::Distinct { column } => {
                let distinct = col(field_column(column)).n_unique();
                let contributors = unit.map_or_else(|| distinct.clone(), Expr::n_unique);
                counted.clone().group_by(keys).agg([
                    distinct.alias("value"),
                    contributors.alias("contributors"),
                    zero().alias("largest"),
                    zero().alias("second"),
                ])
            }
            // A row without weight adds nothing, so it hides nobody either.
            Quantity::Weight { column } => {
                counted.clone().filter(col(field_column(column)).gt(zero())).group_by(keys).agg([
                    col(field_column(column)).sum().alias("value"),
                    contributors().alias("contributors"),
                    zero().alias("largest"),
                    zero().alias("second"),
                ])
            }
            Quantity::Sum { column } => {
                let [k0, k1] = keys;
                let own = unit.unwrap_or_else(|| col(PLACE)).alias("unit");
                let descending = SortOptions::default().with_order_descending(true);
                let sum = || col("sum");
                counted
                    .clone()
                    .group_by([k0, k1, own])
                    .agg([col(field_column(column)).sum().alias("sum")])
                    .group_by([col("k0"), col("k1")])
                    .agg([
                        sum().sum().alias("value"),
                        sum().gt(zero()).sum().alias("contributors"),
                        sum().max().alias("largest"),
                        sum().sort(descending).slice(lit(1_i64), lit(1_i64)).sum().alias("second"),
                    ])
            }
        }
    }

    fn cells(&self, facts: &BTreeMap<Place, Fact>) -> Vec<ConfidentialCell> {
        let mut cells = Vec::new();
        for (m, (scheme, _, _)) in (0_u32..).zip(&self.measures) {
            for (b, breakdown) in (0_u32..).zip(&scheme.breakdowns) {
                for (k0, k1, key) in self.keys(breakdown) {
                    let Fact([value, contributors, largest, second]) =
                        facts.get(&(m, b, k0, k1)).copied().unwrap_or_default();
                    cells.push(ConfidentialCell {
                        indicator: scheme.indicator.clone(),
                        key,
                        value: ConfidentialCount::new(value),
                        contributors: ConfidentialCount::new(contributors),
                        largest: ConfidentialCount::new(largest),
                        second: ConfidentialCount::new(second),
                    });
                }
            }
        }
        cells
    }

    /// Every key of a breakdown with the places of its codes, in the order of the dimension codes.
    fn keys(&self, breakdown: &std::collections::BTreeSet<DimensionCode>) -> Vec<(u32, u32, Key)> {
        let mut keys = vec![([0_u32; 2], Key::total())];
        for (axis, dimension) in breakdown.iter().enumerate() {
            let codes = &self.table.scheme().dimensions()[dimension];
            keys = keys
                .iter()
                .flat_map(|(places, key)| {
                    (0_u32..).zip(codes).map(move |(place, code)| {
                        let mut places = *places;
                        places[axis] = place;
                        (places, key.clone().with(dimension.clone(), code.clone()))
                    })
                })
                .collect();
        }
        keys.into_iter().map(|([k0, k1], key)| (k0, k1, key)).collect()
    }
}

fn collected(frame: &DataFrame) -> PolarsResult<BTreeMap<Place, Fact>> {
    let places =
        [frame.column("m")?.u32()?, frame.column("b")?.u32()?, frame.column("k0")?.u32()?, frame.column("k1")?.u32()?];
    let figures = [
        frame.column("value")?.i64()?,
        frame.column("contributors")?.i64()?,
        frame.column("largest")?.i64()?,
        frame.column("second")?.i64()?,
    ];
    let mut facts = BTreeMap::new();
    for row in 0..frame.height() {
        let [m, b, k0, k1] = places.map(|column| column.get(row).unwrap_or(0));
        facts.insert((m, b, k0, k1), Fact(figures.map(|column| column.get(row).unwrap_or(0))));
    }
    Ok(facts)
}
