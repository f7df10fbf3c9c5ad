//! What the workspace does to itself: `cargo xtask check`, `test`, `fuzz`, `clients` and `bench`.
//!
//! Built before anything else on a clean clone, so it stands on the standard library and `cargo_metadata` alone.

mod bench;
mod check;
mod clients;
mod command;
mod database;
mod fuzz;
mod house;
mod test;
mod tools;

use std::process::ExitCode;

use house::House;

const HELP: &str = "\
Keeps the house in order and runs its tests.

Usage:
  cargo xtask check [STEP...]                  every rule of the house, or only the steps named
  cargo xtask test [--only-tests] [-- ARGS...]
                                               check, then every test with a throw-away PostgreSQL;
                                               ARGS replace `--workspace` for cargo test
  cargo xtask clients                          buf, grpcio and openssl against a real hub
  cargo xtask fuzz [--minutes N] [--seed N]    spoiled packs, schemas, layouts and filters, ten minutes if not said
  cargo xtask bench push                       observations made durable per second, beside COPY and Flight
  cargo xtask bench crowd                      two hundred nodes at once: time, refusals, memory
  cargo xtask bench disclosure [FOLDER] [--all]
                                               what protecting tables hides and costs, beside a peer's figures

Steps of check:
  fmt        the sources are formatted
  arrows     crates depend on each other, and on third parties, only as crates/README.md allows
  names      no refused module name, nothing foreign at the top level; long files are listed
  exposures  confidential numbers and the machine's clock are read only where the committed list says
  proto      buf: lint and format
  deploy     systemd-analyze on the units, hadolint on the Dockerfile
  deny       cargo-deny: licences, refused crates, sources (not advisories: they need their own network)
  clippy     `all` is refused, `pedantic` is printed and counted

What is missing (PostgreSQL, Chromium and its driver, npm, buf, cargo-deny, axe-core, hadolint, promtool, Python
packages) is installed and said; what is not Debian's goes to $MAILLAGE_CACHE, by default ~/.cache/maillage-ci. With
MAILLAGE_TEST_POSTGRES_URL set, that server is used and nothing is started. A test that lacks something outside the
repository is listed at the end as NOT RUN; what `test` brings or finds is required, and its absence then a failure:
MAILLAGE_REQUIRE=postgres,browser,promtool,mount,realdata decides otherwise.

Examples:
  cargo xtask check
  cargo xtask check arrows clippy
  cargo xtask test
  cargo xtask test --only-tests -- -p store
  cargo xtask bench push
";

/// What stopped a task, for the person who started it.
#[derive(Debug)]
struct Problem(String);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Problem(what)) => {
            eprintln!("\nxtask: {what}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Problem> {
    if arguments.is_empty() || arguments.iter().take_while(|a| *a != "--").any(|a| a == "--help" || a == "-h") {
        print!("{HELP}");
        return Ok(());
    }
    let house = House::find()?;
    match arguments[0].as_str() {
        "check" => check::run(&house, &check::chosen(&arguments[1..])?),
        "test" => test::run(&house, &test::Plan::parse(&arguments[1..])?),
        "fuzz" => fuzz::run(&house, &arguments[1..]),
        "clients" => clients::run(&house),
        "bench" => bench::run(&house, &arguments[1..]),
        other => Err(Problem(format!("no task is called {other:?}; `cargo xtask --help` lists them"))),
    }
}
