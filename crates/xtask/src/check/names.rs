//! Names that say nothing are refused; files that say too much are listed; the top level is closed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::verdict;
use crate::{House, Problem, command};

const REFUSED: &[&str] = &["utils", "util", "common", "helpers", "helper", "types", "manager", "imp", "misc", "mod"];

/// What stands at the top level, besides dotfiles. Everything else has a place further down.
const TOP_LEVEL: &[&str] =
    &["Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "crates", "deploy", "proto", "tests", "target"];

const LONG: usize = 400;

pub fn check(house: &House) -> Result<String, Problem> {
    let sources = house.sources()?;
    let mut faults = Vec::new();
    for name in top_level(house)? {
        if !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()) {
            faults.push(format!("{name} stands at the top level, which is closed"));
        }
    }
    let mut long = 0;
    for source in &sources {
        faults.extend(refused(source));
        let text = house.read(source)?;
        faults.extend(inline(&text).map(|name| format!("{}: module {name} says nothing", source.display())));
        let lines = text.lines().count();
        if lines > LONG {
            println!("  question: {} has {lines} lines; is it one use-case?", source.display());
            long += 1;
        }
    }
    verdict(&faults, format!("{} sources, {long} above {LONG} lines", sources.len()))
}

/// What is committed there, or everything there when this is no clone (an unpacked archive).
fn top_level(house: &House) -> Result<BTreeSet<String>, Problem> {
    let listed = command::output(Command::new("git").args(["ls-files", "-z"]).current_dir(&house.root));
    if let Ok(files) = listed {
        return Ok(files
            .split('\0')
            .filter_map(|file| file.split('/').next())
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect());
    }
    let unreadable = |fault| Problem(format!("cannot read the workspace's folder: {fault}"));
    let entries = std::fs::read_dir(&house.root).map_err(unreadable)?;
    entries.map(|entry| Ok(entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned())).collect()
}

fn refused(source: &Path) -> Option<String> {
    let folders = source.parent()?.iter();
    let names = folders.chain(source.file_stem()).map(|part| part.to_string_lossy());
    names
        .into_iter()
        .find(|name| REFUSED.contains(&name.as_ref()))
        .map(|name| format!("{}: {name:?} says nothing (module style is server.rs beside server/)", source.display()))
}

/// Modules declared with a refused name inside a file.
fn inline(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("pub ").or_else(|| line.strip_prefix("pub(crate) ")).unwrap_or(line);
        let name = line.strip_prefix("mod ")?.split([' ', ';', '{']).next()?;
        REFUSED.contains(&name).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_nothing_are_refused_as_files_folders_and_modules() {
        assert!(refused(Path::new("crates/hub/src/utils.rs")).is_some());
        assert!(refused(Path::new("crates/hub/src/helpers/csv.rs")).is_some());
        assert!(refused(Path::new("crates/hub/src/submit/mod.rs")).is_some());
        assert!(refused(Path::new("crates/hub/src/submit.rs")).is_none());
        assert_eq!(inline("pub(crate) mod misc {\n    mod tests;\n}").collect::<Vec<_>>(), ["misc"]);
        assert_eq!(inline("mod model;\nmodify();").count(), 0);
    }
}
