//! Every family of public files, as its producer writes it, against figures that were published or added up elsewhere.

use std::sync::Arc;

use model::Level;
use statistics::{Reading, Silence};

use super::importing::{Library, is, real, row, sum, value};
use crate::public::PublicSeries;

/// What is known to be there at least, of a sum with hidden parts; exactly that where none is hidden.
fn at_least(reading: Reading) -> f64 {
    match reading {
        Reading::Value(low) | Reading::Interval { low, high: None } => low,
        other => panic!("not a sum: {other:?}"),
    }
}

fn lacking(series: &PublicSeries) -> Vec<&str> {
    series.group.lacking.iter().map(String::as_str).collect()
}

#[tokio::test]
async fn iris_of_the_caf_become_communes_and_those_without_iris_are_named() {
    let library = Library::on(None).await;
    for (year, [foyers, rsa, aah, saint_denis]) in [
        (2016, [329_967.0, 73_787.0, 22_411.0, 27_422.0]),
        (2018, [353_227.0, 77_378.0, 25_658.0, 29_084.0]),
        (2020, [381_770.0, 82_655.0, 26_693.0, 30_925.0]),
    ] {
        let Some(path) = real(&format!("03_caf/data_CAF_{year}_IRIS_dep93.csv")) else { return };
        let (summary, _) = library.import(&path).await.expect("imports");
        assert_eq!((summary.level, summary.vintage.as_str()), (Level::Iris, year.to_string().as_str()));
        assert_eq!((summary.territories, summary.aside, summary.missing), (605, 0, 0));
        let year = year.to_string();
        for (indicator, expected) in
            [("caf_foyers_allocataires", foyers), ("rsa_foyers", rsa), ("hand_aah_beneficiaires", aah)]
        {
            let series = library.only(indicator, &year, "cnaf-iris").await;
            is(at_least(series.group.value.reading), expected);
            assert!(matches!(series.group.value.reading, Reading::Interval { high: None, .. }), "some IRIS are secret");
            assert_eq!((series.group.counted, series.group.expected), (36, 40));
            assert_eq!(lacking(&series), ["Coubron", "Gournay-sur-Marne", "L'Île-Saint-Denis", "Vaujours"]);
            assert_eq!(row(&series, "93015").value.reading, Reading::Silence(Silence::NotReceived));
            assert_eq!(series.quarters.len(), 605);
            assert!(series.indicator.sheet.is_some());
        }
        let series = library.only("caf_foyers_allocataires", &year, "cnaf-iris").await;
        is(at_least(row(&series, "93066").value.reading), saint_denis);
        is(
            value(row_of(&series, "930010101")),
            if year == "2016" {
                711.0
            } else if year == "2018" {
                759.0
            } else {
                822.0
            },
        );
    }
    // A ratio of what is partly hidden holds the truth, and says no more than that.
    let part = library.only("rsa_foyers_part", "2020", "cnaf-iris").await;
    let low_and_high = part.communes.iter().filter(|row| matches!(row.value.reading, Reading::Interval { .. })).count();
    assert!(low_and_high > 0 && low_and_high < 36, "{low_and_high}");
    // Columns are those of 2018 and 2020 alike: without the producer's name, nobody knows the year.
    let text = std::fs::read_to_string(real("03_caf/data_CAF_2020_IRIS_dep93.csv").expect("read above")).expect("text");
    let refused = library.import(&library.file("allocataires.csv", &text)).await.expect_err("no year");
    assert_eq!(refused.reason, "PUBLIC_FILE_NAME");
    assert!(refused.message.contains("« CAF_2020 »"), "{}", refused.message);
    library.hub.close().await;
}

#[tokio::test]
async fn quartiers_prioritaires_add_up_to_what_the_drees_publishes_and_belong_to_no_commune() {
    let library = Library::on(None).await;
    for name in ["DEMO_2022", "REVN_2022", "IPRO_2022", "IPRO_2017"] {
        let Some(path) = real(&format!("04_qpv/{name}_qp093.csv")) else { return };
        let (summary, _) = library.import(&path).await.expect("imports");
        assert_eq!((summary.level, summary.territories), (Level::Qpv, 63), "{name}");
        // Foyers allocataires are in two files, and are the same in both.
        assert_eq!(summary.revised, 0, "{name}");
        assert_eq!(summary.unchanged, if name == "REVN_2022" { 63 } else { 0 });
    }
    // DREES, panorama statistique, Seine-Saint-Denis: in the QPV at 31 December 2021.
    for (indicator, published) in [("ft_defm_abc", 74_960.0), ("ft_defm_a", 52_140.0)] {
        let series = library.only(indicator, "2021", "insee-qpv").await;
        is(at_least(series.group.value.reading), published);
        assert_eq!((series.communes.len(), series.quarters.len(), series.group.counted), (0, 63, 63));
        assert_eq!(series.group.name, "Ensemble des 63 quartiers prioritaires");
    }
    let population = library.only("pop", "2018", "insee-qpv").await;
    is(value(row_of(&population, "QP093001")), 1_632.0);
    let poverty = library.only("pauvrete_taux", "2019", "insee-qpv").await;
    is(value(row_of(&poverty, "QP093003")), 50.4);
    assert_eq!(poverty.group.value.reading, Reading::Silence(Silence::NotAdditive));
    assert!(value(row_of(&library.only("revenu_impots_part", "2019", "insee-qpv").await, "QP093001")) < 0.0);
    assert_eq!(library.all("ft_defm_abc").await.len(), 2);
    library.hub.close().await;
}

fn row_of<'a>(series: &'a PublicSeries, code: &str) -> &'a crate::public::PublicRow {
    series.quarters.iter().find(|row| row.area.code() == code).expect("a quarter")
}

#[tokio::test]
async fn shares_of_the_young_come_with_the_year_of_each_line_for_communes_and_departements() {
    let library = Library::on(None).await;
    let files = ["neet_communes_2018_dep93", "neet_dpt_2018", "licsport_communes_2018_dep93"];
    let [Some(communes), Some(departements), Some(sport)] =
        files.map(|name| real(&format!("05_education_jeunesse/{name}.csv")))
    else {
        return;
    };
    let (summary, _) = library.import(&communes).await.expect("imports");
    assert_eq!((summary.level, summary.territories, summary.columns, summary.values), (Level::Commune, 40, 3, 120));
    let (summary, _) = library.import(&departements).await.expect("imports");
    // Six lines of Mayotte are empty.
    assert_eq!((summary.level, summary.territories, summary.missing), (Level::Departement, 101, 6));
    library.import(&sport).await.expect("imports");
    let source = "observatoire-territoires";
    for (year, aubervilliers, departement) in [("2008", 21.0, 17.9), ("2013", 27.4, 21.7), ("2018", 22.5, 20.1)] {
        let series = library.only("jeu_neet_part", year, source).await;
        is(value(row(&series, "93001")), aubervilliers);
        is(value(row(&series, "93")), departement);
        assert_eq!(series.communes.len(), 40);
    }
    is(value(row(&library.only("jeu_licences_sport_0_14_part", "2018", source).await, "93006")), 37.5);
    assert_eq!(library.all("jeu_neet_part").await.len(), 6, "2007, 2012 and 2017 for départements only");
    library.hub.close().await;
}

#[tokio::test]
async fn schools_are_counted_and_their_indices_never_averaged() {
    let library = Library::on(None).await;
    for (kind, all, public, lowest, highest, lacks) in
        [("ecoles", 482.0, 447.0, 64.8, 141.3, 0), ("colleges", 158.0, 130.0, 70.4, 142.3, 1)]
    {
        let Some(path) = real(&format!("05_education_jeunesse/fr-en-ips_{kind}_2022_dep93.csv")) else { return };
        let (summary, _) = library.import(&path).await.expect("imports");
        assert_eq!((summary.lacking.len(), summary.absent.len()), (lacks, 0));
        let only = |what: &'static str| {
            let (library, code) = (&library, what.replace("KIND", kind));
            async move { library.only(&code, "2021", "education-ips").await }
        };
        is(sum(&only("KIND_nombre").await), all);
        is(sum(&only("KIND_publics").await), public);
        let values = |series: &PublicSeries| -> Vec<f64> {
            let there = series.communes.iter().filter(|row| matches!(row.value.reading, Reading::Value(_)));
            there.map(value).collect()
        };
        is(values(&only("ips_KIND_bas").await).into_iter().fold(f64::MAX, f64::min), lowest);
        is(values(&only("ips_KIND_haut").await).into_iter().fold(0.0, f64::max), highest);
        let median = only("ips_KIND_median").await;
        assert_eq!(median.group.value.reading, Reading::Silence(Silence::NotAdditive));
    }
    library.hub.close().await;
}

#[tokio::test]
async fn equipment_is_summed_by_kind_and_a_kind_that_the_year_lacks_is_no_zero() {
    let Some(path) = real("06_bpe/bpe18_ensemble_dep93.csv") else { return };
    let library = Library::on(None).await;
    let (summary, _) = library.import(&path).await.expect("imports");
    assert_eq!((summary.territories, summary.aside), (40, 0));
    let all = library.only("equipements", "2018", "insee-bpe").await;
    is(sum(&all), 63_990.0);
    assert_eq!((all.group.counted, all.group.expected), (40, 40));
    for (indicator, expected) in
        [("sante_generalistes", 997.0), ("social_creches", 334.0), ("equip_maternelles", 397.0)]
    {
        is(sum(&library.only(indicator, "2018", "insee-bpe").await), expected);
    }
    // One town has none of them, and that is a zero; libraries came into the database later, and that is none.
    let urgences = library.only("sante_urgences", "2018", "insee-bpe").await;
    is(value(row(&urgences, "93015")), 0.0);
    is(sum(&urgences), 12.0);
    assert!(summary.absent.iter().any(|name| name.contains("F307")), "{:?}", summary.absent);
    assert_eq!(
        library
            .hub
            .public_figures(&crate::public::PublicQuestion {
                indicator: "equip_bibliotheques".parse().expect("a code"),
                period: None,
                source: None,
                geography: None,
            })
            .await
            .expect_err("no figure")
            .reason,
        "PUBLIC_INDICATOR_UNKNOWN"
    );
    library.hub.close().await;
}

#[tokio::test]
async fn a_balance_without_a_header_and_with_lost_letters_is_read_and_its_absent_communes_are_no_zero() {
    let Some(path) = real("11_logement_social/couvertureLS_2015_sru_idf_sauf_92_sans_entete.csv") else { return };
    let library = Library::on(None).await;
    let (summary, _) = library.import(&path).await.expect("imports");
    assert_eq!((summary.territories, summary.aside, summary.damaged_names), (10, 225, true));
    let (rate, homes) = (
        library.only("rpls_taux_sru", "2015", "sru").await,
        library.only("sru_logements_sociaux", "2015", "sru").await,
    );
    for (code, expected, count) in [("93015", 5.7, 105.0), ("93046", 18.85, 3_378.0), ("93074", 9.63, 271.0)] {
        is(value(row(&rate, code)), expected);
        is(value(row(&homes, code)), count);
    }
    assert_eq!(row(&homes, "93066").value.reading, Reading::Silence(Silence::NotReceived));
    assert_eq!((homes.group.counted, homes.group.expected), (10, 40));
    let levy = library.only("sru_prelevement_net", "2015", "sru").await;
    assert_eq!(row(&levy, "93046").value.reading, Reading::Silence(Silence::NotApplicable), "exempt");
    is(value(row(&levy, "93074")), 313_292.99);

    // The same file, all of Île-de-France: Paris has 19.09 %.
    let plan = library.hub.plan_import(&path, true, Arc::new(|_, _| ())).await.expect("reads");
    assert_eq!((plan.summary.territories, plan.summary.aside), (235, 0));
    library.hub.close().await;
}

#[tokio::test]
async fn iris_of_the_census_make_the_unemployment_that_insee_publishes() {
    let name = "02_recensement/base-ic-activite-residents-2016_iris_dep93_gdparis.csv";
    let Some(path) = real(name) else { return };
    let library = Library::on(None).await;
    let (summary, _) = library.import(&path).await.expect("imports");
    assert_eq!((summary.level, summary.territories), (Level::Iris, 614));
    let part = library.only("chomage_part", "2016", "insee-iris").await;
    assert_eq!((part.group.counted, part.group.expected), (40, 40));
    let reading = |reading: Option<crate::compare::Shown>| match reading.expect("a term").reading {
        Reading::Value(value) => value.round(),
        other => panic!("{other:?}"),
    };
    let saint_denis = row(&part, "93066");
    is(reading(saint_denis.numerator), 12_787.0);
    is(reading(saint_denis.denominator), 54_836.0);
    is((value(saint_denis) * 10.0).round(), 233.0);
    is((sum(&part) * 10.0).round(), 187.0);
    library.hub.close().await;
}

#[tokio::test]
async fn iris_of_filosofi_are_kept_and_never_become_communes() {
    let library = Library::on(None).await;
    for (year, territories, secret, poverty) in [("2016", 583, 40, 42.0), ("2019", 585, 37, 41.7)] {
        let Some(path) = real(&format!("01_filosofi/BASE_TD_FILO_DISP_IRIS_{year}_dep93.csv")) else { return };
        let (summary, _) = library.import(&path).await.expect("imports");
        assert_eq!(summary.territories, territories);
        let series = library.only("pauvrete_taux", year, "insee-filosofi-iris").await;
        assert!(series.communes.is_empty());
        assert_eq!(series.quarters.len(), territories);
        assert_eq!(series.quarters.iter().filter(|row| row.value.suppressed).count(), secret);
        is(value(row_of(&series, "930010101")), poverty);
        assert_eq!(series.group.value.reading, Reading::Silence(Silence::NotAdditive));
    }
    library.hub.close().await;
}

#[tokio::test]
async fn a_second_publication_of_the_census_gives_the_same_communes() {
    let files = ["rp2018_questionr_dep93", "rp2012_questionr_dep93", "base_cc_comparateur_RP2018_dep93"];
    let [Some(later), Some(earlier), Some(insee)] = files.map(|name| real(&format!("02_recensement/{name}.csv")))
    else {
        return;
    };
    let library = Library::on(None).await;
    for path in [&later, &earlier, &insee] {
        library.import(path).await.expect("imports");
    }
    is(sum(&library.only("pop", "2018", "insee-rp-questionr").await), 1_632_677.0);
    for indicator in ["pop", "residences_principales", "rp_proprietaires", "proprietaires_part"] {
        let one = library.only(indicator, "2018", "insee-rp-questionr").await;
        let other = library.only(indicator, "2018", "insee-comparateur").await;
        assert_eq!((one.communes.len(), other.communes.len()), (40, 40));
        for (one, other) in one.communes.iter().zip(&other.communes) {
            assert!((value(one) - value(other)).abs() < 1e-5, "{indicator} {}", one.area);
        }
    }
    assert_eq!(library.all("log_part_hlm_rp").await.len(), 2);
    library.hub.close().await;
}

#[tokio::test]
async fn files_of_other_departements_read_too() {
    let library = Library::on(None).await;
    for (name, territories) in [
        // Seine-Maritime, with commas and another name for the column of codes.
        ("02_recensement/base-ic-evol-struct-pop-2013_dep76_genstar.csv", 1_072),
        ("02_recensement/rp2018_questionr_idf_sauf_92_93.csv", 487),
        ("02_recensement/rp2012_questionr_idf_sauf_92_93.csv", 466),
        ("01_filosofi/base-cc-filosofi-2016_idf_sauf_92_93.csv", 1_212),
    ] {
        let Some(path) = real(name) else { return };
        let plan = library.hub.plan_import(&path, true, Arc::new(|_, _| ())).await.expect(name);
        assert_eq!((plan.summary.territories, plan.summary.aside), (territories, 0), "{name}");
        assert!(plan.summary.values > territories, "{name}");
        let ours = library.plan(&path).await.expect(name).summary;
        assert_eq!((ours.territories, ours.aside), (0, territories as u64), "{name}");
    }
    library.hub.close().await;
}
