//! The engine on the reference tables: `cargo bench -p disclosure -- FOLDER [TABLE …]`, where a table's folder holds
//! `table.csv` and `hierarchy.json`; `TABLE:WIDTH` asks for another width, 0 for elimination alone, and
//! `TABLE<FIGURE` hides whatever is smaller. Below each pattern, unless `--alone` is given, stands what an
//! intruder finds in it who sees nothing but the table that would be shown. CPU seconds and peak memory are those of
//! the process so far.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use disclosure::intervals::{Asked, End, Reached, Verdict, View, reach};
use disclosure::suppress::{Ask, suppress};
use disclosure::system::{Axis, Cell, Grid, Standing, System};

/// Counts under this width are too narrow.
const WIDTH: u32 = 5;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let Some(root) = arguments.next().map(PathBuf::from) else {
        println!("no folder of reference tables given: nothing measured");
        return;
    };
    let tables: Vec<String> = arguments.collect();
    println!("table | cells | primary | secondary | hidden value | gaps | CPU s | peak MB | tables | account");
    for table in tables {
        if let Some((name, small)) = table.split_once('<') {
            let (system, small) = (load(&root.join(name)), small.parse().expect("a number"));
            let hides = |cell: &Cell| cell.standing != Standing::Shown && cell.value < small;
            let hidden: Vec<usize> = (0..system.cells().len()).filter(|&cell| hides(&system.cells()[cell])).collect();
            println!("{table} | {} | {}", system.cells().len(), hidden.len());
            intrude(&system, &hidden);
            continue;
        }
        let (name, width) = table.split_once(':').unwrap_or((&table, ""));
        let width: u32 = width.parse().unwrap_or(WIDTH);
        let system = load(&root.join(name));
        let before = cpu();
        let count = |standing| system.cells().iter().filter(|cell| cell.standing == standing).count();
        let primary = count(Standing::Primary);
        match suppress(&system, Ask::width(width)) {
            Err(fault) => println!("{name} | {} | {primary} | {fault}", system.cells().len()),
            Ok(pattern) => {
                let proven = pattern.proof.check(&system, &pattern.hidden, width);
                let value: i64 = pattern.hidden.iter().map(|&cell| system.cells()[cell].value).sum();
                println!(
                    "{name} | {} | {primary} | {} | {value} | {proven:?} | {:.2} | {} | {} | {:?}",
                    system.cells().len(),
                    pattern.secondary.len(),
                    cpu() - before,
                    peak(),
                    pattern.proof.tables(),
                    pattern.account,
                );
                if !std::env::args().any(|argument| argument == "--alone") {
                    intrude(&system, &pattern.hidden);
                }
            }
        }
    }
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
