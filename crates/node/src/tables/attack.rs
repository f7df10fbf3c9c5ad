//! What an intruder would find in published tables.

use std::path::PathBuf;

use disclosure::tables::{Attacked, Audience, Finding, Intruder, Played, Singletons, Step, Violation};
use model::Failure;
use tabular::grid::{Purpose, hierarchy};

use super::french::{self, Files};
use super::{AtSource, Stage, open, open_sources, output, sources};

/// What to attack.
#[derive(Clone, Debug)]
pub struct Attack {
    /// Published tables, with what is hidden in them.
    pub cells: Vec<PathBuf>,
    /// What adds up to what.
    pub hierarchy: PathBuf,
    /// How wide every primary must be, in whole units.
    pub width: u32,
    /// What was published before, oldest first.
    pub history: Vec<PathBuf>,
    /// Cells that somebody knows besides: one intruder per file.
    pub known: Vec<PathBuf>,
    /// What producers publish about some of the same cells.
    pub sources: Vec<AtSource>,
    /// Which contributors know their own figures; by what the tables say of contributors if not given.
    pub singletons: Option<Singletons>,
    /// Whether the interval of every hidden cell is wanted.
    pub intervals: bool,
}

/// What one kind of intruder found.
#[derive(Clone, Debug)]
pub struct Line {
    /// Who, and how many of them; French.
    pub who: String,
    /// How many cells had to vary.
    pub asked: usize,
    /// Those that do not, by kind, and where they stand.
    pub violations: Vec<(Violation, String)>,
}

/// What all of them found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Cells of all tables, each once.
    pub cells: usize,
    /// Of them, hidden.
    pub hidden: usize,
    /// Cells with at least one violation.
    pub violated: usize,
    /// Of the cells, those that must vary: the most that a kind of intruder was asked about.
    pub asked: usize,
    /// By kind of intruder.
    pub lines: Vec<Line>,
    /// What was not played, and why; French.
    pub remarks: Vec<String>,
    /// The intervals as a file, if wanted.
    pub intervals: Option<Vec<u8>>,
}

/// Plays the intruders against published tables: visible figures, relations, ranges; for those who know some of the
/// hidden figures, these too, and nothing else.
///
/// # Errors
/// Files that do not read, visible figures that contradict each other.
pub fn attack(ask: &Attack, mut stage: impl FnMut(Stage)) -> Result<Found, Failure> {
    stage(Stage::Reading);
    if ask.width == 0 {
        return Err(french::invalid("TABLE_WIDTH", "a width of zero", "La largeur demandée est au moins 1."));
    }
    let dimensions = hierarchy(&ask.hierarchy).map_err(|fault| french::fault(&fault))?;
    let files = Files {
        present: open(&ask.cells, &dimensions, Purpose::Attack)?,
        earlier: open(&ask.history, &dimensions, Purpose::Attack)?,
        besides: [open(&ask.known, &dimensions, Purpose::Know)?, open_sources(&ask.sources, &dimensions)?]
            .into_iter()
            .flatten()
            .collect(),
        dimensions,
    };
    let decimals = files.decimals();
    let [earlier, tables, besides] = files.tables(decimals)?;
    let (known, published) = besides.split_at(ask.known.len());
    let sources = sources(&ask.sources, published, decimals.one());
    let width = i64::from(ask.width).saturating_mul(decimals.one());
    if u32::try_from(width).is_err() {
        return Err(french::invalid(
            "TABLE_WIDTH",
            "a width beyond what is computed with",
            "La largeur demandée est trop grande.",
        ));
    }
    let audience = Audience {
        dimensions: &files.dimensions,
        earlier: &earlier,
        tables: &tables,
        known,
        sources: &sources,
        one: decimals.one(),
        width,
        singletons: ask.singletons.unwrap_or_else(|| files.singletons()),
        intervals: ask.intervals,
    };
    let mut told = |step| {
        stage(match step {
            Step::Cells { cells, hidden } => Stage::Attacking { cells, hidden },
            Step::Player { player, of } => Stage::Playing { player, of },
        });
    };
    let misfit = |misfit| files.misfit(&misfit);
    let Attacked { cells, hidden, unmeasured, played, intervals } = audience.attack(&mut told).map_err(misfit)?;
    let intervals = if ask.intervals {
        let axes = audience.axes().map_err(misfit)?;
        Some(output::intervals(&files.dimensions, &axes, &intervals, decimals))
    } else {
        None
    };
    let mut violated: Vec<_> =
        played.iter().flat_map(|played| &played.findings).map(|finding| (finding.place, finding.together)).collect();
    violated.sort_unstable();
    violated.dedup();
    Ok(Found {
        cells,
        hidden,
        violated: violated.len(),
        asked: played.iter().map(|played| played.asked).max().unwrap_or_default(),
        remarks: Files::unplayed(&played, unmeasured),
        lines: played.iter().map(|played| files.line(played)).collect(),
        intervals,
    })
}

impl Files {
    fn line(&self, played: &Played) -> Line {
        let who = match played.intruder {
            Intruder::Reader => "Lecteur de ce qui est publié maintenant".to_owned(),
            Intruder::Archivist => "Lecteur des seules publications antérieures".to_owned(),
            Intruder::Collector => "Lecteur de tout ; ce qui n’a pas visiblement changé est inchangé".to_owned(),
            Intruder::Contributors => {
                format!(
                    "Contributeurs qui connaissent leurs propres cellules ({}), en plus",
                    render::number::counted(played.players, "joué", "joués")
                )
            }
            Intruder::Insider(index) => {
                format!("Qui connaît {}, en plus", self.besides.get(index).map_or("", tabular::grid::GridFile::name))
            }
        };
        let named = |&Finding { place, together, violation }: &Finding| {
            let cell = self.cell(place);
            let cell = if together {
                format!("{cell} : ce qu’un même contributeur a dans plusieurs de ses parties, ensemble")
            } else {
                cell
            };
            (violation, cell)
        };
        Line { who, asked: played.asked, violations: played.findings.iter().map(named).collect() }
    }

    /// What nobody could play, and why.
    fn unplayed(played: &[Played], unmeasured: usize) -> Vec<String> {
        let mut remarks = Vec::new();
        let contributors = played.iter().find(|played| played.intruder == Intruder::Contributors);
        match contributors {
            None => remarks.push(
                "Aucun contributeur n’a été joué : aucune cellule cachée n’en a un seul (colonnes owner et contributors ; \
                 --singletons alone tient compte des effectifs de 1)."
                    .to_owned(),
            ),
            Some(played) if played.absent > 0 => remarks.push(format!(
                "{} : le fichier ne contient pas les valeurs de leurs cellules cachées. Donnez le fichier de travail, ou \
                 leurs cellules avec --known.",
                render::number::counted(played.absent, "contributeur n’a pas été joué", "contributeurs n’ont pas été joués")
            )),
            Some(_) => {}
        }
        if unmeasured > 0 {
            remarks.push(format!(
                "{} : la valeur n’est pas dans le fichier, lpl et upl ont été vérifiées ensemble (haut − bas ≥ lpl + upl).",
                render::number::counted(unmeasured, "cellule", "cellules")
            ));
        }
        remarks
    }
}
