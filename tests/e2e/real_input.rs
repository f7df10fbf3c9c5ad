//! Census files as INSEE publishes them, from a commune's folder to the coordinator's screen.

use std::fs;
use std::path::{Path, PathBuf};

use model::Figure;
use node::preview::{CellPreview, SlicePreview};
use statistics::Reading;
use testkit::Need;

use crate::house::{House, send, word};

const MELUN: &str = "77288";
const VINTAGES: [&str; 3] = ["2013", "2018", "2021"];
const COMPARATEUR: &str = "02_recensement/base_cc_comparateur_RP2018_france_sauf_92_44.csv";

/// Public files beside the repository, which are not part of it.
fn public(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/realdata").join(path)
}

/// The file's bytes, or `None` (said, see [`Need`]) on a machine that does not have it.
fn read(path: &str) -> Option<Vec<u8>> {
    let path = public(path);
    if path.exists() {
        return Some(fs::read(&path).expect("a readable file"));
    }
    Need::RealData.absent(format_args!("{} is not on this machine", path.display()));
    None
}

fn detail(vintage: &str) -> String {
    format!("08_microdata/FD_LOGEMT_{vintage}_melun_{MELUN}.csv")
}

/// What an agent writes after a look at the first lines of the files: INSEE's names on the right, the pack's on the
/// left. Of the other sixty columns, which change with every vintage, nothing is said.
fn settings() -> String {
    let source = |vintage| {
        format!(
            r#"
[[source]]
pack = "logement-rp"
table = "logements"
period = "{vintage}"
[source.read]
file = "insee/FD_LOGEMT_{vintage}.csv"
separator = ";"
decimal = "."
[source.read.columns]
poids = "IPONDL"
categorie = "CATL"
type_logement = "TYPL"
statut_occupation = "STOCD"
personnes = "INPER"
"#
        )
    };
    VINTAGES.map(source).concat()
}

/// A published figure of the commune, as text of INSEE's file.
fn published(comparateur: &str, column: &str) -> f64 {
    let mut lines = comparateur.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(';').collect();
    let index = header.iter().position(|name| *name == column).expect("the column");
    let line = lines.find(|line| line.starts_with(&format!("{MELUN};"))).expect("the commune's line");
    line.split(';').nth(index).expect("a cell").parse().expect("a number")
}

fn close(found: f64, expected: f64, relative: f64, what: &str) {
    assert!((found - expected).abs() <= relative * expected.abs(), "{what}: {found} is not {expected}");
}

async fn value(house: &House, indicator: &str, period: &str) -> f64 {
    let comparison = house.compare(indicator, period, "").await.expect("a comparison");
    let [row] = comparison.communes.as_slice() else { panic!("one commune sent: {:?}", comparison.communes) };
    assert_eq!(row.territory, word(MELUN));
    assert!(!row.value.suppressed);
    let Reading::Value(value) = row.value.reading else { panic!("{indicator} {period}: {:?}", row.value) };
    value
}

/// A hidden place of `log_ensemble`, with the sum of weights that the file gives it.
fn hidden_cell(slice: &SlicePreview, file: &str) -> (String, f64) {
    let hidden = |cell: &&CellPreview| cell.indicator.as_str() == "log_ensemble" && cell.shows == "caché";
    let cell = slice.cells.iter().filter(hidden).find(|cell| cell.key.len() == 2).expect("few secondary houses");
    let code = |dimension| cell.key.get(&word(dimension)).expect("a code").as_str();
    let (category, kind) = (code("categorie"), code("type_logement"));
    let mut lines = file.lines().map(|line| line.split(';').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let column = |name| header.iter().position(|column| *column == name).expect("a column");
    let (catl, typl, ipondl) = (column("CATL"), column("TYPL"), column("IPONDL"));
    let of_kind = |typl: &str| if kind == "autre" { ["3", "4", "5", "6"].contains(&typl) } else { typl == kind };
    let truth = lines
        .filter(|row| row[catl] == category && of_kind(row[typl]))
        .map(|row| row[ipondl].parse::<f64>().expect("a weight"))
        .sum();
    (cell.key.to_string(), truth)
}

#[tokio::test(flavor = "multi_thread")]
async fn melun_computes_from_the_census_file_what_insee_published() {
    let mut files = Vec::new();
    for vintage in VINTAGES {
        let Some(bytes) = read(&detail(vintage)) else { return };
        files.push((format!("insee/FD_LOGEMT_{vintage}.csv"), bytes));
    }
    let Some(comparateur) = read(COMPARATEUR) else { return };
    let comparateur = String::from_utf8(comparateur).expect("UTF-8");
    let files: Vec<(&str, &[u8])> = files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())).collect();

    let house = House::open().await;
    let node = house.commune(MELUN, &settings(), &files).await;
    let (preview, receipt) = send(&node).await;

    assert_eq!(preview.slices.len(), VINTAGES.len());
    let cells: usize = preview.slices.iter().map(|slice| slice.cells.len()).sum();
    assert_eq!(receipt.outcome.new as usize, cells);
    // Small cells exist in these files: hidden at the node, and nothing but silence for them in the table.
    for (slice, table) in preview.slices.iter().zip(&preview.tables) {
        assert!(slice.hidden_primary > 0 && slice.hidden_secondary > 0, "{}", slice.slice);
        let hidden = table.cells().values().filter(|cell| cell.figure == Figure::Suppressed).count();
        assert_eq!(hidden, slice.hidden_primary + slice.hidden_secondary);
    }

    for (indicator, period, expected) in [
        ("log_ensemble", "2018", 19_449.668),
        ("log_rp", "2018", 17_161.673),
        ("log_rp_prop", "2018", 4_940.342),
        ("log_rp_hlm", "2018", 5_820.994),
        ("log_ensemble", "2013", 18_957.926),
        ("log_rp", "2013", 17_429.429),
        ("log_ensemble", "2021", 20_478.864),
        ("log_rp", "2021", 18_069.639),
    ] {
        let found = value(&house, indicator, period).await;
        assert!((found - expected).abs() < 0.0005, "{indicator} {period}: {found} is not {expected}");
    }
    for (indicator, column) in [("log_ensemble", "P18_LOG"), ("log_rp", "P18_RP"), ("log_rp_prop", "P18_RP_PROP")] {
        close(value(&house, indicator, "2018").await, published(&comparateur, column), 1e-8, column);
    }

    // A ratio is made at the hub, of the two counts that travelled.
    let share = house.compare("log_prop_part", "2018", "").await.expect("a comparison");
    let Reading::Value(share) = share.communes[0].value.reading else { panic!("a share") };
    let expected = 100.0 * published(&comparateur, "P18_RP_PROP") / published(&comparateur, "P18_RP");
    close(share, expected, 1e-8, "log_prop_part");

    // A hidden cell reaches the coordinator as an interval that holds the truth, never as zero.
    let (place, truth) = hidden_cell(&preview.slices[1], std::str::from_utf8(files[1].1).expect("ASCII"));
    let hidden = house.compare("log_ensemble", "2018", &place).await.expect("a comparison");
    let shown = hidden.communes[0].value;
    assert!(shown.suppressed);
    let Reading::Interval { low, high } = shown.reading else { panic!("an interval: {shown:?}") };
    assert!(high.is_none_or(|high| high >= low + 5.0), "as wide as the rule asks: {low}–{high:?}");
    assert!(low <= truth && high.is_none_or(|high| truth <= high), "{place}: {truth} is not in {low}–{high:?}");
    node.close().await;
    house.close().await;
}
