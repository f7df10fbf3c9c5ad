//! Everything that shows the house works, in one command.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::check;
use crate::database::Database;
use crate::{House, Problem, command, tools};

/// What the tests must find, as `testkit::Need` reads it: what we bring, and what this machine was seen to have. Without
/// it a test that cannot run says so and passes.
const REQUIRE: &str = "MAILLAGE_REQUIRE";
/// The file to which tests that could not run add a line.
const NOT_RUN: &str = "MAILLAGE_NOT_RUN";

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
    let mut required = vec!["postgres", "browser"];
    match tools::promtool(house) {
        Ok(folder) => {
            required.push("promtool");
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
    if house.root.join("../shared/realdata").is_dir() {
        required.push("realdata");
    }
    if may_mount(&house.cache) {
        required.push("mount");
    }
    // Whoever set it knows better what this machine must have.
    if std::env::var_os(REQUIRE).is_none() {
        cargo.env(REQUIRE, required.join(","));
    }
    let list = house.cache.join(format!("not-run-{}", std::process::id()));
    cargo.env(NOT_RUN, &list);
    let tested = command::run(cargo.args(&plan.arguments));
    database.stop();
    let lines = std::fs::read_to_string(&list).unwrap_or_default();
    let not_run = not_run(&lines);
    // Where every test could run there is none.
    let _ = std::fs::remove_file(&list);

    let said = |what: &str, result: &Result<(), Problem>| match result {
        Ok(()) => format!("{what} passed"),
        Err(_) => format!("{what} FAILED"),
    };
    let checks = if plan.only_tests { "checks left out".to_owned() } else { said("checks", &checked) };
    if !not_run.is_empty() {
        println!("\nNOT RUN, or not wholly, because something is not on this machine:");
        for (test, causes) in &not_run {
            println!("  {test}: {}", causes.join("; "));
        }
    }
    let left = match not_run.len() {
        0 => "every test could run".to_owned(),
        1 => "1 test could NOT run".to_owned(),
        n => format!("{n} tests could NOT run"),
    };
    println!("\n{checks}, {}, {left}, in {}", said("tests", &tested), spell(now().duration_since(start)));
    checked.and(tested)
}

/// By test, what it lacked; from lines `test: cause`.
fn not_run(lines: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (test, cause) in lines.lines().filter_map(|line| line.split_once(": ")) {
        let causes = found.entry(test).or_default();
        if !causes.contains(&cause) {
            causes.push(cause);
        }
    }
    found
}

/// Whether this process may mount a file system, as the test of a full disk does.
fn may_mount(cache: &Path) -> bool {
    let place = cache.join(format!("mount-{}", std::process::id()));
    if std::fs::create_dir_all(&place).is_err() {
        return false;
    }
    let quiet = |command: &mut Command| command.output().is_ok_and(|done| done.status.success());
    let mounted = quiet(Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "maillage-probe"]).arg(&place));
    if mounted {
        quiet(Command::new("umount").arg("-l").arg(&place));
    }
    // Nothing hangs on an empty folder that stays.
    let _ = std::fs::remove_dir(&place);
    mounted
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
    fn what_did_not_run_is_counted_by_test() {
        let found = not_run("a::b: no disk\nc: no file x\na::b: no disk\nc: no file y\n");
        assert_eq!(found.len(), 2);
        assert_eq!(found["c"], ["no file x", "no file y"]);
        assert!(not_run("").is_empty());
    }

    #[test]
    fn times_are_said_in_minutes() {
        assert_eq!(spell(Duration::from_millis(59_900)), "59 s");
        assert_eq!(spell(Duration::from_secs(605)), "10 min 5 s");
    }
}
