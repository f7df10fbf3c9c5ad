//! Cells against hand counts, against our own evaluation of filters, and against INSEE's published figures.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use disclosure::ConfidentialTable;
use methodology::{Pack, Table};
use model::{Key, Units};

use super::{ComputeError, compute};
use crate::read::{read, read_bytes};
use crate::source::{DecimalMark, Names, SourceSpec};

fn pack(code: &str) -> Pack {
    methodology::library().into_iter().find(|pack| pack.code().as_str() == code).expect("in the library")
}

fn table<'a>(pack: &'a Pack, code: &str) -> &'a Table {
    pack.table(&code.parse().expect("a code")).expect("in the pack")
}

pub(crate) type Exposed = BTreeMap<(String, String), [Units; 4]>;

#[expect(clippy::disallowed_methods, reason = "tests compare figures; rows are invented or published by INSEE")]
pub(crate) fn exposed(table: &ConfidentialTable) -> Exposed {
    let cells = table.cells().iter().map(|cell| {
        let figures = [&cell.value, &cell.contributors, &cell.largest, &cell.second];
        ((cell.indicator.to_string(), cell.key.to_string()), figures.map(disclosure::ConfidentialCount::expose))
    });
    cells.collect()
}

pub(super) fn at(cells: &Exposed, indicator: &str, key: &str) -> [Units; 4] {
    cells[&(indicator.to_owned(), key.to_owned())]
}

const AIDS: &str = "id_demande;id_menage;type_aide;decision;montant;type_menage;age
a1;m1;energie;accord;150,50;seul;34
a2;m1;alimentaire;accord;49,50;seul;34
a3;m2;energie;accord;70;couple;41
a4;m3;energie;accord;0;seul;70
a5;m3;energie;refus;;seul;70
";

#[test]
fn contributors_are_households_and_the_two_largest_are_theirs() {
    let pack = pack("ccas-activite");
    let table = table(&pack, "aides_facultatives");
    let rows = read_bytes(&SourceSpec::new("aides.csv"), "aides.csv", AIDS.as_bytes(), table).expect("readable");
    let cells = exposed(&compute(&rows, table).expect("computable"));
    assert_eq!(at(&cells, "aidfac_demandes", "total"), [5, 3, 0, 0]);
    assert_eq!(at(&cells, "aidfac_accords", "type_menage=seul"), [3, 2, 0, 0]);
    // m3 was granted an aid of nothing: it hides nobody in a sum.
    assert_eq!(at(&cells, "aidfac_montant_total", "total"), [27_000, 2, 20_000, 7_000]);
    assert_eq!(at(&cells, "aidfac_montant_total", "type_menage=seul"), [20_000, 1, 20_000, 0]);
    assert_eq!(at(&cells, "aidfac_menages", "total"), [3, 3, 0, 0]);
    assert_eq!(at(&cells, "aidfac_menages", "type_menage=monoparental"), [0, 0, 0, 0]);
}

#[test]
fn every_cell_of_the_scheme_is_there_once_and_partitions_add_up() {
    let pack = pack("ccas-activite");
    for (table, csv) in [(table(&pack, "aides_facultatives"), AIDS)] {
        let rows = read_bytes(&SourceSpec::new("f.csv"), "f.csv", csv.as_bytes(), table).expect("readable");
        let computed = compute(&rows, table).expect("computable");
        let cells = exposed(&computed);
        assert_eq!(computed.cells().len(), cells.len(), "no cell twice");
        let scheme = table.scheme();
        let expected: usize = scheme
            .measures()
            .iter()
            .flat_map(|m| &m.breakdowns)
            .map(|b| b.iter().map(|d| scheme.dimensions()[d].len()).product::<usize>())
            .sum();
        assert_eq!(cells.len(), expected);
        for measure in scheme.measures() {
            for breakdown in &measure.breakdowns {
                let parts = computed.cells().iter().filter(|cell| {
                    cell.indicator == measure.indicator
                        && cell.key.len() == breakdown.len()
                        && cell.key.iter().all(|(d, _)| breakdown.contains(d))
                });
                let sum: Units =
                    parts.map(|cell| at(&cells, measure.indicator.as_str(), &cell.key.to_string())[0]).sum();
                assert_eq!(sum, at(&cells, measure.indicator.as_str(), &Key::total().to_string())[0]);
            }
        }
    }
}

#[test]
fn a_row_that_counts_without_amount_is_refused_with_its_line() {
    let pack = pack("ccas-activite");
    let table = table(&pack, "aides_facultatives");
    let csv = AIDS.replace("a3;m2;energie;accord;70", "a3;m2;energie;accord;");
    let rows = read_bytes(&SourceSpec::new("aides.csv"), "aides.csv", csv.as_bytes(), table).expect("readable");
    let error = compute(&rows, table).expect_err("an amount is missing");
    assert_eq!(
        error,
        ComputeError::MissingAmount {
            indicator: "aidfac_montant_total".parse().expect("a code"),
            column: "montant".to_owned(),
            line: 4
        }
    );
}

/// The aid table whose author says something that only rows can break.
fn claiming(relation: &str) -> Pack {
    let mut files = pack("ccas-activite").files().clone();
    let indicators = files.get_mut("tables/aides_facultatives.toml").expect("there");
    indicators.extend(format!("\n[[relation]]\n{relation}\nreason = \"essai\"\n").bytes());
    Pack::parse(&files).expect("sound")
}

#[test]
fn rows_that_break_a_declared_relation_are_refused_and_others_are_not() {
    // The one refusal is of kind energy, and no alimentary aid goes to somebody over 60.
    for (relation, holds) in [
        ("implies = [\"aidfac_alimentaire\", \"aidfac_energie\"]", None),
        (
            "partition = { whole = \"aidfac_accords\", parts = [\"aidfac_energie\", \"aidfac_alimentaire\"] }",
            Some(true),
        ),
        (
            "partition = { whole = \"aidfac_demandes\", parts = [\"aidfac_energie\", \"aidfac_alimentaire\"] }",
            Some(false),
        ),
        ("implies = [\"aidfac_demandes\", \"aidfac_accords\"]", Some(false)),
    ] {
        let Some(holds) = holds else {
            // Kinds of aid exclude each other: no rows are needed to refuse it.
            let mut files = pack("ccas-activite").files().clone();
            let indicators = files.get_mut("tables/aides_facultatives.toml").expect("there");
            indicators.extend(format!("\n[[relation]]\n{relation}\nreason = \"essai\"\n").bytes());
            assert!(Pack::parse(&files).is_err());
            continue;
        };
        let pack = claiming(relation);
        let table = table(&pack, "aides_facultatives");
        assert_eq!(table.claims().count(), 1, "trusted, not proven: {relation}");
        let rows = read_bytes(&SourceSpec::new("aides.csv"), "aides.csv", AIDS.as_bytes(), table).expect("readable");
        match compute(&rows, table) {
            Ok(_) => assert!(holds, "{relation}"),
            Err(error @ ComputeError::BrokenRelation(_)) => {
                assert!(!holds, "{relation}");
                assert!(error.message().contains("Corrigez ces lignes"), "{}", error.message());
            }
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn a_file_without_rows_gives_zeros_only_where_the_source_says_so() {
    let pack = pack("ccas-activite");
    let aids = table(&pack, "aides_facultatives");
    let header = AIDS.lines().next().expect("a header");
    let mut spec = SourceSpec::new("aides.csv");
    assert!(read_bytes(&spec, "aides.csv", header.as_bytes(), aids).is_err());
    spec.may_be_empty = true;
    let rows = read_bytes(&spec, "aides.csv", header.as_bytes(), aids).expect("an empty year");
    let cells = exposed(&compute(&rows, aids).expect("computable"));
    assert!(cells.values().all(|figures| *figures == [0; 4]));
    let other = table(&pack, "domiciliation");
    assert_eq!(compute(&rows, other).expect_err("another table"), ComputeError::OtherTable);
}

fn census(year: u16) -> (PathBuf, SourceSpec) {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/realdata/08_microdata");
    let mut spec = SourceSpec::new(format!("FD_LOGEMT_{year}_melun_77288.csv"));
    spec.decimal = DecimalMark::Point;
    for (field, name) in [
        ("poids", "IPONDL"),
        ("categorie", "CATL"),
        ("type_logement", "TYPL"),
        ("statut_occupation", "STOCD"),
        ("personnes", "INPER"),
    ] {
        spec.columns.insert(field.to_owned(), Names::One(name.to_owned()));
    }
    (base, spec)
}

/// Melun (77288): published by INSEE in the *base comparateur de territoires* (`P18_LOG`, `P18_RP`, `P18_RP_PROP`).
#[test]
fn census_files_of_three_vintages_give_the_published_figures() {
    let pack = pack("logement-rp");
    let table = table(&pack, "logements");
    let published: [(u16, &[(&str, f64)]); 3] = [
        (2013, &[("log_ensemble", 18_957.926), ("log_rp", 17_429.429)]),
        (
            2018,
            &[
                ("log_ensemble", 19_449.668_047_174_1),
                ("log_rp", 17_161.672_819_781_4),
                ("log_rp_prop", 4_940.341_809_274_7),
                ("log_rp_hlm", 5_820.994),
                ("log_vacants", 2_102.783),
                ("log_secondaires", 185.212),
            ],
        ),
        (2021, &[("log_ensemble", 20_478.864), ("log_rp", 18_069.639)]),
    ];
    for (year, figures) in published {
        let (base, spec) = census(year);
        if !base.join(&spec.file).exists() {
            testkit::Need::RealData.absent(format_args!("{} is not on this machine", spec.file.display()));
            continue;
        }
        let rows = read(&spec, &base, table).expect("the census file is readable");
        let cells = exposed(&compute(&rows, table).expect("computable"));
        for (indicator, expected) in figures {
            let found = model::Decimals::new(6).expect("six").to_f64(at(&cells, indicator, "total")[0]);
            // The comparateur gives ten decimals; the other references are quoted with three.
            let quoted = if expected.to_bits() == ((expected * 1e3).round() / 1e3).to_bits() { 0.000_5 } else { 0.0 };
            assert!((found - expected).abs() <= quoted + expected * 1e-8, "{year} {indicator}: {found} ≠ {expected}");
        }
    }
}
