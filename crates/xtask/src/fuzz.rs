//! `cargo xtask fuzz`: the ordinary test of spoiled packs, going on for minutes.

use crate::{House, Problem, command};

/// Begins at a case of its own each time, unless told which: a case is its number.
pub fn run(house: &House, arguments: &[String]) -> Result<(), Problem> {
    let mut minutes = 10_u64;
    let mut seed = None;
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        let number = rest.next().and_then(|text| text.parse::<u64>().ok());
        match (name.as_str(), number) {
            ("--minutes", Some(number)) => minutes = number,
            ("--seed", Some(number)) => seed = Some(number),
            _ => return Err(Problem(format!("fuzz takes --minutes N and --seed N, not {name:?}"))),
        }
    }
    // Another number each time is all that is asked of it.
    let seed = seed.unwrap_or_else(|| u64::from(std::process::id()) << 20);
    println!("fuzz: {minutes} minutes from case {seed}");
    let mut cargo = command::cargo();
    cargo.args(["test", "--locked", "--package", "methodology", "--test", "fuzz", "--", "--nocapture"]);
    cargo.env("MAILLAGE_FUZZ_SECONDS", (minutes * 60).to_string()).env("MAILLAGE_FUZZ_SEED", seed.to_string());
    command::run(cargo.current_dir(&house.root))
}
