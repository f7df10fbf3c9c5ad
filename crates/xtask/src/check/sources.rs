//! rustfmt and clippy.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, IsTerminal};
use std::process::Stdio;

use cargo_metadata::Message;
use cargo_metadata::diagnostic::DiagnosticLevel;

use crate::{House, Problem, command};

pub fn formatted(house: &House) -> Result<String, Problem> {
    command::run(command::cargo().args(["fmt", "--all", "--check"]).current_dir(&house.root))?;
    Ok("formatted".into())
}

/// `all` is denied by the manifest; what remains as warnings is printed once and counted by crate.
pub fn linted(house: &House) -> Result<String, Problem> {
    let colours = if std::io::stdout().is_terminal() { "json-diagnostic-rendered-ansi" } else { "json" };
    let mut clippy = command::cargo();
    clippy
        .args(["clippy", "--workspace", "--all-targets", "--locked", "--keep-going", "--message-format", colours])
        .stdout(Stdio::piped())
        .current_dir(&house.root);
    println!("  $ {}", command::spell(&clippy));
    let mut child = clippy.spawn().map_err(|fault| command::cannot_start(&clippy, &fault))?;
    let out = child.stdout.take().expect("the output is piped, three lines up");

    // A library and its tests report the same line twice.
    let mut seen = BTreeSet::new();
    let mut warnings: BTreeMap<String, usize> = BTreeMap::new();
    for message in Message::parse_stream(BufReader::new(out)) {
        let message = message.map_err(|fault| Problem(format!("cannot read what clippy says: {fault}")))?;
        let Message::CompilerMessage(message) = message else { continue };
        let Some(text) = message.message.rendered else { continue };
        // A summary (« 2 warnings emitted ») points at no line.
        if message.message.spans.is_empty() || !seen.insert(text.clone()) {
            continue;
        }
        println!("{text}");
        if message.message.level == DiagnosticLevel::Warning {
            *warnings.entry(message.target.name).or_default() += 1;
        }
    }
    let status = child.wait().map_err(|fault| command::cannot_start(&clippy, &fault))?;
    if !status.success() {
        return Err(Problem("clippy refuses the lines above".into()));
    }
    let by_crate: Vec<String> = warnings.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let count: usize = warnings.values().sum();
    let list = if count == 0 { String::new() } else { format!(" ({})", by_crate.join(", ")) };
    Ok(format!("nothing refused, {count} warnings{list}"))
}
