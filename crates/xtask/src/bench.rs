//! `cargo xtask bench`: figures for people, never a part of the tests.

use crate::database::{Database, Durability};
use crate::{House, Problem, command, tools};

/// What can be measured.
const BENCHES: [&str; 2] = ["push", "crowd"];

/// Measures one thing in an optimised build of the hub.
pub fn run(house: &House, arguments: &[String]) -> Result<(), Problem> {
    let [name] = arguments else {
        return Err(Problem(format!("bench takes one name: {}", BENCHES.join(" or "))));
    };
    if !BENCHES.contains(&name.as_str()) {
        return Err(Problem(format!("no bench is called {name:?}; there are {}", BENCHES.join(", "))));
    }
    println!("bench {name}: an optimised build of the hub alone; the first takes minutes");
    let python = if name == "push" { Some(tools::python(house, "flight", &[tools::PYARROW])?) } else { None };
    // A bench of durability on a server that does not wait for its disk would flatter whoever uses it.
    let database = Database::start_with(Durability::Real)?;
    let mut cargo = command::cargo();
    cargo
        .args(["bench", "--locked", "--package", "hub", "--bench", name])
        .current_dir(&house.root)
        .env("MAILLAGE_BENCH_POSTGRES_URL", database.url());
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
    fn every_bench_is_a_target_of_the_hub() {
        let manifest = include_str!("../../hub/Cargo.toml");
        for name in BENCHES {
            assert!(manifest.contains(&format!("[[bench]]\nname = \"{name}\"\nharness = false")), "{name}");
        }
    }
}
