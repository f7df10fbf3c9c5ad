//! Anybody's tables, without a pack and without a hub: what to hide in them, and what an intruder would find.
//!
//! Files are read and written here; what is hidden is decided in [`disclosure::tables`]. Nothing is written before
//! everything is decided, and then every file whole or not at all.

mod french;
mod output;
mod rule;

use std::path::PathBuf;

use disclosure::Zeros;
use disclosure::tables::{
    Assembled, Attacked, Criterion, Decision, Dimension, Request, Seen, Singletons, Table, Violation, at_source,
};
use model::{Decimals, Failure};
use tabular::grid::{Edition, GridFile, Owners, Purpose, hierarchy};

pub use output::write;
pub use rule::Rule;

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
        dimensions,
    };
    let mut remarks = files.remarks(ask);
    let decimals = files.decimals();
    let (earlier, tables) = files.tables(decimals)?;
    let one = decimals.one();
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
        criteria: &policy.criteria,
        marked: ask.primary.is_some(),
        zeros: policy.zeros,
        width: i64::from(policy.width).saturating_mul(one),
        singletons: ask.singletons.unwrap_or_else(|| files.singletons()),
        keep_published: ask.keep_published,
    };
    let assembled = Assembled::of(&request).map_err(|misfit| files.misfit(&misfit))?;
    stage(Stage::Deciding { cells: assembled.cells(), primaries: assembled.primaries() });
    let decision = match assembled.suppress(None) {
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

/// What to attack.
#[derive(Clone, Debug)]
pub struct Attack {
    /// Published tables, with what is hidden in them.
    pub cells: Vec<PathBuf>,
    /// What adds up to what.
    pub hierarchy: PathBuf,
    /// How wide every primary must be, in whole units.
    pub width: u32,
    /// Whether the interval of every hidden cell is wanted.
    pub intervals: bool,
}

/// What the intruder found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Cells of all tables, each once.
    pub cells: usize,
    /// Of them, hidden.
    pub hidden: usize,
    /// Of them, those that must vary.
    pub asked: usize,
    /// Those that do not, by kind.
    pub violations: Vec<(Violation, String)>,
    /// The intervals as a file, if wanted.
    pub intervals: Option<Vec<u8>>,
}

/// Plays the intruder against published tables: visible figures, relations, ranges, nothing else.
///
/// # Errors
/// Files that do not read, visible figures that contradict each other.
pub fn attack(ask: &Attack, mut stage: impl FnMut(Stage)) -> Result<Found, Failure> {
    stage(Stage::Reading);
    if ask.width == 0 {
        return Err(french::invalid("TABLE_WIDTH", "a width of zero", "La largeur demandée est au moins 1."));
    }
    let dimensions = hierarchy(&ask.hierarchy).map_err(|fault| french::fault(&fault))?;
    let files = Files { present: open(&ask.cells, &dimensions, Purpose::Attack)?, earlier: Vec::new(), dimensions };
    let decimals = files.decimals();
    let (_, tables) = files.tables(decimals)?;
    let seen = Seen::of(&files.dimensions, &tables).map_err(|misfit| files.misfit(&misfit))?;
    let (cells, hidden) = seen.cells();
    stage(Stage::Attacking { cells, hidden });
    let width = i64::from(ask.width).saturating_mul(decimals.one());
    let width = u32::try_from(width).map_err(|_| {
        french::invalid("TABLE_WIDTH", "a width beyond what is computed with", "La largeur demandée est trop grande.")
    })?;
    let Attacked { asked, violations, intervals } =
        seen.attack(width, ask.intervals).map_err(|misfit| files.misfit(&misfit))?;
    let violations = violations.into_iter().map(|(place, violation)| (violation, files.cell(place))).collect();
    let intervals = ask.intervals.then(|| {
        let names: Vec<usize> = seen.dimensions().collect();
        output::intervals(&files.dimensions, &names, &intervals, decimals)
    });
    Ok(Found { cells, hidden, asked, violations, intervals })
}

fn open(paths: &[PathBuf], dimensions: &[Dimension], purpose: Purpose<'_>) -> Result<Vec<GridFile>, Failure> {
    let open = |path: &PathBuf| GridFile::open(path, dimensions, purpose).map_err(|faults| french::faults(&faults));
    paths.iter().map(open).collect()
}

impl Files {
    /// The decimals of the finest file: linked tables are compared digit by digit.
    fn decimals(&self) -> Decimals {
        let finest = self.present.iter().chain(&self.earlier).map(GridFile::decimals).max().unwrap_or_default();
        Decimals::new(finest).unwrap_or(Decimals::NONE)
    }

    fn tables(&self, decimals: Decimals) -> Result<(Vec<Table>, Vec<Table>), Failure> {
        let mut owners = Owners::default();
        let mut read = |files: &[GridFile]| {
            let table = |file: &GridFile| file.table(&self.dimensions, decimals.places(), &mut owners);
            files.iter().map(table).collect::<Result<Vec<_>, _>>().map_err(|faults| french::faults(&faults))
        };
        Ok((read(&self.earlier)?, read(&self.present)?))
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
            decision: Decision { tables: decided, cells, primary: 0, secondary: 0, kept: (1, 1), proof: 0 },
            remarks,
        }
    }
}
