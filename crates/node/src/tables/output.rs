//! Files that come out: whole or not at all.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use disclosure::intervals::{End, Interval};
use disclosure::tables::Dimension;
use model::{Decimals, Failure, FailureKind};
use render::typography::french;
use store::crash;

use crate::failure;

/// Files beside their places, which go when they are not renamed.
struct Beside(Vec<(PathBuf, PathBuf)>);

impl Drop for Beside {
    fn drop(&mut self) {
        for (part, _) in &self.0 {
            // It may be renamed already, or never made.
            let _ = std::fs::remove_file(part);
        }
    }
}

/// Whether these places may be written to: none is taken, or only by files that are meant to be replaced, and their folders
/// take files. Asked before long work, so that nobody waits for what cannot be kept.
///
/// # Errors
/// A place that is taken; a folder that is not there or cannot be written to.
pub fn free(paths: &[PathBuf], replace: bool) -> Result<(), Failure> {
    for path in paths {
        let Ok(taken) = std::fs::symlink_metadata(path) else {
            let part = part(path);
            let _tried = Beside(vec![(part.clone(), path.clone())]);
            fill(&part, &[]).map_err(|error| failure::folder(path, &error))?;
            continue;
        };
        // A rename would replace a device by a file that everybody reads from, a link by what it does not point to, and
        // fail on a folder after others were done.
        if !taken.is_file() {
            return Err(failure::folder(path, &std::io::ErrorKind::AlreadyExists.into()));
        }
        if !replace {
            let message = format!(
                "{} existe déjà, et serait remplacé : donnez un autre nom, ou --force pour le remplacer.",
                path.display()
            );
            return Err(Failure::new(FailureKind::Conflict, "TABLE_EXISTS", "an output exists", french(&message)));
        }
    }
    Ok(())
}

/// Writes all files, or none: each beside its place first, readable by its owner only, then renamed.
///
/// # Errors
/// A folder that is not there or cannot be written to; a place that is taken ([`free`]).
pub fn write(files: &[(PathBuf, &[u8])], replace: bool) -> Result<(), Failure> {
    // Asked again: what was free before a long search may be taken now.
    free(&files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>(), replace)?;
    let mut beside = Beside(Vec::new());
    for (path, bytes) in files {
        let part = part(path);
        crash::point("table: beside");
        beside.0.push((part.clone(), path.clone()));
        fill(&part, bytes).map_err(|error| failure::folder(path, &error))?;
    }
    for (part, path) in &beside.0 {
        crash::point("table: rename");
        std::fs::rename(part, path).map_err(|error| failure::folder(path, &error))?;
    }
    Ok(())
}

fn part(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.part", std::process::id()))
}

fn fill(part: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(part)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// `low`, `high`: what no whole table goes beyond, empty if nothing is known; `exact` where whole tables attain both.
pub(super) fn intervals(
    dimensions: &[Dimension],
    axes: &[usize],
    intervals: &[(Vec<usize>, bool, Interval)],
    decimals: Decimals,
) -> Vec<u8> {
    let mut text = String::new();
    let names = axes.iter().map(|&axis| dimensions[axis].name.as_str());
    line(&mut text, names.chain(["primary", "low", "high", "exact"]));
    for (key, primary, interval) in intervals {
        let nodes = key.iter().zip(axes).map(|(&node, &axis)| dimensions[axis].axis.nodes()[node].as_str());
        let bound = |end: End| end.bound().map_or_else(String::new, |units| plain(units, decimals));
        let (low, high) = (bound(interval.low), bound(interval.high));
        let exact = interval.low.settled() && interval.high.settled();
        let flag = |flag: bool| if flag { "1" } else { "0" };
        line(&mut text, nodes.chain([flag(*primary), &low, &high, flag(exact)]));
    }
    text.into_bytes()
}

/// One line of CSV (RFC 4180, section 2, with line feeds).
fn line<'a>(text: &mut String, cells: impl Iterator<Item = &'a str>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            text.push(',');
        }
        if cell.contains(['"', ',', '\n', '\r']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(cell);
        }
    }
    text.push('\n');
}

/// Digits with a point, for machines.
fn plain(units: i64, decimals: Decimals) -> String {
    let places = usize::from(decimals.places());
    if places == 0 {
        return units.to_string();
    }
    let digits = format!("{:0>width$}", units.unsigned_abs(), width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{}{whole}.{fraction}", if units < 0 { "-" } else { "" })
}
