//! Anybody's tables, without a pack and without a hub: what to hide in them, and what an intruder would find.
//!
//! Files are read and written here; what is hidden is decided in [`disclosure::tables`]. Nothing is written before
//! everything is decided, and then every file whole or not at all.

mod attack;
mod french;
mod output;
mod rule;

use std::path::PathBuf;

use disclosure::Zeros;
use disclosure::tables::{Assembled, Criterion, Decision, Dimension, Request, Singletons, Source, Table, at_source};
use model::{Decimals, Failure};
use tabular::grid::{Edition, GridFile, Owners, Purpose, hierarchy};

pub use attack::{Attack, Found, Line, attack};
pub use output::{free, write};
pub use rule::{AtSource, Rule};

use french::Files;

/// What to protect, and how.
#[derive(Clone, Debug)]
pub struct Protect {
    /// Tables that are published together.
    pub tables: Vec<PathBuf>,
    /// What adds up to what.
    pub hierarchy: PathBuf,
    /// Rules; cells that one of them names are hidden.
    pub rules: Vec<Rule>,
    /// The column that marks cells to hide.
    pub primary: Option<String>,
    /// How wide every primary must stay, in whole units of the figures; what the rules say, or 1, if not given.
    pub width: Option<u32>,
    /// Whether zeros are hidden by rules; what the rules say, or not, if not given.
    pub zeros: Option<Zeros>,
    /// Outputs of earlier runs, oldest first.
    pub history: Vec<PathBuf>,
    /// Whose own figures are reckoned with; by what the tables say of contributors if not given.
    pub singletons: Option<Singletons>,
    /// Whether what was published before and is now forbidden stays shown.
    pub keep_published: bool,
    /// What producers publish about some of the same cells.
    pub sources: Vec<AtSource>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Files are read.
    Reading,
    /// So many cells, of which so many must be hidden; the rest is searched for.
    Deciding {
        /// To be published.
        cells: usize,
        /// Must be hidden.
        primaries: usize,
    },
    /// So many cells, of which so many are hidden; they are attacked.
    Attacking {
        /// Of all tables.
        cells: usize,
        /// Of them.
        hidden: usize,
    },
    /// Somebody who knows more than others tries, one after the other.
    Playing {
        /// Which, from 1.
        player: usize,
        /// How many there are of the kind.
        of: usize,
    },
}

/// What came out of it. Confidential: no `Debug`.
pub enum Outcome {
    /// One decision for all tables.
    Protected(Protected),
    /// Nothing that may be hidden is enough.
    Refused {
        /// How many cells cannot be protected.
        count: usize,
        /// Which, why, and what may be done; French.
        message: String,
    },
}

/// Tables with what was decided about every row, ready to be written.
pub struct Protected {
    /// What was decided. Confidential as a whole.
    pub decision: Decision,
    /// How wide every primary is at least, in whole units.
    pub width: u32,
    /// Whether a threshold larger than the width was asked for.
    pub narrower_than_threshold: Option<u32>,
    /// Per table: the file with its decisions.
    pub working: Vec<Vec<u8>>,
    /// Per table: codes and shown figures only.
    pub public: Vec<Vec<u8>>,
    /// Remarks for the person at the keyboard, French.
    pub remarks: Vec<String>,
}

/// Decides what to hide.
///
/// # Errors
/// Files that do not read, tables that do not add up, rules that need more columns: with place, cause and cure.
pub fn protect(ask: &Protect, mut stage: impl FnMut(Stage)) -> Result<Outcome, Failure> {
    stage(Stage::Reading);
    if ask.rules.is_empty() && ask.primary.is_none() {
        return Err(french::invalid(
            "TABLE_RULE",
            "no rule and no primary column",
            "Dites ce qui doit être caché : --rule threshold=5 (ou une autre règle), ou --primary-column primary.",
        ));
    }
    let dimensions = hierarchy(&ask.hierarchy).map_err(|fault| french::fault(&fault))?;
    let purpose = Purpose::Protect { primary: ask.primary.as_deref() };
    let files = Files {
        present: open(&ask.tables, &dimensions, purpose)?,
        earlier: open(&ask.history, &dimensions, Purpose::Remember)?,
        besides: open_sources(&ask.sources, &dimensions)?,
        dimensions,
    };
    let mut remarks = files.remarks(ask);
    let decimals = files.decimals();
    let [earlier, tables, besides] = files.tables(decimals)?;
    let one = decimals.one();
    let sources = sources(&ask.sources, &besides, one);
    let policy = rule::Policy::of(&ask.rules, ask.width, ask.zeros)?;
    if let Some((below, above)) = policy.at_source {
        at_source(&files.dimensions, &tables, i64::from(below) * one, i64::from(above) * one)
            .map_err(|misfit| files.misfit(&misfit))?;
        remarks.push(
            "Ces chiffres sont protégés par leur producteur : tout est montré, et rien n’est ajouté au secret."
                .to_owned(),
        );
        return Ok(Outcome::Protected(files.shown(&tables, remarks)));
    }
    let request = Request {
        dimensions: &files.dimensions,
        earlier: &earlier,
        tables: &tables,
        one,
        sources: &sources,
        criteria: &policy.criteria,
        marked: ask.primary.is_some(),
        zeros: policy.zeros,
        width: i64::from(policy.width).saturating_mul(one),
        singletons: ask.singletons.unwrap_or_else(|| files.singletons()),
        keep_published: ask.keep_published,
    };
    let assembled = Assembled::of(&request).map_err(|misfit| files.misfit(&misfit))?;
    stage(Stage::Deciding { cells: assembled.cells(), primaries: assembled.primaries() });
    let decision = match assembled.suppress() {
        Ok(decision) => decision,
        Err(refusal) => {
            return Ok(Outcome::Refused { count: refusal.primaries.len(), message: files.refusal(&refusal) });
        }
    };
    let threshold = |criterion: &Criterion| match criterion {
        Criterion::Threshold { least } if *least > policy.width => Some(*least),
        _ => None,
    };
    let write = |edition| {
        let of = |(file, decided): (&GridFile, &Vec<_>)| file.decided(decided, edition);
        files.present.iter().zip(&decision.tables).map(of).collect()
    };
    Ok(Outcome::Protected(Protected {
        working: write(Edition::Working),
        public: write(Edition::Public),
        width: policy.width,
        narrower_than_threshold: policy.criteria.iter().filter_map(threshold).max(),
        decision,
        remarks,
    }))
}

fn open_sources(sources: &[AtSource], dimensions: &[Dimension]) -> Result<Vec<GridFile>, Failure> {
    let paths: Vec<PathBuf> = sources.iter().map(|source| source.path.clone()).collect();
    open(&paths, dimensions, Purpose::Know)
}

fn sources<'a>(asked: &[AtSource], tables: &'a [Table], one: i64) -> Vec<Source<'a>> {
    let source = |(asked, table): (&AtSource, &'a Table)| {
        let units = |whole: u32| i64::from(whole).saturating_mul(one);
        Source { table, below: units(asked.below), above: units(asked.above) }
    };
    asked.iter().zip(tables).map(source).collect()
}

fn open(paths: &[PathBuf], dimensions: &[Dimension], purpose: Purpose<'_>) -> Result<Vec<GridFile>, Failure> {
    let open = |path: &PathBuf| GridFile::open(path, dimensions, purpose).map_err(|faults| french::faults(&faults));
    paths.iter().map(open).collect()
}

impl Files {
    /// The decimals of the finest file: linked tables are compared digit by digit.
    fn decimals(&self) -> Decimals {
        let finest = self
            .present
            .iter()
            .chain(&self.earlier)
            .chain(&self.besides)
            .map(GridFile::decimals)
            .max()
            .unwrap_or_default();
        Decimals::new(finest).unwrap_or(Decimals::NONE)
    }

    /// Earlier tables, present ones, and what is known besides.
    fn tables(&self, decimals: Decimals) -> Result<[Vec<Table>; 3], Failure> {
        let mut owners = Owners::default();
        let mut read = |files: &[GridFile]| {
            let table = |file: &GridFile| file.table(&self.dimensions, decimals.places(), &mut owners);
            files.iter().map(table).collect::<Result<Vec<_>, _>>().map_err(|faults| french::faults(&faults))
        };
        Ok([read(&self.earlier)?, read(&self.present)?, read(&self.besides)?])
    }

    /// Where contributors are counted, whoever is alone is reckoned with, named or not.
    fn singletons(&self) -> Singletons {
        if self.present.iter().any(|file| file.has("contributors")) { Singletons::Alone } else { Singletons::Named }
    }

    fn shown(&self, tables: &[Table], remarks: Vec<String>) -> Protected {
        let all = |table: &Table| vec![disclosure::tables::Decided::default(); table.rows.len()];
        let decided: Vec<_> = tables.iter().map(all).collect();
        let write =
            |edition| self.present.iter().zip(&decided).map(|(file, decided)| file.decided(decided, edition)).collect();
        let cells = tables.iter().map(|table| table.rows.len()).sum();
        Protected {
            working: write(Edition::Working),
            public: write(Edition::Public),
            width: 0,
            narrower_than_threshold: None,
            decision: Decision { tables: decided, cells, kept: (1, 1), ..Decision::default() },
            remarks,
        }
    }
}
