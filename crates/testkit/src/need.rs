//! What a test needs that not every machine has: a test that could not run must never look like one that passed.

use std::fmt;
use std::io::Write as _;

/// The variable that lists, separated by commas, what must be there: `cargo xtask test` names what it provides.
pub const REQUIRE: &str = "MAILLAGE_REQUIRE";
/// The variable that names a file to which every test that could not run adds a line; `cargo xtask test` prints it.
pub const NOT_RUN: &str = "MAILLAGE_NOT_RUN";

/// Something outside this repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A throw-away PostgreSQL.
    Postgres,
    /// Chromium with its driver, and axe-core.
    Browser,
    /// The right to mount a file system, for a disk that is really full.
    Mount,
    /// `promtool`, which reads metrics as Prometheus does.
    Promtool,
    /// Files of producers as they are published, beside the repository.
    RealData,
}

impl Need {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Postgres, Self::Browser, Self::Mount, Self::Promtool, Self::RealData];

    /// As [`REQUIRE`] lists it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Browser => "browser",
            Self::Mount => "mount",
            Self::Promtool => "promtool",
            Self::RealData => "realdata",
        }
    }

    /// Says that a test, or a part of it, cannot run because `what` is not there.
    ///
    /// # Panics
    /// Where [`REQUIRE`] lists it: then its absence is the fault that the test reports.
    pub fn absent(self, what: impl fmt::Display) {
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("a test").to_owned();
        let required = std::env::var(REQUIRE).unwrap_or_default();
        assert!(
            !self.is_in(&required),
            "{what}; {REQUIRE} lists {:?}: provide it, or take it off that list",
            self.word()
        );
        let line = format!("{test}: {what}\n");
        // Past the harness, which keeps to itself what a test that passes prints.
        let _ = write!(std::io::stderr(), "NOT RUN {line}");
        if let Some(path) = std::env::var_os(NOT_RUN) {
            let file = std::fs::OpenOptions::new().create(true).append(true).open(&path);
            file.and_then(|mut file| file.write_all(line.as_bytes()))
                .expect("the list of what did not run is writable");
        }
    }

    fn is_in(self, required: &str) -> bool {
        required.split(',').any(|word| word.trim() == self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_whole_words() {
        assert!(Need::Mount.is_in("browser, mount"));
        assert!(!Need::Mount.is_in("mounts,browser") && !Need::Mount.is_in(""));
        for need in Need::ALL {
            assert_eq!(Need::ALL.iter().filter(|other| other.is_in(need.word())).count(), 1, "{need:?}");
        }
    }
}
