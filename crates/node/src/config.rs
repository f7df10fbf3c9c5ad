//! `node.toml`: which files feed which table, where the hub is, who agrees and when.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::{CommuneCode, Failure, FailureKind, IndicatorCode, PackCode, Period, TableCode};
use seal::Zeroizing;
use serde::Deserialize;
use tabular::SourceSpec;
use wire::client::{Route, SaidBy};

use crate::failure;

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
        /// Where, from 1.
        line: Option<usize>,
        /// Place and cause.
        detail: String,
    },
}

impl ConfigError {
    /// What kind of no this is.
    pub fn kind(&self) -> FailureKind {
        match self {
            Self::Unreadable { source, .. } => render::system::kind(source),
            Self::Malformed { .. } => FailureKind::Invalid,
        }
    }

    /// The sentence for the person at the keyboard.
    pub fn french(&self) -> String {
        match self {
            Self::Unreadable { path, source } if source.kind() == std::io::ErrorKind::NotFound => format!(
                "Il n’y a pas de réglages ici : {} n’existe pas. Si ce poste n’a pas encore rejoint de centre : maillage node join INVITATION. S’il l’a rejoint, indiquez son dossier avec --folder.",
                path.display()
            ),
            Self::Unreadable { path, source } => {
                format!("Les réglages ne peuvent pas être lus. {}", render::system::sentence(path, source))
            }
            Self::Malformed { path, detail, .. } => format!(
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
    /// How this network lets us out.
    #[serde(default)]
    pub network: NetworkConfig,
    /// Which file feeds which table, one per table and period.
    #[serde(default, rename = "source")]
    pub sources: Vec<Source>,
    /// What the commune counts for itself alone.
    #[serde(default, rename = "local")]
    pub locals: Vec<LocalSource>,
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

/// How this network lets us out; what is not said here follows `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`. `Debug` shows
/// no address: it may hold a password.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// `http://[user[:password]@]host:port`, or `direct`: none, whatever the environment says.
    pub proxy: Option<String>,
    /// A file, relative to the node's folder, whose first line is the password.
    pub proxy_password_file: Option<PathBuf>,
    /// Hosts, domains and networks that are reached without it.
    #[serde(default)]
    pub no_proxy: Vec<String>,
}

impl fmt::Debug for NetworkConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NetworkConfig").field("proxy", &self.proxy.is_some()).finish_non_exhaustive()
    }
}

impl NetworkConfig {
    /// The way out. The settings win over the environment.
    ///
    /// # Errors
    /// An address that is no proxy's, a password file that does not read.
    pub fn route(&self, base: &Path) -> Result<Route, Failure> {
        match self.proxy.as_deref() {
            Some("direct") => Ok(Route::direct()),
            Some(proxy) => {
                let password = self.proxy_password_file.as_ref().map(|file| password(&base.join(file))).transpose()?;
                let password = password.as_ref().map(|password| password.as_str());
                Route::through(proxy, &self.no_proxy, password)
                    .map_err(|error| failure::network(&error.obstacle(SaidBy::Settings)))
            }
            None => Route::of_environment(|name| std::env::var(name).ok())
                .map_err(|error| failure::network(&error.obstacle(SaidBy::Environment))),
        }
    }
}

fn password(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = Zeroizing::new(std::fs::read_to_string(path).map_err(|error| failure::folder(path, &error))?);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
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

/// Indicators of the commune's own, and the file that they are counted in: shown on its own machine, never sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalSource {
    /// The folder of the pack (that of its `pack.toml`), below the node's folder unless it begins at the root.
    pub folder: PathBuf,
    /// Table code within that pack.
    pub table: TableCode,
    /// The period the whole file speaks of.
    pub period: Period,
    /// The file, as for what is sent.
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
        toml::from_str(&text).map_err(|error| {
            let at = error.span().map(|span| span.start);
            let line = at.map(|at| render::settings::line_of(&text, at));
            // The line is quoted, which ends in journals: not one that may hold the proxy's password.
            let secret = line
                .and_then(|line| text.lines().nth(line - 1))
                .is_some_and(|line| line.contains("proxy") || line.contains("://"));
            let detail = if secret {
                format!("  ligne {}", line.unwrap_or(1))
            } else {
                render::settings::fault(&text, at, error.message())
            };
            ConfigError::Malformed { path: path.to_owned(), line, detail }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<NodeConfig, ConfigError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("node.toml");
        std::fs::write(&path, text).expect("writes");
        NodeConfig::load(&path)
    }

    #[test]
    fn the_proxys_password_is_neither_shown_nor_quoted() {
        let config = load("[network]\nproxy = \"http://awa:s3cret@p:3128\"\n").expect("reads");
        assert!(!format!("{config:?}").contains("s3cret"));
        for broken in [
            "[network]\nproxy = \"http://awa:s3cret@p:3128\n",
            "[network]\nproxy = [\"http://awa:s3cret@p:3128\"]\n",
            "[network]\nproxi = \"http://awa:s3cret@proxy:3128\"\n",
            "[network]\nprxy = \"http://awa:s3cret@10.0.0.1:3128\"\n",
        ] {
            let error = load(broken).expect_err("broken");
            let told = format!("{error} {error:?} {}", error.french());
            assert!(!told.contains("s3cret"), "{told}");
            assert!(told.contains("ligne 2"), "{told}");
        }
        let told = load("[schedule]\nevery_minutes = \"x\"\n").expect_err("broken").french();
        assert!(told.contains("every_minutes"), "{told}");
    }

    #[test]
    fn the_settings_say_the_way_out() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("secret"), "mot de passe\n").expect("writes");
        let text =
            "[network]\nproxy = \"http://awa@p:3128\"\nproxy_password_file = \"secret\"\nno_proxy = [\".mairie.fr\"]\n";
        let config = load(text).expect("reads");
        let route = config.network.route(folder.path()).expect("a way");
        let proxy = route.proxy(&"hub.fr:7443".parse().expect("an address")).expect("a proxy");
        assert_eq!((proxy.to_string().as_str(), proxy.has_password()), ("p:3128", true));
        assert!(route.proxy(&"hub.mairie.fr:7443".parse().expect("an address")).is_none());

        let absent = config.network.route(Path::new("/nowhere")).expect_err("no password file");
        assert_eq!(absent.reason, "NODE_FOLDER");
        let socks = load("[network]\nproxy = \"socks5://p:1080\"\n").expect("reads");
        assert_eq!(socks.network.route(folder.path()).expect_err("not HTTP").reason, "PROXY_INVALID");
    }

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
