//! What an operator installs: systemd units and the container, as their own tools judge them.

use std::path::PathBuf;
use std::process::Command;

use crate::{House, Problem, command, tools};

/// More exposed than this (0 to 100) is refused; an unhardened service has 96.
const EXPOSURE: u32 = 20;

pub fn check(house: &House) -> Result<String, Problem> {
    let folder = house.root.join("deploy");
    let units = units(&folder)?;
    let units_checked = if command::on_path("systemd-analyze").is_some() {
        for unit in &units {
            verified(house, unit)?;
        }
        format!("{} units", units.len())
    } else {
        // A container without systemd cannot judge units, and installing an init system to do so would be absurd.
        "units NOT checked (no systemd-analyze here)".to_owned()
    };
    let hadolint = tools::hadolint(house)?;
    command::run(Command::new(hadolint).arg(folder.join("Dockerfile")))?;
    Ok(format!("{units_checked}, the Dockerfile"))
}

fn units(folder: &std::path::Path) -> Result<Vec<PathBuf>, Problem> {
    let unreadable = |fault| Problem(format!("cannot read {}: {fault}", folder.display()));
    let mut units = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|extension| extension == "service") {
            units.push(path);
        }
    }
    units.sort();
    Ok(units)
}

/// `verify` wants the program to be there: a copy names one that always is.
fn verified(house: &House, unit: &std::path::Path) -> Result<(), Problem> {
    let wrong = |fault: std::io::Error| Problem(format!("{}: {fault}", unit.display()));
    let text = std::fs::read_to_string(unit).map_err(wrong)?.replace("/usr/local/bin/maillage", "/bin/true");
    let scratch = house.cache.join("units");
    std::fs::create_dir_all(&scratch).map_err(wrong)?;
    let copy = scratch.join(unit.file_name().unwrap_or_default());
    std::fs::write(&copy, text).map_err(wrong)?;
    command::output(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&copy))?;
    let threshold = format!("--threshold={EXPOSURE}");
    command::output(Command::new("systemd-analyze").args(["security", "--offline=true", &threshold]).arg(&copy))?;
    Ok(())
}
