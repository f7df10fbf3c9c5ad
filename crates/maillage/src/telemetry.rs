//! Logs go to standard error; standard output is for results.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging: `RUST_LOG` decides what, warnings by default.
pub fn start(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json {
        builder.json().init();
    } else {
        let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        builder.with_ansi(colour).with_target(false).init();
    }
}
