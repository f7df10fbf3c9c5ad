//! From the commune's files to confidential tables, in memory only.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use disclosure::{ConfidentialTable, Protection, Rule};
use methodology::{LooserRule, Pack, Table};
use model::{CommuneCode, IndicatorCode, PackCode, Period, Slice, Units};
use tabular::Faults;

use crate::config::{NodeConfig, Source};

/// What became of one source.
#[derive(Debug)]
pub struct Collected<'a> {
    /// The source, as the settings say it.
    pub source: &'a Source,
    /// The table of the pack that it feeds, with the commune's stricter rules if it has any.
    pub table: Cow<'a, Table>,
    /// The pack.
    pub pack: &'a Pack,
    /// The slice that its figures fill.
    pub slice: Slice,
    /// How many rows the file holds.
    pub rows: usize,
    /// How many total rows were set aside.
    pub set_aside: usize,
    /// How many measures the table has.
    pub measures: usize,
    /// Those that the file says nothing about: it holds totals without what they count.
    pub not_collected: Vec<IndicatorCode>,
    /// Every cell, exact.
    pub confidential: ConfidentialTable,
}

/// Why a source gave no table.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The settings describe no file.
    #[error("node.toml describes no source")]
    NoSource,
    /// The file is not as it should be.
    #[error("{file}: {faults}")]
    File {
        /// The file, as the settings name it.
        file: String,
        /// Line by line.
        faults: Faults,
    },
    /// The settings name a pack that the hub did not give.
    #[error("pack {pack} is not known to this node")]
    UnknownPack {
        /// The pack.
        pack: PackCode,
    },
    /// A pack of the commune's own does not read.
    #[error("the local pack in {folder} does not read")]
    LocalPack {
        /// Its folder, as the settings name it.
        folder: String,
        /// The first thing that is wrong, in French.
        message: String,
    },
    /// The settings name a table that the pack does not have.
    #[error("pack {pack} has no table {table}")]
    UnknownTable {
        /// The pack.
        pack: PackCode,
        /// The table.
        table: String,
        /// The tables that it has.
        known: Vec<String>,
    },
    /// The settings name a commune that this node may not speak for.
    #[error("{territory} is not a territory of this node")]
    NotYours {
        /// The commune.
        territory: CommuneCode,
        /// Those that it may speak for.
        yours: Vec<CommuneCode>,
    },
    /// The settings give the table a month where it speaks of years.
    #[error("{table} does not take period {period}")]
    PeriodKind {
        /// French title of the table.
        table: String,
        /// The period of the settings.
        period: Period,
        /// What the table takes, in French.
        takes: String,
    },
    /// Two sources fill the same slice.
    #[error("two sources fill {0}")]
    SameSlice(Slice),
    /// A rule of the commune's own is looser than the pack's.
    #[error("{0}")]
    Looser(#[from] LooserRule),
    /// The figures could not be computed.
    #[error("{file}: {source}")]
    Compute {
        /// The file.
        file: String,
        /// Why.
        source: tabular::ComputeError,
    },
}

impl CollectError {
    /// Lines for the person at the keyboard: place, cause, cure.
    pub fn french(&self) -> Vec<String> {
        match self {
            Self::NoSource => vec![
                "Aucune source n’est décrite dans node.toml. Ajoutez au moins un bloc [[source]] ; le modèle deploy/node.toml en donne un exemple."
                    .to_owned(),
            ],
            Self::File { file, faults } => {
                let mut lines = vec![format!("✗ {file}")];
                lines.extend(faults.first.iter().map(|fault| {
                    let place = match (fault.line, &fault.column) {
                        (Some(line), Some(column)) => format!("ligne {line}, colonne « {column} » : "),
                        (Some(line), None) => format!("ligne {line} : "),
                        (None, Some(column)) => format!("colonne « {column} » : "),
                        (None, None) => String::new(),
                    };
                    format!("  {place}{}", fault.message)
                }));
                let more = faults.total.saturating_sub(faults.first.len() as u64);
                if more > 0 {
                    lines.push(format!("  … et {more} autres du même fichier."));
                }
                lines
            }
            Self::UnknownPack { pack } => vec![format!(
                "✗ Le référentiel « {pack} » cité dans node.toml n’est pas connu de ce poste. Vérifiez son nom, ou relancez « maillage node preview » avec le centre joignable : il retélécharge les référentiels."
            )],
            Self::LocalPack { folder, message } => vec![format!(
                "✗ Le référentiel de la commune dans {folder} (bloc [[local]] de node.toml) ne se lit pas. {message} « maillage pack check {folder} » montre tout."
            )],
            Self::UnknownTable { pack, table, known } => vec![format!(
                "✗ Le référentiel « {pack} » n’a pas de tableau « {table} ». Tableaux possibles : {}.",
                known.join(", ")
            )],
            Self::NotYours { territory, yours } => {
                let yours: Vec<&str> = yours.iter().map(CommuneCode::as_str).collect();
                vec![format!(
                    "✗ Ce poste n’est pas autorisé à envoyer pour {territory} (réglage territory de node.toml). Autorisé : {}. Corrigez le réglage, ou demandez à l’union une invitation qui couvre aussi cette commune.",
                    yours.join(", ")
                )]
            }
            Self::PeriodKind { table, period, takes } => vec![format!(
                "✗ « {table} » ne se remplit pas pour la période {period} (réglage period de node.toml). Période attendue : {takes}."
            )],
            Self::SameSlice(slice) => vec![format!(
                "✗ Deux sources de node.toml remplissent le même tableau ({slice}). Gardez-en une seule, ou changez la période de l’autre."
            )],
            Self::Looser(LooserRule::NotAMeasure(indicator)) => vec![format!(
                "✗ Le réglage [stricter] de node.toml cite « {indicator} », qui n’est pas un indicateur compté par ce tableau (un ratio suit les règles de ses deux termes)."
            )],
            Self::Looser(LooserRule::Looser(indicator)) => vec![format!(
                "✗ Le seuil de « {indicator} » dans [stricter] (node.toml) est plus faible que celui du référentiel. Une commune peut être plus stricte, jamais moins."
            )],
            // Its cause is about the scheme, in words of programmers; the error's own text has it.
            Self::Looser(LooserRule::Invalid(_)) => vec![
                "✗ Un seuil du réglage [stricter] de node.toml sort des limites permises. Écrivez un nombre entier, au moins égal à celui du référentiel."
                    .to_owned(),
            ],
            Self::Compute { file, source } => vec![format!("✗ {file} : {}", source.message())],
        }
    }
}

/// The table under the commune's own thresholds. The width grows in proportion, so that a cell hidden by a higher
/// threshold is also better hidden.
pub(crate) fn stricter<'a>(
    table: &'a Table,
    thresholds: &BTreeMap<IndicatorCode, u32>,
) -> Result<Cow<'a, Table>, LooserRule> {
    let mut rules = BTreeMap::new();
    for (indicator, threshold) in thresholds {
        if table.indicator(indicator).is_none() {
            continue;
        }
        let measure = table.scheme().measure(indicator).ok_or_else(|| LooserRule::NotAMeasure(indicator.clone()))?;
        let Protection::Here(pack) = measure.protection else {
            return Err(LooserRule::NotAMeasure(indicator.clone()));
        };
        let grown = i128::from(pack.width) * i128::from(*threshold);
        let width = grown.div_euclid(i128::from(pack.threshold.max(1))) + 1;
        let width =
            if *threshold == pack.threshold { pack.width } else { Units::try_from(width).unwrap_or(Units::MAX) };
        rules.insert(indicator.clone(), Rule { threshold: *threshold, width, ..pack });
    }
    if rules.is_empty() { Ok(Cow::Borrowed(table)) } else { table.stricter(&rules).map(Cow::Owned) }
}

/// Reads one source and computes all cells of its table. `yours` are the territories of the node, its own first.
pub fn collect_one<'a>(
    source: &'a Source,
    config: &NodeConfig,
    yours: &[CommuneCode],
    packs: &'a BTreeMap<PackCode, Pack>,
    base: &Path,
) -> Result<Collected<'a>, CollectError> {
    let pack = packs.get(&source.pack).ok_or_else(|| CollectError::UnknownPack { pack: source.pack.clone() })?;
    let table = pack.table(&source.table).ok_or_else(|| CollectError::UnknownTable {
        pack: source.pack.clone(),
        table: source.table.to_string(),
        known: pack.tables().iter().map(|t| t.code().to_string()).collect(),
    })?;
    let own = yours.first().copied();
    let Some(territory) = source.territory.or(own).filter(|territory| yours.contains(territory)) else {
        return Err(CollectError::NotYours {
            territory: source.territory.or(own).ok_or(CollectError::NoSource)?,
            yours: yours.to_vec(),
        });
    };
    if !table.takes(source.period) {
        return Err(CollectError::PeriodKind {
            table: table.title().to_owned(),
            period: source.period,
            takes: table.periods_in_french(),
        });
    }
    let table = stricter(table, &config.stricter)?;
    let file = source.read.file.display().to_string();
    let rows = tabular::read(&source.read, base, &table)
        .map_err(|faults| CollectError::File { file: file.clone(), faults })?;
    let confidential = tabular::compute(&rows, &table).map_err(|source| CollectError::Compute { file, source })?;
    let slice = Slice { territory, pack: pack.code().clone(), table: table.code().clone(), period: source.period };
    Ok(Collected {
        source,
        pack,
        slice,
        rows: rows.height(),
        set_aside: rows.set_aside(),
        measures: table.scheme().measures().len(),
        not_collected: rows.not_collected().cloned().collect(),
        table,
        confidential,
    })
}

/// Reads all sources; either all of them are right, or all that is wrong is told at once.
pub fn collect<'a>(
    config: &'a NodeConfig,
    yours: &[CommuneCode],
    packs: &'a BTreeMap<PackCode, Pack>,
    base: &Path,
) -> Result<Vec<Collected<'a>>, Vec<CollectError>> {
    if config.sources.is_empty() {
        return Err(vec![CollectError::NoSource]);
    }
    let mut collected: Vec<Collected<'a>> = Vec::new();
    let mut errors = Vec::new();
    for source in &config.sources {
        match collect_one(source, config, yours, packs, base) {
            Ok(one) if collected.iter().any(|other| other.slice == one.slice) => {
                errors.push(CollectError::SameSlice(one.slice));
            }
            Ok(one) => collected.push(one),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(collected) } else { Err(errors) }
}
