//! From rows to every cell of the scheme.

use disclosure::{ConfidentialCell, ConfidentialCount, ConfidentialTable, MeasureScheme};
use methodology::{Relation, Table};
use model::{DimensionCode, Key};

use crate::rows::Rows;

#[cfg(test)]
mod by_hand;
mod claims;
mod figures;
#[cfg(test)]
mod filters;
mod median;
#[cfg(test)]
mod tests;

use figures::{Fact, Figures};
pub use median::median;
#[cfg(test)]
pub(crate) use tests::exposed;

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
    /// Rows that the pack's author says cannot be. Disclosure control relies on it, so nothing is computed from them.
    #[error("rows break the declared relation {}", .0.in_french())]
    BrokenRelation(Relation),
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
            Self::BrokenRelation(relation) => format!(
                "Le référentiel affirme que {} ({}), et des lignes du fichier disent le contraire. Corrigez ces lignes ; si elles \
                 sont justes, signalez-le à l'auteur du référentiel.",
                claim(relation),
                relation.in_french()
            ),
        }
    }
}

fn claim(relation: &Relation) -> String {
    match relation {
        Relation::Within(part, whole) | Relation::Bound(part, whole) => {
            format!("tout ce qui compte pour « {part} » compte pour « {whole} »")
        }
        Relation::Apart(a, b) => format!("rien ne compte à la fois pour « {a} » et « {b} »"),
        Relation::Partition { whole, parts } => {
            let parts: Vec<String> = parts.iter().map(|part| format!("« {part} »")).collect();
            format!("ce qui compte pour « {whole} » compte pour un seul de {}", parts.join(", "))
        }
        Relation::Same(a, b) | Relation::Overlap(a, b) => format!("« {a} » et « {b} » ont des lignes en commun"),
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
    let figures = Figures::new(&rows.shape, &rows.tally);
    let measures = &rows.shape.measures;
    for measure in measures {
        if let Some(line) = figures.first_blank(measure) {
            return Err(ComputeError::MissingAmount {
                indicator: measure.indicator.clone(),
                column: measure.column.clone(),
                line,
            });
        }
    }
    // Rows that stand for totals keep to no promise about what these do not say.
    let known = |claim: &&Relation| !rows.not_collected().any(|unknown| claim.indicators().contains(&unknown));
    if let Some(broken) = table.claims().filter(known).find(|claim| figures.broken(claim)) {
        return Err(ComputeError::BrokenRelation(broken.clone()));
    }
    let mut cells = Vec::new();
    for (scheme, facts) in table.scheme().measures().iter().zip(each(measures, |measure| figures.of(measure))) {
        for (breakdown, facts) in scheme.breakdowns.iter().zip(facts) {
            let facts = facts.into_iter().map(|fact| if rows.unfolded { fact.of_unknown_shares() } else { fact });
            cells.extend(keys(table, breakdown).into_iter().zip(facts).map(|(key, fact)| cell(scheme, key, fact)));
        }
    }
    let table = ConfidentialTable::new(cells).without(rows.unknown.clone());
    if rows.unfolded {
        return Ok(table.of_totals());
    }
    let most = rows.shape.unit.map_or(1, |unit| rows.tally.identities[unit].most_rows());
    Ok(table.with_rows_of_one(ConfidentialCount::new(most)))
}

/// `work` of each item, in order, by as many threads as there are processors.
fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let share = items.len().div_ceil(threads()).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> =
            items.chunks(share).map(|part| scope.spawn(|| part.iter().map(&work).collect::<Vec<R>>())).collect();
        let joined = parts.into_iter().flat_map(|part| match part.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect()
    })
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn cell(scheme: &MeasureScheme, key: Key, fact: Fact) -> ConfidentialCell {
    let Fact { value, contributors, largest, second } = fact;
    ConfidentialCell {
        indicator: scheme.indicator.clone(),
        key,
        value: ConfidentialCount::new(value),
        contributors: ConfidentialCount::new(contributors),
        largest: ConfidentialCount::new(largest),
        second: ConfidentialCount::new(second),
    }
}

/// Every key of a breakdown, the last dimension turning fastest.
fn keys(table: &Table, breakdown: &std::collections::BTreeSet<DimensionCode>) -> Vec<Key> {
    breakdown.iter().fold(vec![Key::total()], |keys, dimension| {
        let codes = &table.scheme().dimensions()[dimension];
        let with = |key: &Key| codes.iter().map(|code| key.clone().with(dimension.clone(), code.clone())).collect();
        keys.iter().flat_map(|key| -> Vec<Key> { with(key) }).collect()
    })
}
