//! `node.toml`: which files feed which table, where the hub is, who agrees and when.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::{CommuneCode, IndicatorCode, PackCode, Period, TableCode};
use serde::Deserialize;
use tabular::SourceSpec;

/// Why `node.toml` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not what is expected; the parser's text names line and column.
    #[error("{path}: {detail}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Place and cause.
        detail: String,
    },
}

impl ConfigError {
    /// The sentence for the person at the keyboard.
    pub fn french(&self) -> String {
        match self {
            Self::Unreadable { path, source } => format!(
                "Le fichier de réglages {} ne peut pas être lu ({source}). Si ce poste n’a pas encore rejoint de centre : maillage node join INVITATION. S’il l’a rejoint, indiquez son dossier avec --folder.",
                path.display()
            ),
            Self::Malformed { path, detail } => format!(
                "Le fichier de réglages {} contient une erreur :\n{detail}\nCorrigez la ligne indiquée ; le modèle deploy/node.toml explique chaque réglage.",
                path.display()
            ),
        }
    }
}

/// The whole of `node.toml`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// How the hub is reached, where it differs from the invitation.
    #[serde(default)]
    pub hub: HubConfig,
    /// Which file feeds which table, one per table and period.
    #[serde(default, rename = "source")]
    pub sources: Vec<Source>,
    /// Who agrees before anything leaves.
    #[serde(default)]
    pub approval: ApprovalConfig,
    /// When `maillage node run` works.
    #[serde(default)]
    pub schedule: ScheduleConfig,
    /// Thresholds stricter than the pack's, by indicator; a looser one is refused.
    #[serde(default)]
    pub stricter: BTreeMap<IndicatorCode, u32>,
}

/// How the hub is reached.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubConfig {
    /// `host:port`, if another than the invitation's.
    pub address: Option<String>,
}

/// One local file and the table it feeds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Pack code.
    pub pack: PackCode,
    /// Table code within the pack.
    pub table: TableCode,
    /// The period the whole file speaks of.
    pub period: Period,
    /// The commune it speaks of, if another than the node's own (COG succession, or several territories).
    pub territory: Option<CommuneCode>,
    /// The file itself, how it is written, and which of its columns is which of the table's.
    pub read: SourceSpec,
}

/// Who agrees before anything leaves.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApprovalConfig {
    /// Person by person, or by the rule below.
    #[serde(default)]
    pub mode: ApprovalMode,
    /// With `mode = "rule"`: the rule agrees only if at most this many cells are new, changed or withdrawn;
    /// above it a person must.
    pub max_moved_cells: Option<u32>,
}

/// How a commune agrees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalMode {
    /// A named person reads the preview.
    #[default]
    Person,
    /// The commune's own rule.
    Rule,
}

/// When `maillage node run` works.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleConfig {
    /// Minutes between two rounds.
    #[serde(default = "ScheduleConfig::default_minutes")]
    pub every_minutes: u32,
}

impl ScheduleConfig {
    fn default_minutes() -> u32 {
        60
    }

    /// Time between two rounds; at least one minute.
    pub fn interval(&self) -> Duration {
        Duration::from_secs(u64::from(self.every_minutes.max(1)) * 60)
    }
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self { every_minutes: Self::default_minutes() }
    }
}

impl NodeConfig {
    /// Reads `node.toml`. A key it does not know is an error: a misspelt setting must not be silently ignored.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        toml::from_str(&text)
            .map_err(|error| ConfigError::Malformed { path: path.to_owned(), detail: error.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What serde says to an unknown key lists the known ones: a setting that is added and not shown is found.
    fn known(text: &str) -> Vec<String> {
        let said = toml::from_str::<NodeConfig>(text).expect_err("an unknown setting").to_string();
        let (_, list) = said.split_once("expected").unwrap_or_else(|| panic!("no list of settings: {said}"));
        list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn the_communes_copy_reads_and_shows_every_setting() {
        let text = include_str!("../../../deploy/node.toml");
        let shipped: NodeConfig = toml::from_str(text).expect("deploy/node.toml reads");
        assert!(shipped.sources.len() >= 2, "several tables");
        let source = "[[source]]\npack = \"p\"\ntable = \"t\"\nperiod = \"2025\"\n";
        let mut settings = Vec::new();
        for section in known("nobody_has_this = 1") {
            let shown = [format!("[{section}]"), format!("[[{section}]]")];
            assert!(shown.iter().any(|head| text.contains(head.as_str())), "deploy/node.toml has no {section}");
            match section.as_str() {
                "source" => settings.extend(known(&format!("{source}nobody_has_this = 1"))),
                // Names of indicators, not settings.
                "stricter" => {}
                _ => settings.extend(known(&format!("[{section}]\nnobody_has_this = 1"))),
            }
        }
        settings.extend(known(&format!("{source}[source.read]\nnobody_has_this = 1")));
        assert!(settings.len() >= 10, "{settings:?}");
        for setting in settings {
            let shows = |line: &str| {
                let line = line.trim_start().trim_start_matches("# ").trim_start();
                let named = line.strip_prefix(setting.as_str()).is_some_and(|rest| rest.trim_start().starts_with('='));
                named || line.contains(&format!("[source.{setting}]")) || line.contains(&format!("read.{setting}"))
            };
            assert!(text.lines().any(shows), "deploy/node.toml does not show {setting}");
        }
    }
}
