//! Public figures, from files of producers to series, on both databases.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{Code, CogYear, Failure, IndicatorCode, Level, Period};
use statistics::{Reading, Silence};
use testkit::{ManualClock, Need};

use super::stage::{databases, world};
use crate::import::{ImportPlan, ImportSummary};
use crate::public::{PublicQuestion, PublicRow, PublicSeries};
use crate::{Hub, HubConfig, HubFolder, init};

/// A hub of the real département, that nobody calls.
pub(super) struct Library {
    pub(super) hub: Hub,
    folder: tempfile::TempDir,
}

impl Library {
    pub(super) async fn on(database: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::default());
        let config = HubConfig { database, ..HubConfig::default() };
        let root = HubFolder::at(folder.path().join("hub"));
        let name: Code = "coordination".parse().expect("a code");
        init::init(&root, &config, &name, &world(&clock, 1)).await.expect("creates");
        let hub = Hub::open_with(root, config, Vec::new(), world(&clock, 2)).await.expect("opens");
        Self { hub, folder }
    }

    pub(super) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("writes");
        path
    }

    pub(super) async fn plan(&self, path: &Path) -> Result<ImportPlan, Failure> {
        self.hub.plan_import(path, false, Arc::new(|_, _| ())).await
    }

    pub(super) async fn import(&self, path: &Path) -> Result<(ImportSummary, Option<u64>), Failure> {
        self.import_with(path, false).await
    }

    async fn import_with(&self, path: &Path, replace: bool) -> Result<(ImportSummary, Option<u64>), Failure> {
        let plan = self.plan(path).await?;
        let summary = plan.summary.clone();
        Ok((summary, self.hub.import_public(plan, "Awa Diallo", replace).await?))
    }

    pub(super) async fn all(&self, indicator: &str) -> Vec<PublicSeries> {
        self.ask(indicator, None, None).await.expect("series")
    }

    async fn ask(
        &self,
        indicator: &str,
        period: Option<&str>,
        source: Option<&str>,
    ) -> Result<Vec<PublicSeries>, Failure> {
        let question = PublicQuestion {
            indicator: indicator.parse::<IndicatorCode>().expect("a code"),
            period: period.map(|text| text.parse::<Period>().expect("a period")),
            source: source.map(|text| text.parse().expect("a code")),
            geography: None,
        };
        self.hub.public_figures(&question).await
    }

    /// The only series of that question.
    pub(super) async fn only(&self, indicator: &str, period: &str, source: &str) -> PublicSeries {
        let mut all = self.ask(indicator, Some(period), Some(source)).await.expect("series");
        assert_eq!(all.len(), 1, "{indicator} {period} {source}");
        all.remove(0)
    }
}

pub(super) fn row<'a>(series: &'a PublicSeries, code: &str) -> &'a PublicRow {
    let rows = || series.communes.iter().chain(&series.references);
    rows().find(|row| row.area.code() == code).unwrap_or_else(|| panic!("no {code}"))
}

pub(super) fn value(row: &PublicRow) -> f64 {
    let Reading::Value(value) = row.value.reading else { panic!("no value: {row:?}") };
    value
}

pub(super) fn sum(series: &PublicSeries) -> f64 {
    let Reading::Value(value) = series.group.value.reading else { panic!("no sum: {:?}", series.group) };
    value
}

#[expect(clippy::float_cmp, reason = "figures of few decimals, exact in integers until they are shown")]
pub(super) fn is(found: f64, expected: f64) {
    assert_eq!(found, expected);
}

const FILOSOFI: &str = "CODGEO;LIBGEO;NBMEN19;NBPERS19;NBUC19;Q119;Q219;Q319;Q3_Q1;D119;D219;D319;D419;D619;D719;D819;D919;RD;S80S2019;GI19;PBEN19;PPEN19;PPAT19;PPSOC19;PPFAM19;PPMINI19;PPLOGT19;PIMPOT19";

/// A line of Filosofi: households, median, and nothing of the rest.
pub(super) fn line(code: &str, households: &str, median: &str) -> String {
    format!("{code};Nom;{households};100;50,5;;{median}{}", ";".repeat(21))
}

pub(super) fn filosofi(lines: &[String]) -> String {
    format!("\u{feff}{FILOSOFI}\r\n{}\r\n", lines.join("\r\n"))
}

#[tokio::test]
async fn the_same_file_twice_changes_nothing_and_a_revision_must_be_asked_for() {
    for database in databases() {
        let library = Library::on(database).await;
        let first = filosofi(&[line("93001", "1000", "15000"), line("93005", "0", "s"), line("01001", "7", "9")]);
        let path = library.file("a.csv", &first);
        let preview = library.plan(&path).await.expect("reads").summary;
        assert_eq!((preview.territories, preview.aside, preview.revised), (2, 1, 0));
        assert!(library.ask("menages_fiscaux", None, None).await.is_err(), "a preview writes nothing");
        let (summary, number) = library.import(&path).await.expect("imports");
        assert_eq!((summary.added, number), (2 * 26, Some(1)));
        assert_eq!(summary.lacking.len(), 38);
        let (again, number) = library.import(&path).await.expect("reads");
        assert_eq!((again.added, again.revised, again.unchanged, number), (0, 0, 52, None));

        let revised = library.file("b.csv", &filosofi(&[line("93001", "1001", "15000"), line("93006", "5", "8000")]));
        let refused = library.import(&revised).await.expect_err("not asked for");
        assert_eq!(refused.reason, "PUBLIC_REVISED");
        assert!(refused.message.contains("Aubervilliers") && !refused.message.contains("1001"), "{}", refused.message);
        is(value(row(&library.only("menages_fiscaux", "2019", "insee-filosofi").await, "93001")), 1000.0);
        assert_eq!(library.hub.public_imports().await.expect("journal").len(), 1);

        let (summary, number) = library.import_with(&revised, true).await.expect("asked for");
        assert_eq!((summary.revised, summary.added, number), (1, 26, Some(2)));
        let series = library.only("menages_fiscaux", "2019", "insee-filosofi").await;
        let states: Vec<(f64, bool)> =
            ["93001", "93005", "93006"].map(|code| (value(row(&series, code)), row(&series, code).revised)).to_vec();
        assert_eq!(states, [(1001.0, true), (0.0, false), (5.0, false)], "what a file lacks stays");
        assert!(series.source_line.contains("Licence Ouverte"));
        let files: Vec<&str> = series.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(files, ["b.csv"], "the block's latest version");
        // Secret, absent and zero are three things, alone and together.
        let medians = library.only("niveau_vie_median", "2019", "insee-filosofi").await;
        assert!(row(&medians, "93005").value.suppressed);
        assert_eq!(row(&medians, "93066").value.reading, Reading::Silence(Silence::NotReceived));
        assert_eq!(medians.group.value.reading, Reading::Silence(Silence::NotAdditive));
        assert_eq!((series.group.counted, series.group.expected), (3, 40));
        is(sum(&series), 1006.0);
        library.hub.close().await;
    }
}

#[tokio::test]
async fn two_plans_of_one_state_cannot_both_be_carried_out() {
    for database in databases() {
        let library = Library::on(database).await;
        let one = library.file("a.csv", &filosofi(&[line("93001", "1000", "15000")]));
        let other = library.file("b.csv", &filosofi(&[line("93001", "2000", "15000")]));
        let (first, second) = (library.plan(&one).await.expect("reads"), library.plan(&other).await.expect("reads"));
        assert_eq!(library.hub.import_public(first, "A", false).await.expect("imports"), Some(1));
        // The second plan saw an empty database: it would overwrite without saying so.
        let late = library.hub.import_public(second, "B", false).await.expect_err("late");
        assert_eq!(late.reason, "PUBLIC_MOVED");
        is(value(row(&library.only("menages_fiscaux", "2019", "insee-filosofi").await, "93001")), 1000.0);
        library.hub.close().await;
    }
}

const OWN: &str = r#"
format = 1
code = "observatoire"
source = "observatoire"
producer = "Observatoire départemental"
title = "Tableau de bord"
licence = "Licence Ouverte 2.0 (Etalab)"
url = "https://exemple.fr"
file = { separator = ",", decimal = "." }
territory = { column = "insee" }
level = [{ level = "commune" }]
[[vintage]]
name = "2019"
years = { an = 2019, geo = 2020 }
[[group]]
theme = "Revenus et pauvreté"
period = "an"
geography = "geo"
blank = "missing"
uncertainty = "model"
aggregation = "additive"
unit = "ménages"
decimals = 0
columns = [{ name = "menages", indicator = "menages_fiscaux", title = "Ménages fiscaux estimés" }]
"#;

#[tokio::test]
async fn a_new_producer_is_a_file_of_the_hub_and_never_replaces_an_official_figure() {
    let library = Library::on(None).await;
    let official = library.file("a.csv", &filosofi(&[line("93001", "1000", "15000")]));
    library.import(&official).await.expect("imports");
    let path = library.file("tableau.csv", "insee,menages\n93001,999\n93005,\n");
    let unknown = library.plan(&path).await.expect_err("no layout yet");
    assert_eq!(unknown.reason, "PUBLIC_LAYOUT_UNKNOWN");
    // No column of it is known: all layouts by their titles, none as if it were near.
    let told = &unknown.message;
    assert!(told.contains("Comparateur de territoires") && told.contains("dossier layouts/"), "{told}");
    assert!(!told.contains("CODGEO") && !told.contains("Il manque"), "{told}");
    let close = library.file("c.csv", &filosofi(&[line("93001", "1", "2")]).replacen("CODGEO", "codgeo", 1));
    let near = library.plan(&close).await.expect_err("a column lacks").message;
    assert!(near.contains("insee-filosofi") && near.contains("CODGEO"), "{near}");

    let layouts = library.hub.folder().layouts();
    std::fs::create_dir(&layouts).expect("creates");
    std::fs::write(layouts.join("observatoire.toml"), OWN).expect("writes");
    library.import(&path).await.expect("imports");
    let of = async |source| value(row(&library.only("menages_fiscaux", "2019", source).await, "93001"));
    is(of("insee-filosofi").await, 1000.0);
    is(of("observatoire").await, 999.0);
    let own = library.only("menages_fiscaux", "2019", "observatoire").await;
    assert_eq!(own.indicator.title, "Ménages fiscaux estimés");
    assert_eq!(row(&own, "93005").value.reading, Reading::Silence(Silence::NotCollected));

    // The layout goes, its figures stay readable; one that usurps a source is refused before anything is read.
    std::fs::remove_file(layouts.join("observatoire.toml")).expect("removes");
    is(of("observatoire").await, 999.0);
    std::fs::write(layouts.join("x.toml"), OWN.replace("source = \"observatoire\"", "source = \"insee-filosofi\""))
        .expect("writes");
    assert_eq!(library.plan(&path).await.expect_err("usurped").reason, "PUBLIC_LAYOUT");
    std::fs::write(
        layouts.join("x.toml"),
        "format = 1\nextends = \"insee-filosofi\"\n[[vintage]]\nname = \"2021\"\nyears = { an = 2021, geo = 2022 }\n",
    )
    .expect("writes");
    let next = library
        .file("n.csv", &filosofi(&[line("93001", "1100", "16000")]).replace("19;", "21;").replace("19\r", "21\r"));
    assert_eq!(library.import(&next).await.expect("a new vintage without a new program").0.vintage, "2021");
    let years: Vec<Period> = library.all("niveau_vie_median").await.iter().map(|series| series.period).collect();
    assert_eq!(years, [Period::Year(2021), Period::Year(2019)]);
    library.hub.close().await;
}

#[tokio::test]
async fn a_damaged_file_is_refused_whole_with_line_and_column() {
    let library = Library::on(None).await;
    let lines: Vec<String> =
        ["93001", "93005", "93006", "93007", "1004"].iter().map(|code| line(code, "1", "2")).collect();
    let refused = library.import(&library.file("a.csv", &filosofi(&lines))).await.expect_err("damaged");
    assert_eq!(refused.reason, "PUBLIC_FILE_DAMAGED");
    assert!(refused.message.contains("a.csv, ligne 6, colonne CODGEO"), "{}", refused.message);
    assert!(library.hub.public_catalogue().await.expect("reads").is_empty(), "nothing of it was taken");
    assert_eq!(
        library.import(Path::new("nulle-part.csv")).await.expect_err("nowhere").reason,
        "PUBLIC_FILE_UNREADABLE"
    );
    library.hub.close().await;
}

/// A file of the producers beside the repository; `None` (said, see [`Need`]) on a machine that does not have it.
pub(super) fn real(path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/realdata").join(path);
    if path.exists() {
        return Some(path);
    }
    Need::RealData.absent(format_args!("{} is not on this machine", path.display()));
    None
}

const RP2018: &str = "02_recensement/base_cc_comparateur_RP2018_france_sauf_92_44.csv";
const RP2022: &str = "02_recensement/base_cc_comparateur_RP2022_geo2025_dep93.csv";

#[tokio::test]
async fn the_comparateur_of_insee_gives_its_own_figures_before_and_after_the_merger() {
    let (Some(rp2018), Some(rp2022)) = (real(RP2018), real(RP2022)) else { return };
    for database in databases() {
        let library = Library::on(database).await;
        let (summary, _) = library.import(&rp2018).await.expect("imports");
        assert_eq!((summary.vintage.as_str(), summary.territories, summary.aside), ("RP2018", 40, 34_727));
        assert!(summary.lacking.is_empty() && summary.unknown.is_empty());
        library.import(&rp2022).await.expect("imports");

        let source = "insee-comparateur";
        let population = library.only("pop", "2018", source).await;
        assert_eq!((population.group.counted, population.group.expected), (40, 40));
        is(sum(&population), 1_632_677.0);
        is(sum(&library.only("pop", "2013", source).await), 1_552_482.0);
        let poverty = library.only("pauvrete_taux", "2019", source).await;
        is(value(row(&poverty, "93066")), 37.0);
        let highest = poverty.communes.iter().max_by(|a, b| value(a).total_cmp(&value(b))).expect("forty");
        assert_eq!(highest.area.code(), "93014");
        is(value(highest), 42.0);
        assert_eq!(poverty.group.value.reading, Reading::Silence(Silence::NotAdditive));

        // After the merger: 39 communes, one of them larger; what is older stays as it was.
        let merged = library.only("pop", "2022", source).await;
        assert_eq!((merged.geography, merged.group.counted, merged.group.expected), (CogYear(2025), 39, 39));
        is(sum(&merged), 1_681_725.0);
        assert!(merged.communes.iter().all(|row| row.area.code() != "93059"));
        assert_eq!(row(&merged, "93066").name, "Saint-Denis (avec Pierrefitte-sur-Seine)");
        is(value(row(&merged, "93066")), 148_907.0);
        is(value(row(&population, "93066")) + value(row(&population, "93059")), 112_091.0 + 30_828.0);
        let median = library.only("niveau_vie_median", "2021", source).await;
        assert_eq!(median.communes.len(), 40);
        is(value(row(&median, "93059")), 16_080.0);
        assert!(median.notes.iter().any(|note| note.contains("Pierrefitte-sur-Seine")), "{:?}", median.notes);
        is(value(row(&library.only("pauvrete_taux", "2021", source).await, "93059")), 38.0);
        is(sum(&library.only("pop", "2016", source).await), 1_606_660.0);

        // ΣN/ΣD, never a mean of shares; the larger territory too is made of the forty.
        let unemployed = library.only("chomage_part", "2018", source).await;
        let mean = unemployed.communes.iter().map(value).sum::<f64>() / 40.0;
        assert!((sum(&unemployed) - mean).abs() > 0.1, "{} is the mean {mean}", sum(&unemployed));
        let parts =
            |row: &PublicRow| (row.numerator.expect("a term").reading, row.denominator.expect("a term").reading);
        let (Reading::Value(n), Reading::Value(d)) = parts(row(&unemployed, "93066")) else { panic!("two terms") };
        assert!((value(row(&unemployed, "93066")) - 100.0 * n / d).abs() < 1e-9);
        library.hub.close().await;
    }
}

#[tokio::test]
async fn filosofi_is_read_for_six_years_and_four_levels_and_agrees_with_the_comparateur() {
    let Some(rp2018) = real(RP2018) else { return };
    let library = Library::on(None).await;
    library.import(&rp2018).await.expect("imports");
    for year in 2014..=2019 {
        for (level, name) in [
            (Level::Commune, "COM_dep93"),
            (Level::Departement, "DEP"),
            (Level::Region, "REG"),
            (Level::Metropole, "METROPOLE"),
        ] {
            if level == Level::Commune && (2017..=2018).contains(&year) {
                continue;
            }
            let Some(path) = real(&format!("01_filosofi/FILO{year}_DISP_{name}.csv")) else { return };
            let (summary, number) = library.import(&path).await.expect("imports");
            assert_eq!((summary.level, summary.vintage.as_str()), (level, year.to_string().as_str()));
            assert!(number.is_some() && summary.territories > 0);
        }
    }
    let filosofi = library.only("niveau_vie_median", "2019", "insee-filosofi").await;
    let comparateur = library.only("niveau_vie_median", "2019", "insee-comparateur").await;
    assert_eq!((filosofi.communes.len(), comparateur.communes.len()), (40, 40));
    for (one, other) in filosofi.communes.iter().zip(&comparateur.communes) {
        assert_eq!(one.area, other.area);
        is(value(one), value(other));
    }
    // The same codes are other places at other levels.
    is(value(row(&filosofi, "93066")), 15_720.0);
    is(value(row(&filosofi, "93")), 18_070.0);
    is(value(row(&filosofi, "FM")), 21_930.0);
    let levels: Vec<Level> = filosofi.references.iter().map(|row| row.area.level()).collect();
    assert_eq!(levels, [Level::Departement, Level::Region, Level::Metropole]);
    is(value(row(&library.only("niveau_vie_gini", "2019", "insee-filosofi").await, "93")), 0.298);
    let years = |indicator: &'static str| {
        let library = &library;
        async move { library.all(indicator).await.iter().map(|series| series.period.year()).collect::<Vec<_>>() }
    };
    assert_eq!(years("niveau_vie_d1").await, [2019, 2018, 2017, 2016, 2015, 2014]);
    assert_eq!(years("revenu_activite_part").await, [2019, 2018, 2017, 2016, 2015]);
    assert_eq!(years("revenu_salaires_chomage_part").await, [2014]);
    assert!(value(row(&library.only("revenu_impots_part", "2019", "insee-filosofi").await, "93")) < 0.0);
    library.hub.close().await;
}

#[tokio::test]
async fn a_file_of_all_france_is_kept_whole_and_its_secrets_are_secrets() {
    let Some(path) = real("01_filosofi/FILO2019_DISP_COM_france_sauf_92_44.csv") else { return };
    for database in databases() {
        let library = Library::on(database).await;
        let plan = library.hub.plan_import(&path, true, Arc::new(|_, _| ())).await.expect("reads");
        assert_eq!((plan.summary.territories, plan.summary.aside), (31_118, 0));
        assert_eq!(plan.summary.secret, 25_970 * 25);
        assert_eq!(plan.summary.missing, 0);
        assert!(library.hub.import_public(plan, "Awa Diallo", false).await.expect("imports").is_some());
        // Paris and its arrondissements are there, and are not the same kind of thing.
        let keys = library.hub.store().public_keys().await.expect("reads");
        let paris = keys.iter().filter(|(key, _)| key.part == "75" && key.indicator.as_str() == "menages_fiscaux");
        let levels: Vec<Level> = paris.map(|(key, _)| key.level).collect();
        assert_eq!(levels, [Level::Arrondissement, Level::Commune]);
        let series = library.only("menages_fiscaux", "2019", "insee-filosofi").await;
        assert_eq!(
            (series.communes.len(), series.group.counted),
            (40, 40),
            "only this hub's communes are shown and summed"
        );
        let again = library.hub.plan_import(&path, true, Arc::new(|_, _| ())).await.expect("reads").summary;
        assert_eq!((again.added, again.revised, again.unchanged), (0, 0, 31_118 * 29));
        library.hub.close().await;
    }
}
