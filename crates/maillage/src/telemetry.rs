//! Logs go to standard error; standard output is for results. No line ever holds a figure of a table.

use std::io::IsTerminal;

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

/// Starts logging: `RUST_LOG` decides what; by default warnings, and for a service (`serves`) its course too.
pub fn start(format: LogFormat, serves: bool) {
    let default = if serves { "info" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).init(),
        LogFormat::Text => {
            let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            builder.with_ansi(colour).with_target(false).init();
        }
    }
}
