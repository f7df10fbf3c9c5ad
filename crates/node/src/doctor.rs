//! What keeps a node from working, found out step by step, with a cure for each step.
//!
//! It works when nothing else does: before joining, with a damaged database, without a network. It changes nothing and
//! sends no figure. Its report is made to be mailed: names of files, addresses, dates and stable reasons are in it; no
//! cell, no count of people or rows, no line of a file, no name of a person, no secret.

mod home;
mod hub;
mod sources;

use model::Timestamp;
use serde::Serialize;

use crate::{NodeConfig, NodeFolder, World};

/// How one step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Good,
    /// To be mended.
    Bad,
    /// Not looked at, because something before it is missing.
    Skipped,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Stable, for machines.
    pub code: &'static str,
    /// French.
    pub title: &'static str,
    /// How it went.
    pub state: State,
    /// French: what was found.
    pub detail: String,
    /// French: what to do; empty where there is nothing to do.
    pub cure: String,
    /// Stable reason of what is bad; empty otherwise.
    pub reason: String,
}

/// All steps, in the order in which a fault of one explains those of the next.
#[derive(Debug, Serialize)]
pub struct Diagnosis {
    /// Of the software.
    version: &'static str,
    /// When, by this machine's clock.
    at: String,
    /// The steps.
    pub checks: Vec<Check>,
}

impl Diagnosis {
    /// How many steps are bad.
    pub fn faults(&self) -> usize {
        self.checks.iter().filter(|check| check.state == State::Bad).count()
    }

    /// The step with this code.
    pub fn check(&self, code: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.code == code)
    }

    /// Lines for a person.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for check in &self.checks {
            let sign = match check.state {
                State::Good => "✓",
                State::Bad => "✗",
                State::Skipped => "–",
            };
            lines.push(format!("{sign} {} : {}", check.title, check.detail));
            if !check.cure.is_empty() {
                lines.push(format!("    → {}", check.cure));
            }
        }
        lines
    }

    /// For a machine.
    ///
    /// # Panics
    /// Never: all of it is text.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("texts and closed words always serialise")
    }

    fn good(&mut self, code: &'static str, title: &'static str, detail: impl Into<String>) {
        self.push(code, title, State::Good, detail.into(), String::new(), String::new());
    }

    fn skipped(&mut self, code: &'static str, title: &'static str, detail: impl Into<String>) {
        self.push(code, title, State::Skipped, detail.into(), String::new(), String::new());
    }

    fn bad(
        &mut self,
        code: &'static str,
        title: &'static str,
        reason: impl Into<String>,
        detail: impl Into<String>,
        cure: impl Into<String>,
    ) {
        self.push(code, title, State::Bad, detail.into(), cure.into(), reason.into());
    }

    fn push(
        &mut self,
        code: &'static str,
        title: &'static str,
        state: State,
        detail: String,
        cure: String,
        reason: String,
    ) {
        self.checks.push(Check { code, title, state, detail, cure, reason });
    }
}

/// Looks at everything.
pub async fn examine(folder: &NodeFolder, world: World) -> Diagnosis {
    let now = world.clock.now();
    let mut diagnosis = Diagnosis { version: env!("CARGO_PKG_VERSION"), at: now.to_string(), checks: Vec::new() };
    let config = home::settings(&mut diagnosis, folder);
    home::folder(&mut diagnosis, folder);
    home::disk(&mut diagnosis, folder);
    let keys = home::keys(&mut diagnosis, folder, now);
    let store = home::database(&mut diagnosis, folder).await;
    let identity = home::identity(&mut diagnosis, store.as_ref()).await;
    home::belongs(&mut diagnosis, keys.as_ref(), identity.as_ref());
    let packs = home::packs(&mut diagnosis, folder, identity.as_ref());
    sources::sources(&mut diagnosis, folder, config.as_ref(), packs.as_ref());
    let unsaid = NodeConfig::default();
    let seen = hub::Seen {
        folder,
        config: config.as_ref().unwrap_or(&unsaid),
        world: &world,
        identity: identity.as_ref(),
        keys: keys.as_ref(),
        store: store.as_ref(),
        packs: packs.as_ref(),
    };
    hub::examine(&mut diagnosis, &seen).await;
    home::outbox(&mut diagnosis, store.as_ref(), now).await;
    if let Some(store) = store {
        store.close().await;
    }
    diagnosis
}

/// A length of time as people say it: the largest unit is enough to know what is wrong.
fn lasting(duration: std::time::Duration) -> String {
    use render::number::counted;
    let minutes = usize::try_from(duration.as_secs() / 60).unwrap_or(usize::MAX);
    match minutes {
        0..=119 => counted(minutes, "minute", "minutes"),
        120..=2879 => counted(minutes / 60, "heure", "heures"),
        _ => counted(minutes / 1440, "jour", "jours"),
    }
}

fn apart(one: Timestamp, other: Timestamp) -> std::time::Duration {
    one.since(other).max(other.since(one))
}

#[cfg(test)]
mod tests;
