//! The engine on the reference tables: `cargo xtask bench disclosure`, or `cargo bench -p disclosure --bench reference --
//! FOLDER [TABLE …] [--all] [--intruder]`, where a table's folder holds `table.csv` and `hierarchy.json`. `TABLE:WIDTH`
//! asks for another width, 0 for elimination alone, and `TABLE<FIGURE` hides whatever is smaller. With `--intruder`,
//! below each pattern stands all that somebody finds in it who sees nothing but the table that would be shown.
//!
//! Whole tables prove each pattern before it is printed. `narrow` is a second opinion: how many primaries another search
//! finds too certain, and how many it could not decide in its time. CPU seconds and memory are those of choosing what to
//! hide alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use disclosure::intervals::{Asked, End, Reached, Verdict, View, reach};
use disclosure::suppress::{Ask, Short, suppress};
use disclosure::system::{Axis, Cell, Grid, Standing, System};

/// Counts under this width are too narrow.
const WIDTH: u32 = 5;

/// Tables that take seconds, and those that take minutes.
const SHORT: [&str; 4] = ["S0", "S1", "S2d", "S2"];
const LONG: [&str; 2] = ["S3d", "S3"];

/// Where in a process's arguments its only table stands, its work being measured by itself.
const ONE: &str = "--one";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (flags, names): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.starts_with("--"));
    let has = |flag: &str| flags.iter().any(|known| *known == flag);
    let Some((root, names)) = names.split_first() else {
        println!("no folder of reference tables given: nothing measured");
        return;
    };
    let root = PathBuf::from(root);
    if has(ONE) {
        one(&root, names[0], has("--intruder"));
        return;
    }
    let mut tables: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    if tables.is_empty() {
        tables.extend(SHORT);
        if has("--all") {
            tables.extend(LONG);
        }
    }
    let peer = published(&root);
    println!(
        "Width {WIDTH}. In brackets: the limit, what GaussSuppression hides at equal guarantee where it ran, else 1.05 × \
         its plain run."
    );
    println!(
        "table | cells | primary | secondary | hidden value | narrow | needs met by whole steps alone | CPU s | peak MB | \
         growth"
    );
    let mut last: Option<(f64, f64)> = None;
    for table in tables {
        // Each in a process of its own: the most memory that a process held is that of its largest table.
        let program = std::env::current_exe().expect("the path of this bench");
        let mut command = std::process::Command::new(program);
        command.args([ONE, &root.to_string_lossy(), table]);
        if has("--intruder") {
            command.arg("--intruder");
        }
        let output = command.output().expect("this very program starts");
        let text = String::from_utf8_lossy(&output.stdout);
        let mut lines = text.lines();
        let fields: Vec<&str> = lines.next().unwrap_or_default().split('|').collect();
        let [cells, primary, secondary, value, narrow, stepped, seconds, memory] = fields[..] else {
            println!("{table} | {text} {}", String::from_utf8_lossy(&output.stderr));
            continue;
        };
        let beside = |ours: &str, limit: Option<f64>| {
            let (Ok(number), Some(limit)) = (ours.parse::<f64>(), limit) else { return ours.to_owned() };
            format!("{ours} ({limit:.0}: {:.2})", number / limit)
        };
        let limits = peer.get(table.split(':').next().unwrap_or_default());
        let now = cells.parse().ok().zip(seconds.parse().ok());
        let growth =
            now.zip(last).map(|((n, t), (before, spent)): ((f64, f64), _)| (t / spent).ln() / (n / before).ln());
        let growth = growth.filter(|growth| growth.is_finite());
        println!(
            "{table} | {cells} | {primary} | {} | {} | {narrow} | {stepped} | {seconds} | {memory} | {}",
            beside(secondary, limits.map(|limits| limits.0)),
            beside(value, limits.map(|limits| limits.1)),
            growth.map_or_else(|| "–".to_owned(), |growth| format!("cells^{growth:.1}")),
        );
        lines.for_each(|line| println!("{line}"));
        last = now;
    }
}

/// Protects one table, and prints what came out; then what stands behind it.
fn one(root: &Path, table: &str, intruder: bool) {
    if let Some((name, small)) = table.split_once('<') {
        let (system, small) = (load(&root.join(name)), small.parse().expect("a number"));
        let hides = |cell: &Cell| cell.standing != Standing::Shown && cell.value < small;
        let hidden: Vec<usize> = (0..system.cells().len()).filter(|&cell| hides(&system.cells()[cell])).collect();
        println!("{} | {}", system.cells().len(), hidden.len());
        intrude(&system, &hidden);
        return;
    }
    let (name, width) = table.split_once(':').unwrap_or((table, ""));
    let width: u32 = width.parse().unwrap_or(WIDTH);
    let system = load(&root.join(name));
    let before = cpu();
    let primary = system.cells().iter().filter(|cell| cell.standing == Standing::Primary).count();
    let pattern = match suppress(&system, Ask::width(width)) {
        Err(fault) => return println!("{fault}"),
        Ok(pattern) => pattern,
    };
    let (seconds, memory) = (cpu() - before, peak());
    let narrow = match pattern.proof.check(&system, &pattern.hidden, width) {
        // What follows from what would be shown, found without the proof.
        Ok(()) => seen(&system, &pattern.hidden, width),
        Err(Short::Narrow(cells) | Short::Bare(cells)) => cells.len().to_string(),
        Err(Short::Unsound(table)) => return println!("table {table} of the proof is unsound"),
    };
    let value: i64 = pattern.hidden.iter().map(|&cell| system.cells()[cell].value).sum();
    let stepped = primary - pattern.account.solved;
    println!(
        "{}|{primary}|{}|{value}|{narrow}|{:.1} %|{seconds:.2}|{memory}",
        system.cells().len(),
        pattern.secondary.len(),
        percent(stepped, primary),
    );
    if intruder {
        println!("  {} tables prove it; {:?}", pattern.proof.tables(), pattern.account);
        intrude(&system, &pattern.hidden);
    }
}

/// Primaries that vary by less than the width, and those left undecided, from the true table on: on tight patterns, who does not know any
/// table that agrees is not sure to find one.
fn seen(system: &System, hidden: &[usize], width: u32) -> String {
    let primary = |&cell: &usize| system.cells()[cell].standing == Standing::Primary;
    let truth = system.cells().iter().map(|cell| cell.value).collect();
    let asked = Asked::width(width).about(hidden.iter().copied().filter(primary)).from_table(truth);
    let reached = reach(&View::of(system, hidden), &asked).expect("the true table agrees with what would be shown");
    let [narrow, open] = [Verdict::Narrow, Verdict::Undecided].map(|verdict| reached.varying(width, verdict).len());
    if open == 0 { narrow.to_string() } else { format!("{narrow}, {open} not decided") }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of cells")]
fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole as f64
}

/// By table, how many secondaries and how much hidden value a peer's figures allow, as the folder's README gives them.
fn published(root: &Path) -> BTreeMap<String, (f64, f64)> {
    let text = std::fs::read_to_string(root.join("README.md")).unwrap_or_default();
    let figures = |field: &str| -> Option<(f64, f64)> {
        let mut parts = field.split('·').map(|part| part.split_whitespace().collect::<String>().parse::<f64>());
        Some((parts.next()?.ok()?, parts.next()?.ok()?))
    };
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, table, _, _, plain, equal, _] = fields[..] else { return None };
        let limit = figures(equal).or_else(|| figures(plain).map(|(cells, value)| (1.05 * cells, 1.05 * value)))?;
        Some((table.to_owned(), limit))
    };
    text.lines().filter_map(row).collect()
}

/// What follows from a pattern for who does not know the table.
fn intrude(system: &System, hidden: &[usize]) {
    let view = View::of(system, hidden);
    let primary = |&cell: &usize| system.cells()[cell].standing == Standing::Primary;
    let asks = [
        (
            "primaries by width from truth",
            Asked::width(WIDTH)
                .about(hidden.iter().copied().filter(primary))
                .from_table(system.cells().iter().map(|c| c.value).collect()),
        ),
        ("primaries by width", Asked::width(WIDTH).about(hidden.iter().copied().filter(primary))),
        ("all by width", Asked::width(WIDTH)),
        ("all intervals", Asked::intervals()),
    ];
    for (name, asked) in asks {
        let before = cpu();
        let Ok(reached) = reach(&view, &asked) else {
            println!("  {name}: contradiction");
            continue;
        };
        let varying = |verdict| reached.varying(WIDTH, verdict).len();
        let ends = |reached: &Reached, wanted: fn(End) -> bool| {
            reached.intervals().iter().flat_map(|(_, at)| [at.low, at.high]).filter(|&end| wanted(end)).count()
        };
        let sound = reached.witnesses().check(&view).is_ok();
        println!(
            "  {name}: {} cells, {} narrow, {} undecided, {} of {} ends proven, {:.2} CPU s, {} MB, {} tables sound: \
             {sound}, {:?}",
            reached.intervals().len(),
            varying(Verdict::Narrow),
            varying(Verdict::Undecided),
            ends(&reached, End::settled),
            2 * reached.intervals().len(),
            cpu() - before,
            peak(),
            reached.witnesses().tables(),
            reached.account(),
        );
    }
}

fn load(folder: &Path) -> System {
    let text = std::fs::read_to_string(folder.join("hierarchy.json")).expect("a hierarchy");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let dims = json["dims"].as_object().expect("dims");
    let mut reader = csv::Reader::from_path(folder.join("table.csv")).expect("a table");
    let headers = reader.headers().expect("a header").clone();
    let names: Vec<&str> = headers.iter().filter(|name| dims.contains_key(*name)).collect();
    let axis = |name: &&str| {
        let groups = dims[*name].as_object().expect("groupings").iter();
        let groups = groups.map(|(parent, children)| {
            let children = children.as_array().expect("children").iter();
            (parent.as_str(), children.map(|child| child.as_str().expect("a name")).collect())
        });
        Axis::new(groups).expect("a hierarchy")
    };
    let grid = Grid::new(names.iter().map(axis).collect());
    let mut cells: BTreeMap<usize, Cell> = BTreeMap::new();
    for record in reader.records() {
        let record = record.expect("a row");
        let nodes: Vec<usize> =
            grid.axes().iter().zip(&record).map(|(axis, name)| axis.find(name).expect("a node")).collect();
        let value: i64 = record[names.len()].parse().expect("a number");
        let mut cell = if &record[names.len() + 1] == "1" { Cell::primary(value) } else { Cell::open(value) };
        if value == 0 {
            cell.standing = Standing::Shown;
        }
        cells.insert(grid.cell(&nodes), cell);
    }
    assert_eq!(cells.len(), grid.cells(), "every combination of nodes is a cell");
    System::new(cells.into_values().collect(), &grid.relations()).expect("a system")
}

/// CPU seconds of this process.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = text.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = after.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / 100.0
}

/// Most memory ever used, in MB.
fn peak() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|size| size.parse::<u64>().ok()).unwrap_or_default() / 1024
}
