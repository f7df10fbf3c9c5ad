//! What we stand on: licences, refused crates, sources.

use std::process::Command;

use crate::{House, Problem, command, tools};

pub fn check(house: &House) -> Result<String, Problem> {
    let cargo_deny = tools::cargo_deny(house)?;
    // Advisories come from a git repository that closed networks do not reach; a check that depends on the day and
    // the network would also make an old commit fail. Whoever releases runs `cargo deny check advisories`.
    let what = ["--all-features", "--locked", "check", "--hide-inclusion-graph", "licenses", "bans", "sources"];
    command::run(Command::new(cargo_deny).args(what).current_dir(&house.root))?;
    Ok("licences, refused crates, sources (advisories are not part of this check)".into())
}
