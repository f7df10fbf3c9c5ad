//! Logs go to standard error; standard output is for results. No line ever holds a figure of a table.
//!
//! What is said to a person on standard error ([`say!`]) is an event as any other where a machine reads: every line parses.

use std::io::IsTerminal;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// Who reads the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Une personne.
    Text,
    /// Une machine : une ligne JSON par événement, aux noms de champs stables.
    Json,
}

static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// Starts logging: `RUST_LOG` decides what; by default warnings, and for a service (`serves`) its course too.
pub fn start(format: LogFormat, serves: bool) {
    let default = if serves { "info" } else { "warn,maillage::said=info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Json => {
            builder.json().flatten_event(true).with_span_list(false).init();
            std::panic::set_hook(Box::new(panicked));
        }
        LogFormat::Text => {
            let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            builder.with_ansi(colour).with_target(false).init();
        }
    }
    // Started once, by `main`.
    FORMAT.get_or_init(|| format);
}

/// Says a line on standard error, to a person or as an event.
pub fn line(text: &str) {
    match FORMAT.get() {
        Some(LogFormat::Json) => tracing::info!(target: "maillage::said", "{text}"),
        Some(LogFormat::Text) | None => eprintln!("{text}"),
    }
}

/// The last line of a command that failed.
pub fn last_line(text: &str) {
    match FORMAT.get() {
        Some(LogFormat::Json) => tracing::error!(target: "maillage::said", "{text}"),
        Some(LogFormat::Text) | None => eprintln!("{text}"),
    }
}

/// `eprintln!` for whoever reads.
macro_rules! say {
    ($($text:tt)*) => { $crate::telemetry::line(&format!($($text)*)) };
}
pub(crate) use say;

/// A text that was composed may quote what the code worked on; one that stands in the code does not.
fn panicked(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let cause = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("not told: it was composed");
    tracing::error!(place, cause, "panic");
}
