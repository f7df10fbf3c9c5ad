//! How fast the hub makes observations durable, beside what moves the same observations without being a hub.
//!
//! One run, one machine, one set of figures: documents over mTLS into SQLite and into PostgreSQL, `COPY` of the same
//! observations as rows (text and binary), and Arrow Flight's `DoPut` into memory. `cargo xtask bench push` brings
//! PostgreSQL and pyarrow; what is missing is said and left out.

mod stage;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use disclosure::Received;
use tokio::time::Instant;

use stage::{Figures, LARGE, Node, SMALL, Served, Signed, commune, id, percentile, was_a_hub};

/// Communes that push at once, each its documents one after another.
const COMMUNES: usize = 4;
const DOCUMENTS: usize = 6;
/// Slices of one document.
const SLICES: usize = 4;
const SUBMISSIONS: usize = 200;

const POSTGRES: &str = "MAILLAGE_BENCH_POSTGRES_URL";
const PSQL: &str = "MAILLAGE_BENCH_PSQL";
const PYTHON: &str = "MAILLAGE_BENCH_PYTHON";

struct Line {
    what: &'static str,
    took: Duration,
}

fn main() {
    if was_a_hub() {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let figures = Figures::new();
    let tables = tables(&figures);
    let observations = COMMUNES * DOCUMENTS * SLICES * LARGE;
    println!("{observations} observations, {COMMUNES} communes at once, {DOCUMENTS} documents each");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let postgres = variable(POSTGRES);
    let mut lines = Vec::new();
    let mut small = Vec::new();
    let targets = [("hub, mTLS, SQLite", None), ("hub, mTLS, PostgreSQL", postgres.as_deref())];
    for (what, database) in targets.into_iter().filter(|(what, url)| *what == "hub, mTLS, SQLite" || url.is_some()) {
        let database = database.map(|url| format!("{url}?schema=bench_{}", std::process::id()));
        let hub = Served::start(&folder.path().join(what.replace([' ', ','], "")), COMMUNES + 1, database.as_deref());
        let (took, bytes) = runtime.block_on(push(&hub, &tables));
        println!("{what}: documents of {} KiB, the hub held at most {} MiB", bytes / 1024, hub.peak());
        lines.push(Line { what, took });
        small.push((what, runtime.block_on(submissions(&hub, &figures))));
    }
    lines.extend(beside(folder.path(), &tables, postgres.as_deref()));
    print_lines(&lines, observations);
    for (what, times) in small {
        println!(
            "one submission of {SMALL} observations, {what}: p50 {:.1} ms, p99 {:.1} ms",
            percentile(&times, 50).as_secs_f64() * 1e3,
            percentile(&times, 99).as_secs_f64() * 1e3
        );
    }
}

fn variable(name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        println!("{name} is not set: what needs it is left out");
    }
    value
}

/// By commune, by document.
fn tables(figures: &Figures) -> Vec<Vec<Vec<Received>>> {
    (0..COMMUNES)
        .map(|number| {
            (0..DOCUMENTS)
                .map(|document| {
                    (0..SLICES)
                        .map(|slice| {
                            let period = format!("{}", 1990 + document * SLICES + slice);
                            figures.large(commune(number), &period, i64::try_from(document).expect("few"))
                        })
                        .collect()
                })
                .collect()
        })
        .collect()
}

async fn push(hub: &Served, tables: &[Vec<Vec<Received>>]) -> (Duration, usize) {
    let mut waiting = Vec::new();
    for (number, documents) in tables.iter().enumerate() {
        let node = Node::join(&hub.invitations[number]).await;
        let signed: Vec<Signed> =
            documents.iter().enumerate().map(|(index, slices)| node.sign(id(1, number, index), slices)).collect();
        waiting.push((node.connect().await.expect("connects"), signed));
    }
    let bytes = waiting[0].1[0].document.len();
    let start = Instant::now();
    let pushing = waiting.into_iter().map(|(client, signed)| {
        tokio::spawn(async move {
            for document in signed {
                let accepted = document.send(&client).await.expect("taken");
                assert!(!accepted.already_received);
            }
        })
    });
    for one in pushing.collect::<Vec<_>>() {
        one.await.expect("no panic");
    }
    (start.elapsed(), bytes)
}

/// Times of small submissions, one after another, sorted.
async fn submissions(hub: &Served, figures: &Figures) -> Vec<Duration> {
    let node = Node::join(&hub.invitations[COMMUNES]).await;
    let client = node.connect().await.expect("connects");
    let mut times = Vec::new();
    for number in 0..SUBMISSIONS {
        // Ten versions of each of twenty slices: the intruder remembers the earlier ones.
        let period = (2000 + number % 20).to_string();
        let step = i64::try_from(number / 20).expect("few") * 10;
        let signed = node.sign(id(2, 0, number), &[figures.small(node.commune, &period, step)]);
        let start = Instant::now();
        signed.send(&client).await.expect("taken");
        times.push(start.elapsed());
    }
    times.sort();
    times
}

/// The same observations as rows, by other means.
fn beside(folder: &Path, tables: &[Vec<Vec<Received>>], postgres: Option<&str>) -> Vec<Line> {
    let rows: Vec<[String; 7]> = tables.iter().flatten().flatten().flat_map(rows_of).collect();
    let (text, binary) = (folder.join("rows.tsv"), folder.join("rows.bin"));
    fs::write(&text, rows.iter().map(|row| row.join("\t") + "\n").collect::<String>()).expect("a file");
    fs::write(&binary, as_binary(&rows)).expect("a file");
    let mut lines = Vec::new();
    if let (Some(url), Some(psql)) = (postgres, variable(PSQL)) {
        for (what, file, format) in [("COPY, text", &text, "text"), ("COPY, binary", &binary, "binary")] {
            lines.push(Line { what, took: copy(&psql, url, file, format) });
        }
    }
    if let Some(python) = variable(PYTHON) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/flight.py");
        let said = output(Command::new(python).arg(script).arg(&text));
        let seconds: f64 = said.trim().parse().expect("seconds");
        lines.push(Line { what: "Flight DoPut, memory", took: Duration::from_secs_f64(seconds) });
    }
    lines
}

/// Territory, table, period, indicator, two coordinates, value.
fn rows_of(slice: &Received) -> Vec<[String; 7]> {
    let name = &slice.slice;
    let at = |key: &model::Key, axis: &str| {
        key.get(&axis.parse().expect("a code")).map_or_else(|| "_T".to_owned(), ToString::to_string)
    };
    let row = |((indicator, key), published): (&(model::IndicatorCode, model::Key), &disclosure::Published)| {
        let value = published.figure.observed().expect("nothing is hidden");
        [
            name.territory.to_string(),
            name.table.to_string(),
            name.period.to_string(),
            indicator.to_string(),
            at(key, "rue"),
            at(key, "age"),
            value.to_string(),
        ]
    };
    slice.cells.iter().map(row).collect()
}

/// As PostgreSQL's documentation describes the binary format of `COPY`.
fn as_binary(rows: &[[String; 7]]) -> Vec<u8> {
    let mut bytes = b"PGCOPY\n\xff\r\n\0".to_vec();
    bytes.extend([0; 8]);
    for row in rows {
        bytes.extend(7_i16.to_be_bytes());
        for text in &row[..6] {
            bytes.extend(u32::try_from(text.len()).expect("short").to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        bytes.extend(8_u32.to_be_bytes());
        bytes.extend(row[6].parse::<i64>().expect("a number").to_be_bytes());
    }
    bytes.extend((-1_i16).to_be_bytes());
    bytes
}

/// What psql itself says that `COPY` took, durable commit included.
fn copy(psql: &str, url: &str, file: &Path, format: &str) -> Duration {
    let mut script = String::new();
    writeln!(
        script,
        "CREATE TABLE rows_{format} (territory text, table_code text, period text, indicator text, rue text, age text, \
         value bigint);\n\\timing on\n\\copy rows_{format} FROM '{}' WITH (FORMAT {format})\n\\timing off\nDROP TABLE rows_{format};",
        file.display()
    )
    .expect("a string takes everything");
    let path = file.with_extension("sql");
    fs::write(&path, script).expect("a file");
    let said = output(Command::new(psql).args(["-X", "-v", "ON_ERROR_STOP=1", "-d", url, "-f"]).arg(&path));
    let time = said.lines().find_map(|line| line.strip_prefix("Time: ")).expect("psql says how long it took");
    let milliseconds: f64 = time.split_whitespace().next().expect("a number").parse().expect("a number");
    Duration::from_secs_f64(milliseconds / 1e3)
}

fn output(command: &mut Command) -> String {
    let out = command.output().expect("the program starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("text")
}

fn print_lines(lines: &[Line], observations: usize) {
    let rate = |took: Duration| f64::from(u32::try_from(observations).expect("some 100 000")) / took.as_secs_f64();
    let copy = lines.iter().find(|line| line.what == "COPY, text").map(|line| rate(line.took));
    println!("\n{:<24} {:>8} {:>16} {:>14}", "", "seconds", "observations/s", "× COPY, text");
    for line in lines {
        let ratio = copy.map_or_else(|| "–".to_owned(), |copy| format!("{:.2}", rate(line.took) / copy));
        println!("{:<24} {:>8.2} {:>16.0} {ratio:>14}", line.what, line.took.as_secs_f64(), rate(line.took));
    }
    println!();
}
