//! Progress for people, plain lines for everything else.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Long work, said as it advances: a bar on a terminal, one line per step elsewhere.
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts counting to `steps`.
    pub fn start(steps: u64, what: &str) -> Self {
        if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new(steps);
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{bar:28}] {pos}/{len}") {
                bar.set_style(style.progress_chars("█▌ "));
            }
            bar.set_message(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            Self { bar: Some(bar) }
        } else {
            eprintln!("{what}…");
            Self { bar: None }
        }
    }

    /// One step done.
    pub fn step(&self, line: &str) {
        match &self.bar {
            Some(bar) => {
                bar.set_message(line.to_owned());
                bar.inc(1);
            }
            None => eprintln!("  {line}"),
        }
    }

    /// So much of the whole is done, where steps are too many to name.
    pub fn at(&self, done: u64, whole: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(whole);
            bar.set_position(done);
        }
    }

    /// All done; the bar gives way to what follows.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
