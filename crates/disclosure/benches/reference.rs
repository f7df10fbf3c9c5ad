//! The engine on the reference tables.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use disclosure::system::{Axis, Cell, Grid, System};

fn load(folder: &Path) -> (Grid, System) {
    let text = std::fs::read_to_string(folder.join("hierarchy.json")).expect("a hierarchy");
    let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let mut reader = csv::Reader::from_path(folder.join("table.csv")).expect("a table");
    let headers = reader.headers().expect("a header").clone();
    let dims = json["dims"].as_object().expect("dims");
    let names: Vec<&str> = headers.iter().filter(|name| dims.contains_key(*name)).collect();
    let axes: Vec<Axis> = names.iter().map(|name| {
        let groups = dims[*name].as_object().expect("groupings");
        Axis::new(groups.iter().map(|(parent, children)| {
            let children = children.as_array().expect("children");
            (parent.as_str(), children.iter().map(|child| child.as_str().expect("a name")).collect())
        })).expect("a hierarchy")
    }).collect();
    let grid = Grid::new(axes);
    let mut cells: BTreeMap<usize, Cell> = BTreeMap::new();
    for record in reader.records() {
        let record = record.expect("a row");
        let nodes: Vec<usize> = names.iter().enumerate().map(|(i, _)| grid.axes()[i].find(&record[i]).expect("a node")).collect();
        let value: i64 = record[names.len()].parse().expect("a number");
        let mut cell = if &record[names.len() + 1] == "1" { Cell::primary(value) } else { Cell::open(value) };
        if value == 0 { cell.standing = disclosure::system::Standing::Shown; }
        cells.insert(grid.cell(&nodes), cell);
    }
    assert_eq!(cells.len(), grid.cells());
    let system = System::new(cells.into_values().collect(), &grid.relations()).expect("a system");
    (grid, system)
}

fn main() {
    let root = std::env::var_os("MAILLAGE_SDC").map_or_else(|| PathBuf::from("../../../shared/reference/sdc"), PathBuf::from);
    let k = std::env::args().skip(1).find_map(|a| a.strip_prefix("k=").and_then(|k| k.parse().ok())).unwrap_or(300);
    for name in std::env::args().skip(1).filter(|a| a.starts_with('S')) {
        let (_, system) = load(&root.join(&name));
        println!("{name}: {}", disclosure::suppress::experiment(&system, k, &cpu));
    }
}

/// CPU seconds of this process.
fn cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").expect("a process");
    let after = text.rsplit(')').next().expect("a name");
    let ticks: f64 = after.split_whitespace().skip(11).take(2).map(|t| t.parse::<f64>().expect("ticks")).sum();
    ticks / 100.0
}
