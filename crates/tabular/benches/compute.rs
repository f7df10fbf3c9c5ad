//! A hundred indicators over a million households, beside the same written by hand: `cargo xtask bench compute`, or
//! `cargo bench -p tabular --bench compute -- FILE [--rows=N] [--large=N] [--rounds=N]`, where FILE is INSEE's
//! `FD_LOGEMT` of one commune.
//!
//! The file is repeated until it has enough rows. Repeated as it is, it has few kinds of rows, which flatters whoever
//! counts kinds; so a second file is measured too, in which every column that is read begins elsewhere in each copy.
//! Each measurement is a process of its own that says its seconds, from the file on the disk to the figures, and the
//! most memory it held. `MAILLAGE_BENCH_PYTHON` has polars and duckdb; without it, ours is measured alone.

#[path = "compute/pack.rs"]
mod pack;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const PYTHON: &str = "MAILLAGE_BENCH_PYTHON";
/// The argument before the file, in a process that measures.
const ONE: &str = "--one";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |name: &str, default: usize| {
        let given = arguments.iter().find_map(|argument| argument.strip_prefix(name)?.strip_prefix('='));
        given.map_or(default, |text| text.parse().expect("a whole number"))
    };
    if let [one, file] = arguments.as_slice()
        && one == ONE
    {
        measure(file);
        return;
    }
    let Some(source) = arguments.iter().find(|argument| !argument.starts_with("--")) else {
        println!("no census file given (FD_LOGEMT_2018_melun_77288.csv, or any other FD_LOGEMT): nothing measured");
        return;
    };
    let source = Census::open(Path::new(source));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let python = std::env::var(PYTHON).ok().filter(|value| !value.is_empty());
    if python.is_none() {
        println!("{PYTHON} is not set: ours is measured alone");
    }
    let rounds = number("--rounds", 5);
    for (what, mixed) in [("repeated as it is", false), ("every column turned in each copy", true)] {
        let file = folder.path().join("rows.csv");
        let rows = source.write(&file, number("--rows", 1_000_000), mixed);
        compare(&format!("{rows} rows, {what}"), &file, python.as_deref(), rounds);
    }
    let large = number("--large", 10_000_000);
    if large > 0 {
        let file = folder.path().join("rows.csv");
        let rows = source.write(&file, large, true);
        compare(&format!("{rows} rows, every column turned in each copy"), &file, python.as_deref(), 1);
    }
}

/// A census file in memory.
struct Census {
    header: String,
    rows: Vec<Vec<String>>,
}

impl Census {
    fn open(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("the census file is text in UTF-8");
        let mut lines = text.lines();
        let header = lines.next().expect("a header").to_owned();
        Self { header, rows: lines.map(|line| line.split(';').map(str::to_owned).collect()).collect() }
    }

    /// Writes at least so many rows; with `mixed`, the copy number c of column number k begins at row c × (k + 1)² × 31.
    /// Columns that say whether a household is there at all stay together, or half of the rows would contradict
    /// themselves.
    fn write(&self, path: &Path, rows: usize, mixed: bool) -> usize {
        const TOGETHER: [&str; 7] = ["CATL", "INPER", "STOCD", "AGEMEN8", "NBPI", "AEMM", "IPONDL"];
        let names: Vec<&str> = self.header.split(';').collect();
        let turns: Vec<usize> = (0..names.len())
            .map(|column| if mixed && !TOGETHER.contains(&names[column]) { (column + 1).pow(2) * 31 } else { 0 })
            .collect();
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file"));
        writeln!(out, "{}", self.header).expect("room on the disk");
        let copies = rows.div_ceil(self.rows.len());
        let mut line = String::new();
        for copy in 0..copies {
            for row in 0..self.rows.len() {
                line.clear();
                for (column, turn) in turns.iter().enumerate() {
                    let from = &self.rows[(row + copy * turn) % self.rows.len()];
                    let _ = write!(line, "{}{}", if column == 0 { "" } else { ";" }, from[column]);
                }
                line.push('\n');
                out.write_all(line.as_bytes()).expect("room on the disk");
            }
        }
        out.flush().expect("room on the disk");
        copies * self.rows.len()
    }
}

/// What one process said.
struct Said {
    seconds: f64,
    /// Of all its threads; says more than seconds where others work too.
    cpu: f64,
    peak: u64,
    /// Indicator and codes of its finest cells: value, contributors, largest.
    cells: BTreeMap<String, [f64; 3]>,
}

fn compare(what: &str, file: &Path, python: Option<&str>, rounds: usize) {
    let size = fs::metadata(file).map_or(0, |metadata| metadata.len() >> 20);
    println!("\n{what} ({size} MiB), {rounds} rounds, side by side in turn; indicators: 100");
    let mut names = vec!["ours"];
    if python.is_some() {
        names.extend(["polars", "duckdb"]);
    }
    let mut said: Vec<Vec<Said>> = names.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (name, said) in names.iter().zip(&mut said) {
            said.push(run(name, file, python));
        }
    }
    let median = |said: &[Said], of: fn(&Said) -> f64| {
        let mut seconds: Vec<f64> = said.iter().map(of).collect();
        seconds.sort_by(f64::total_cmp);
        seconds[seconds.len() / 2]
    };
    let seconds = |said: &Said| said.seconds;
    let cpu = |said: &Said| said.cpu;
    let (ours, ours_cpu) = (median(&said[0], seconds), median(&said[0], cpu));
    println!(
        "{:<8} {:>9} {:>9} {:>9} {:>7} {:>9} {:>7} {:>9}",
        "", "median s", "min s", "max s", "× ours", "CPU s", "× ours", "peak MiB"
    );
    for (name, said) in names.iter().zip(&said) {
        let all = || said.iter().map(|said| said.seconds);
        println!(
            "{name:<8} {:>9.3} {:>9.3} {:>9.3} {:>7.2} {:>9.3} {:>7.2} {:>9}",
            median(said, seconds),
            all().fold(f64::INFINITY, f64::min),
            all().fold(0.0, f64::max),
            median(said, seconds) / ours,
            median(said, cpu),
            median(said, cpu) / ours_cpu,
            said.iter().map(|said| said.peak).max().unwrap_or(0)
        );
    }
    for (name, theirs) in names.iter().zip(&said).skip(1) {
        println!("figures of ours and {name}: {}", differences(&said[0][0].cells, &theirs[0].cells));
    }
}

fn run(name: &str, file: &Path, python: Option<&str>) -> Said {
    let mut command = match (name, python) {
        ("ours", _) => {
            let mut command = Command::new(std::env::current_exe().expect("the path of this bench"));
            command.arg(ONE);
            command
        }
        (_, Some(python)) => {
            let mut command = Command::new(python);
            command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/compute/compute.py")).arg(name);
            command
        }
        (_, None) => unreachable!("only ours is measured without Python"),
    };
    let output = command.arg(file).output().expect("the process starts");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let figure = |value: &serde_json::Value| value.as_f64().expect("a number");
    let cells = said["cells"]
        .as_object()
        .expect("cells")
        .iter()
        .map(|(at, cell)| (at.clone(), [figure(&cell[0]), figure(&cell[1]), figure(&cell[2])]));
    let (seconds, cpu) = (figure(&said["seconds"]), figure(&said["cpu"]));
    Said { seconds, cpu, peak: said["peak"].as_u64().expect("MiB"), cells: cells.collect() }
}

/// Theirs are sums of floating-point weights, ours of weights rounded to six places; all else must be equal.
fn differences(ours: &BTreeMap<String, [f64; 3]>, theirs: &BTreeMap<String, [f64; 3]>) -> String {
    const NOTHING: [f64; 3] = [0.0; 3];
    let mut different = 0_usize;
    let mut first = String::new();
    for at in ours.keys().chain(theirs.keys().filter(|at| !ours.contains_key(*at))) {
        let (mine, their) = (ours.get(at).unwrap_or(&NOTHING), theirs.get(at).unwrap_or(&NOTHING));
        let room = [if at.contains("_poids") { 5.1e-7 * mine[1] + 1e-9 * mine[0] } else { 0.0 }, 0.0, 0.0];
        if mine.iter().zip(their).zip(room).any(|((mine, their), room)| (mine - their).abs() > room) {
            different += 1;
            if first.is_empty() {
                first = format!(", first at {at}: {mine:?} and {their:?}");
            }
        }
    }
    match different {
        0 => format!("the same in {} cells", ours.len()),
        some => format!("DIFFERENT in {some} cells of {}{first}", ours.len()),
    }
}

/// Measures ours once and prints what it found.
#[expect(clippy::disallowed_methods, reason = "a bench reads the clock that it measures with")]
fn measure(file: &str) {
    let pack = pack::pack();
    let table = &pack.tables()[0];
    let (begin, cpu_before) = (Instant::now(), cpu());
    let rows = tabular::read(&pack::spec(file), &PathBuf::new(), table).expect("the bench's file is clean");
    let read = begin.elapsed();
    let confidential = tabular::compute(&rows, table).expect("every household has a number of persons");
    let seconds = begin.elapsed().as_secs_f64();
    let (cpu, peak) = (cpu() - cpu_before, peak());
    eprintln!(
        "{} rows read in {:.3} s, computed in {:.3} s",
        rows.height(),
        read.as_secs_f64(),
        seconds - read.as_secs_f64()
    );
    let cells = exposed(&confidential, table);
    println!("{}", serde_json::json!({ "seconds": seconds, "cpu": cpu, "peak": peak, "cells": cells }));
}

#[expect(
    clippy::disallowed_methods,
    reason = "figures of a published file, to be compared with those of other engines"
)]
fn exposed(confidential: &disclosure::ConfidentialTable, table: &methodology::Table) -> BTreeMap<String, [f64; 3]> {
    let mut cells = BTreeMap::new();
    for cell in confidential.cells().iter().filter(|cell| cell.key.len() == 2) {
        let codes: BTreeMap<&str, &str> = cell.key.iter().map(|(by, code)| (by.as_str(), code.as_str())).collect();
        let by = pack::breakdown(cell.indicator.as_str());
        let decimals = table.indicator(&cell.indicator).expect("of this table").decimals();
        let largest = if cell.indicator.as_str().ends_with("_personnes") { cell.largest.expose() } else { 0 };
        let figures = [
            decimals.to_f64(cell.value.expose()),
            model::Decimals::NONE.to_f64(cell.contributors.expose()),
            decimals.to_f64(largest),
        ];
        cells.insert(format!("{}|{},{}", cell.indicator, codes[by[0]], codes[by[1]]), figures);
    }
    cells
}

/// The most memory this process held, in MiB; Linux tells.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).map_or(0, |kib| kib >> 10)
}

/// Seconds that all threads of this process worked; Linux counts them in hundredths.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u32 = after_name.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    f64::from(ticks) / 100.0
}
