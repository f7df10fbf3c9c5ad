//! `cargo xtask bench`: figures for people, never a part of the tests.

use std::path::Path;
use std::process::Command;

use crate::database::{Database, Durability};
use crate::{House, Problem, command, tools};

/// What can be measured on a hub.
const HUB: [&str; 2] = ["push", "crowd"];

/// What can be measured, whatever crate it stands in.
const ALL: &str = "push, crowd, disclosure, compute";

/// Measures one thing in an optimised build.
pub fn run(house: &House, arguments: &[String]) -> Result<(), Problem> {
    match arguments {
        [name, rest @ ..] if name == "disclosure" => disclosure(house, rest),
        [name, rest @ ..] if name == "compute" => compute(house, rest),
        [name] if HUB.contains(&name.as_str()) => hub(house, name),
        [name] => Err(Problem(format!("no bench is called {name:?}; there are {ALL}"))),
        _ => Err(Problem(format!("bench takes one name: {ALL}"))),
    }
}

/// Reference tables beside published figures, then packs of a commune. The tables are no part of this repository: a
/// folder among the arguments, or the one that stands beside the project.
fn disclosure(house: &House, arguments: &[String]) -> Result<(), Problem> {
    println!("bench disclosure: an optimised build of that crate alone; with --all, tables that take minutes each");
    let given = arguments.iter().find(|argument| Path::new(argument).is_dir()).cloned();
    let beside = || house.root.join("../shared/reference/sdc").canonicalize().ok();
    let folder = given.clone().or_else(|| Some(beside()?.to_string_lossy().into_owned()));
    match &folder {
        Some(folder) => {
            let rest = arguments.iter().filter(|argument| Some(*argument) != given.as_ref());
            let mut cargo = cargo(house, "disclosure", "reference");
            command::run(cargo.arg("--").arg(folder).args(rest))?;
        }
        None => {
            println!("  no folder of reference tables: name one (table.csv and hierarchy.json in a folder for each)");
        }
    }
    command::run(&mut cargo(house, "disclosure", "pack"))
}

/// INSEE's detailed census file of dwellings for one commune. No part of this repository: a file among the arguments, or
/// the one that stands beside the project.
const CENSUS: &str = "../shared/realdata/08_microdata/FD_LOGEMT_2018_melun_77288.csv";

/// A hundred indicators over a million households, beside the same by hand in Python polars and in `DuckDB`.
fn compute(house: &House, arguments: &[String]) -> Result<(), Problem> {
    println!("bench compute: an optimised build of that crate alone; --rows=, --large= and --rounds= change how much");
    let given = arguments.iter().find(|argument| Path::new(argument).is_file()).cloned();
    let beside = || house.root.join(CENSUS).canonicalize().ok();
    let Some(file) = given.clone().or_else(|| Some(beside()?.to_string_lossy().into_owned())) else {
        println!(
            "  no census file: name one (FD_LOGEMT of any commune, from INSEE's pages on the census); nothing measured"
        );
        return Ok(());
    };
    let python = tools::python(house, "compute", &[tools::POLARS, tools::DUCKDB])?;
    let mut cargo = cargo(house, "tabular", "compute");
    cargo.env("MAILLAGE_BENCH_PYTHON", python).arg("--").arg(file);
    command::run(cargo.args(arguments.iter().filter(|argument| Some(*argument) != given.as_ref())))
}

fn cargo(house: &House, package: &str, bench: &str) -> Command {
    let mut cargo = command::cargo();
    cargo.args(["bench", "--locked", "--package", package, "--bench", bench]).current_dir(&house.root);
    cargo
}

fn hub(house: &House, name: &str) -> Result<(), Problem> {
    println!("bench {name}: an optimised build of the hub alone; the first takes minutes");
    let python = if name == "push" { Some(tools::python(house, "flight", &[tools::PYARROW])?) } else { None };
    // A bench of durability on a server that does not wait for its disk would flatter whoever uses it.
    let database = Database::start_with(Durability::Real)?;
    let mut cargo = cargo(house, "hub", name);
    cargo.env("MAILLAGE_BENCH_POSTGRES_URL", database.url());
    if let Some(python) = python {
        cargo.env("MAILLAGE_BENCH_PYTHON", python);
    }
    if let Some(psql) = database.psql() {
        cargo.env("MAILLAGE_BENCH_PSQL", psql);
    }
    let measured = command::run(&mut cargo);
    database.stop();
    measured
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bench_is_a_target() {
        let target = |name: &str| format!("[[bench]]\nname = \"{name}\"\nharness = false");
        for name in HUB {
            assert!(include_str!("../../hub/Cargo.toml").contains(&target(name)), "{name}");
        }
        for name in ["reference", "pack"] {
            assert!(include_str!("../../disclosure/Cargo.toml").contains(&target(name)), "{name}");
        }
        assert!(include_str!("../../tabular/Cargo.toml").contains(&target("compute")));
    }
}
