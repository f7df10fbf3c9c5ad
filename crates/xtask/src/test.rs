//! Everything that shows the house works, in one command.

use std::time::{Duration, Instant};

use crate::check;
use crate::database::Database;
use crate::{House, Problem, command, tools};

/// What to run.
pub struct Plan {
    only_tests: bool,
    /// For `cargo test`; empty for the whole workspace.
    arguments: Vec<String>,
}

impl Plan {
    /// From the command line, after `test`.
    pub fn parse(arguments: &[String]) -> Result<Self, Problem> {
        let mut plan = Self { only_tests: false, arguments: Vec::new() };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--only-tests" => plan.only_tests = true,
                "--" => plan.arguments = rest.by_ref().cloned().collect(),
                other => {
                    return Err(Problem(format!("test knows no {other:?}; arguments for cargo test follow `--`")));
                }
            }
        }
        Ok(plan)
    }
}

/// Checks, then tests, whatever the checks found; fails if either did.
pub fn run(house: &House, plan: &Plan) -> Result<(), Problem> {
    let start = now();
    let checked = if plan.only_tests { Ok(()) } else { check::run(house, &check::chosen(&[])?) };
    if let Err(Problem(what)) = &checked {
        println!("{what}\nthe tests run all the same");
    }

    println!("test");
    let browser = tools::browser(house)?;
    let database = Database::start()?;
    let mut cargo = command::cargo();
    cargo.args(["test", "--locked", "--no-fail-fast"]).current_dir(&house.root).env(Database::VARIABLE, database.url());
    cargo.envs(browser.variables);
    match tools::promtool(house) {
        Ok(folder) => {
            let before = std::env::var_os("PATH").unwrap_or_default();
            let folders = std::iter::once(folder).chain(std::env::split_paths(&before));
            if let Ok(path) = std::env::join_paths(folders) {
                cargo.env("PATH", path);
            }
        }
        Err(Problem(what)) => println!("  without promtool the metrics are checked by our own test only: {what}"),
    }
    if plan.arguments.is_empty() {
        cargo.arg("--workspace");
    }
    let tested = command::run(cargo.args(&plan.arguments));
    database.stop();

    let said = |what: &str, result: &Result<(), Problem>| match result {
        Ok(()) => format!("{what} passed"),
        Err(_) => format!("{what} FAILED"),
    };
    let checks = if plan.only_tests { "checks left out".to_owned() } else { said("checks", &checked) };
    println!("\n{checks}, {}, in {}", said("tests", &tested), spell(now().duration_since(start)));
    checked.and(tested)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long it took is for the person at the terminal, nothing hangs on it"
)]
fn now() -> Instant {
    Instant::now()
}

fn spell(took: Duration) -> String {
    let seconds = took.as_secs();
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {} s", seconds / 60, seconds % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<Plan, Problem> {
        Plan::parse(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn what_follows_two_dashes_is_for_cargo_test() {
        let plan = parse(&["--only-tests", "--", "-p", "store", "--", "--nocapture"]).expect("a plan");
        assert!(plan.only_tests);
        assert_eq!(plan.arguments, ["-p", "store", "--", "--nocapture"]);
        assert!(parse(&["-p", "store"]).is_err());
    }

    #[test]
    fn times_are_said_in_minutes() {
        assert_eq!(spell(Duration::from_millis(59_900)), "59 s");
        assert_eq!(spell(Duration::from_secs(605)), "10 min 5 s");
    }
}
