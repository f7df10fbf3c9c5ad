//! Figures of the département, from files that lie beside the repository and are not part of it.

use testkit::Need;

use super::super::*;
use super::assert_close;
use super::published::beside;
use super::structure::assert_all;

/// A table of official statistics, by the names of its columns.
struct Sheet {
    names: csv::StringRecord,
    rows: Vec<csv::StringRecord>,
}

impl Sheet {
    fn read(file: &str) -> Option<Self> {
        let Some(folder) = beside("realdata") else {
            Need::RealData.absent("no ../shared/realdata beside the repository");
            return None;
        };
        let mut reader =
            csv::ReaderBuilder::new().delimiter(b';').from_path(folder.join(file)).expect("a readable file");
        let names =
            reader.headers().expect("a header").iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
        Some(Self { names, rows: reader.into_records().map(|row| row.expect("a whole row")).collect() })
    }

    fn text<'a>(&self, row: &'a csv::StringRecord, name: &str) -> &'a str {
        &row[self.names.iter().position(|known| known == name).unwrap_or_else(|| panic!("no column {name}"))]
    }

    fn number(&self, row: &csv::StringRecord, name: &str) -> Option<f64> {
        self.text(row, name).replace(',', ".").parse().ok()
    }
}

/// Owners, median income, unemployed, vacant dwellings and household size of the communes of the département.
fn communes() -> Option<Vec<Profile<String>>> {
    let sheet = Sheet::read("02_recensement/base_cc_comparateur_RP2022_geo2025_dep93.csv")?;
    let ratio = |row: &csv::StringRecord, a, b| Some(sheet.number(row, a)? / sheet.number(row, b)?);
    let profile = |row: &csv::StringRecord| {
        let values = [
            ratio(row, "P22_RP_PROP", "P22_RP"),
            sheet.number(row, "MED21"),
            ratio(row, "P22_CHOM1564", "P22_ACT1564"),
            ratio(row, "P22_LOGVAC", "P22_LOG"),
            ratio(row, "P22_POP", "P22_MEN"),
        ];
        let reading = |value: Option<f64>| value.map_or(Reading::Silence(Silence::NotApplicable), Reading::Value);
        Profile { label: sheet.text(row, "CODGEO").to_owned(), indicators: values.map(reading).to_vec() }
    };
    Some(sheet.rows.iter().map(profile).collect())
}

/// Expected: as for the arrests, from the same file.
#[test]
fn the_departement_as_computed_elsewhere() {
    let Some(communes) = communes() else { return };
    let table = standardise(&communes).expect("a table");
    assert_eq!(table.places().len(), 39);
    // Pierrefitte became part of Saint-Denis in 2025; its median income is older.
    let incomplete: Vec<&str> = table.incomplete().iter().map(|of| of.label.as_str()).collect();
    assert_eq!(incomplete, ["93059"]);
    let components = principal_components(&table).expect("components");
    let variances: Vec<f64> = components.iter().map(|component| component.variance).collect();
    assert_all(
        &variances,
        &[2.974_746_447_042, 1.334_018_948_870, 0.523_057_042_724, 0.101_384_832_207, 0.066_792_729_157],
        1e-9,
        "variances",
    );
    let loadings = [0.451_952_653_618, 0.558_689_744_224, -0.547_709_118_876, 0.199_372_634_976, -0.379_301_782_371];
    assert_all(&components[0].loadings, &loadings, 1e-9, "loadings");
    let found = typology(&table, 7, Some(3)).expect("a typology");
    let silhouettes: Vec<f64> = found.divisions.iter().map(|division| division.silhouette).collect();
    let expected = [
        0.327_842_480_066,
        0.306_545_471_392,
        0.268_282_241_788,
        0.268_743_905_184,
        0.255_593_698_283,
        0.273_241_188_769,
    ];
    assert_all(&silhouettes, &expected, 1e-9, "silhouettes");
    let groups: Vec<(&str, usize)> =
        found.groups.iter().map(|group| (group.paragon.as_str(), group.members.len())).collect();
    assert_eq!(groups, [("93053", 25), ("93077", 8), ("93064", 6)]);
    let test_values: Vec<f64> = found.groups[1].traits.iter().map(|of| of.test_value).collect();
    assert_all(
        &test_values,
        &[4.015_742_820_078, 4.316_436_022_827, -4.408_862_675_054, 1.440_774_923_198, -1.705_398_847_935],
        1e-9,
        "test values",
    );
    let alike = look_alikes(&communes, &"93066".to_owned(), &[1.0, 1.0, 2.0, 0.5, 1.0], 4).expect("look-alikes");
    let nearest: Vec<&str> = alike.nearest.iter().map(|place| place.label.as_str()).collect();
    assert_eq!(nearest, ["93001", "93079", "93031", "93006"]);
    let distances: Vec<f64> = alike.nearest.iter().map(|place| place.distance).collect();
    assert_all(
        &distances,
        &[0.225_558_659_106, 0.443_417_052_930, 0.520_094_253_191, 0.529_786_307_498],
        1e-9,
        "distances",
    );
    assert_eq!(alike.not_compared, [("93059".to_owned(), 1)]);
}

/// Expected: numpy, by the formulas; the coefficient as the mean difference of all pairs.
#[test]
fn income_inside_the_departement_as_computed_elsewhere() {
    let (Some(income), Some(territories)) =
        (Sheet::read("01_filosofi/FILO2019_DISP_COM_dep93.csv"), Sheet::read("07_geo/ept_grand_paris_2016_MTA.csv"))
    else {
        return;
    };
    let territory = |code: &str| {
        let row = territories.rows.iter().find(|row| territories.text(row, "DEPCOM") == code);
        territories.text(row.expect("a commune of the metropolis"), "EPT")
    };
    let member = |row| Member {
        group: territory(income.text(row, "CODGEO")),
        value: income.number(row, "Q219").expect("a median"),
        weight: income.number(row, "NBPERS19").expect("people"),
    };
    let members: Vec<Member<&str>> = income.rows.iter().map(member).collect();
    assert_eq!(members.len(), 40);
    let found = theil(&members).expect("an index");
    assert_close(found.total, 0.011_435_887_980_5, 1e-9, "total");
    assert_close(found.between, 0.006_138_297_148, 1e-9, "between");
    assert_close(found.within, 0.005_297_590_832_5, 1e-9, "within");
    let weighted: Vec<(f64, f64)> = members.iter().map(|member| (member.value, member.weight)).collect();
    assert_close(gini(&weighted).expect("a coefficient"), 0.084_875_048_180_6, 1e-9, "Gini");
}
