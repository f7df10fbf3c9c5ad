//! Files in which one row is not one territory, or that say neither what they are nor which year.

use super::*;

/// [`LAYOUT`] with other words in place of some of its own.
fn with(head: &str, body: &str) -> String {
    format!(
        r#"
format = 1
code = "forme"
source = "forme"
producer = "Un producteur"
title = "Un fichier"
licence = "Licence Ouverte 2.0 (Etalab)"
url = "https://exemple.fr"
level = [{{ level = "commune" }}]
{head}
[[group]]
theme = "Essai"
blank = "secret"
uncertainty = "none"
{body}
"#
    )
}

fn read_with(layout: &str, name: &str, text: &str) -> Result<PublicTable, Refusal> {
    let scope = Scope {
        keep: &|area| area.departement().is_none_or(|departement| departement == "93"),
        exists: &|area, year| !(area.code() == "93059" && year.0 >= 2025),
        progress: &|_, _| (),
    };
    read(&layouts(&[layout]), name, text.as_bytes(), &scope)
}

fn first_fault(read: Result<PublicTable, Refusal>) -> (FaultCause, Option<u64>, Option<String>) {
    let Err(Refusal::Faults(faults)) = read else { panic!("faults expected") };
    let fault = faults.first.into_iter().next().expect("one at least");
    assert!(fault.message.chars().count() > 20, "cause and cure");
    (fault.cause, fault.line, fault.column)
}

fn value(units: i64) -> Figure {
    Figure::Observed(units)
}

fn years(table: &PublicTable) -> Vec<(u16, u16)> {
    table.columns.iter().map(|column| (column.dated.period.year(), column.dated.geography.0)).collect()
}

fn long() -> String {
    with(
        "file = { separator = \";\", decimal = \",\" }\nterritory = { column = \"codgeo\" }\nrows = { year = \"an\" }\nvintage = [{ name = \"tout\", years = { geo = 2021 } }]",
        "period = \"row\"\ngeography = \"geo\"\naggregation = \"non_additive\"\nunit = \"%\"\ndecimals = 1\ncolumns = [{ name = \"part\", indicator = \"part\", title = \"Part\" }]",
    )
}

#[test]
fn each_row_may_say_its_year_and_what_has_no_row_has_no_figure() {
    let text = "codgeo;an;part\n93001;2018;22,5\n93001;2008;21\n93005;2018;\n75056;2018;1\n93006;2013;19,5 %\n";
    let table = read_with(&long(), "x.csv", text).expect("reads");
    assert_eq!(years(&table), [(2008, 2021), (2013, 2021), (2018, 2021)]);
    assert_eq!(of(&table, "93001"), [Some(value(210)), None, Some(value(225))]);
    assert_eq!(of(&table, "93005"), [None, None, Some(Figure::Suppressed)]);
    assert_eq!(of(&table, "93006"), [None, Some(value(195)), None]);
    assert_eq!((table.aside, table.ignored), (1, 0));

    let twice = "codgeo;an;part\n93001;2018;1\n93001;2008;1\n93001;2018;1\n";
    let column = |name: &str| Some(name.to_owned());
    assert_eq!(first_fault(read_with(&long(), "x.csv", twice)), (FaultCause::DuplicateKey, Some(4), column("codgeo")));
    for year in ["", "18", "en cours", "2018-2020"] {
        let text = format!("codgeo;an;part\n93001;2018;1\n93005;{year};1\n");
        assert_eq!(
            first_fault(read_with(&long(), "x.csv", &text)),
            (FaultCause::Type, Some(3), column("an")),
            "{year}"
        );
    }
}

/// Schools: how many, how many of the public sector, lowest, highest, middle.
fn schools() -> String {
    let part = |fold: &str, code: &str| {
        format!("{{ indicator = \"{code}\", title = \"T\", fold = \"{fold}\", name = \"ips\" }}")
    };
    let count = |only: &str, code: &str| {
        format!(
            "{{ indicator = \"{code}\", title = \"T\", fold = \"count\", name = \"uai\", aggregation = \"additive\"{only} }}"
        )
    };
    let columns = [
        count("", "ecoles"),
        count(", only = { secteur = [\"public\"] }", "publiques"),
        count(", only = { secteur = [\"priv*\"] }", "privees"),
        count(", only = { secteur = [\"consulaire\"] }", "consulaires"),
        part("lowest", "bas"),
        part("highest", "haut"),
        part("median", "median"),
    ];
    with(
        "file = { separator = \";,\", decimal = \".\", secret = [\"NS\"] }\nterritory = { column = \"commune\" }\nrows = { year = \"rentree\" }\nvintage = [{ name = \"tout\" }]",
        &format!(
            "period = \"row\"\ngeography = \"row\"\naggregation = \"non_additive\"\nunit = \"indice\"\ndecimals = 2\ncolumns = [{}]",
            columns.join(", ")
        ),
    )
}

#[test]
fn several_rows_become_one_figure_and_a_kind_that_no_row_has_is_no_zero() {
    let text = "commune,rentree,secteur,uai,ips\n93001,2021-2022,public,a,80.5\n93001,2021-2022,privé,b,121\n93001,2021-2022,public,c,90.0\n93001,2021-2022,public,d,NS\n93005,2021-2022,public,e,70.1\n93005,2021-2022,public,f,70.2\n93006,2021-2022,public,g,NS\n01001,2021-2022,public,h,1\n";
    let table = read_with(&schools(), "x.csv", text).expect("reads");
    assert_eq!(years(&table)[0], (2021, 2021));
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names[..3], ["uai", "uai (secteur = public)", "uai (secteur = priv*)"]);
    assert_eq!(table.absent, ["uai (secteur = consulaire)"], "the file knows of none anywhere");
    let hidden = Some(Figure::Suppressed);
    assert_eq!(of(&table, "93001"), [400, 300, 100, 8050, 12_100, 9000].map(value).map(Some));
    assert_eq!(of(&table, "93005"), [200, 200, 0, 7010, 7020, 7015].map(value).map(Some));
    assert_eq!(of(&table, "93006"), [Some(value(100)), Some(value(100)), Some(value(0)), hidden, hidden, hidden]);
    assert_eq!((table.aside, table.ignored), (1, 0));

    // A kind that only another département has is known to the file: here there is none.
    let elsewhere = format!("{text}01001,2021-2022,consulaire,i,1\n");
    let table = read_with(&schools(), "x.csv", &elsewhere).expect("reads");
    assert!(table.absent.is_empty());
    assert_eq!(of(&table, "93005")[3], Some(value(0)));
}

#[test]
fn a_sum_of_rows_is_hidden_by_one_and_never_wraps() {
    let layout = with(
        "file = { separator = \";\", decimal = \".\", secret = [\"s\"], missing = [\"nd\"] }\nterritory = { column = \"c\" }\nvintage = [{ name = \"2018\", years = { an = 2018 } }]",
        "period = \"an\"\ngeography = \"an\"\naggregation = \"additive\"\nunit = \"u\"\ndecimals = 0\nfold = \"sum\"\nname = \"n\"\ncolumns = [{ indicator = \"n\", title = \"N\" }]",
    );
    let rows = "c;n\n93001;1\n93001;2\n93005;4\n93005;s\n93006;nd\n93006;5\n";
    let table = read_with(&layout, "x.csv", rows).expect("reads");
    assert_eq!(of(&table, "93001"), [Some(value(3))]);
    assert_eq!(of(&table, "93005"), [Some(Figure::Suppressed)]);
    assert_eq!(of(&table, "93006"), [Some(Figure::Missing(MissingReason::NotCollected))]);
    let large = format!("c;n\n93001;{0}\n93001;{0}\n", i64::MAX);
    assert_eq!(first_fault(read_with(&layout, "x.csv", &large)).0, FaultCause::Overflow);
}

#[test]
fn a_file_without_a_header_is_told_by_its_name_and_its_first_row_counts() {
    let layout = with(
        "territory = { column = \"commune\" }\nfile = { separator = \";\", decimal = \",\", name = \"bilan_{an:4}\", header = [\"commune\", \"nom\", \"taux\"], not_applicable = [\"exonérée\"] }\nvintage = [{ name = \"2015\", years = { an = 2015 } }]",
        "period = \"an\"\ngeography = \"an\"\naggregation = \"non_additive\"\nunit = \"%\"\ndecimals = 2\ncolumns = [{ name = \"taux\", indicator = \"taux\", title = \"T\" }]",
    );
    let text = "93001;X;19,09%\n93005;Y;exon\u{fffd}r\u{fffd}e\n";
    let table = read_with(&layout, "Bilan_2015_idf.csv", text).expect("reads");
    assert_eq!(of(&table, "93001"), [Some(value(1909))]);
    assert_eq!(of(&table, "93005"), [Some(Figure::NotApplicable)]);
    assert_eq!(table.rows[0].line, 1);
    // Without the name nothing says what the figures are; without codes of communes either, it is some other file.
    let (layouts, wanted) = (vec!["forme".to_owned()], vec!["bilan_2015".to_owned()]);
    assert_eq!(read_with(&layout, "x.csv", text), Err(Refusal::Name { layouts, wanted }));
    assert_eq!(read_with(&layout, "x.csv", "un;deux;trois\n1;2;3\n"), Err(Refusal::Unknown(Vec::new())));
    assert_eq!(read_with(&layout, "bilan_2015.csv", "93001;X\n"), Err(Refusal::Unknown(Vec::new())));
    let damaged = read_with(&layout, "bilan_2015.csv", "93001;X;1\n93005;X;1\n93006;X;1\n93007;X;1\n1004;X;1\n");
    assert_eq!(first_fault(damaged), (FaultCause::DamagedCode, Some(5), Some("commune".to_owned())));
}

#[test]
fn the_name_of_the_file_tells_the_year_that_columns_do_not() {
    let layout = with(
        "file = { separator = \";\", decimal = \",\", name = \"CAF_{an:4}\", above = 1, below = 1 }\nterritory = { column = \"c\", also = [\"code\"] }\nvintage = [{ name = \"2016\", years = { an = 2016 } }, { name = \"2018\", years = { an = 2018 } }]",
        "period = \"an\"\ngeography = \"an\"\naggregation = \"additive\"\nunit = \"u\"\ndecimals = 0\ncolumns = [{ name = \"n\", indicator = \"n\", title = \"N\" }]",
    );
    let text = "Allocataires\ncode;n\nCode de la commune;Nombre\n93001;5\n";
    for (name, year) in [("data_CAF_2016_IRIS.csv", 2016), ("caf_2018.csv", 2018)] {
        let table = read_with(&layout, name, text).expect("reads");
        assert_eq!((years(&table), of(&table, "93001")), (vec![(year, year)], vec![Some(value(5))]), "{name}");
    }
    assert_eq!(
        read_with(&layout, "allocataires.csv", text),
        Err(Refusal::Name {
            layouts: vec!["forme".to_owned()],
            wanted: vec!["CAF_2016".to_owned(), "CAF_2018".to_owned()]
        })
    );
}
