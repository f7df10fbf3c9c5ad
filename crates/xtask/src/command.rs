//! Running other programs, said plainly.

use std::io;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::Problem;

/// The cargo that runs us, without what `cargo run` added to the environment.
///
/// Build scripts of ring and others watch those variables: leaving them in would compile these crates again each
/// time somebody alternates between `cargo test` and `cargo xtask test`.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours =
            text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text.starts_with("CARGO_BIN_");
        if ours || matches!(text.as_ref(), "CARGO" | "CARGO_CRATE_NAME" | "CARGO_PRIMARY_PACKAGE" | "OUT_DIR") {
            cargo.env_remove(&name);
        }
    }
    cargo
}

/// Runs with our own input and output, after saying what runs.
pub fn run(command: &mut Command) -> Result<(), Problem> {
    println!("  $ {}", spell(command));
    let status = command.status().map_err(|fault| cannot_start(command, &fault))?;
    if status.success() { Ok(()) } else { Err(Problem(format!("`{}` ended with {status}", spell(command)))) }
}

/// Runs and keeps the output; on failure the problem holds what the program wrote.
pub fn output(command: &mut Command) -> Result<String, Problem> {
    let Output { status, stdout, stderr } =
        command.stdin(Stdio::null()).output().map_err(|fault| cannot_start(command, &fault))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if status.success() {
        Ok(text(&stdout))
    } else {
        Err(Problem(format!("`{}` ended with {status}\n{}\n{}", spell(command), text(&stdout), text(&stderr))))
    }
}

/// The program of that name on the search path.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

/// Whether we are the administrator of this machine.
pub fn as_root() -> Result<bool, Problem> {
    output(Command::new("id").arg("-u")).map(|uid| uid == "0")
}

/// The problem of a program that could not even start.
pub fn cannot_start(command: &Command, fault: &io::Error) -> Problem {
    Problem(format!("cannot start `{}`: {fault}", spell(command)))
}

/// The command as a person would type it.
pub fn spell(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    std::iter::once(name).chain(arguments).collect::<Vec<_>>().join(" ")
}
