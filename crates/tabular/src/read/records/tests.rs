//! Workbooks and Parquet files as other programs write them, on the disk, through the settings of a source.

use std::path::Path;

use polars::prelude::{
    Categories, Column, DataFrame, DataType, IntoColumn, NamedFrom, ParquetWriter, Series, TimeUnit, TimeZone,
};
use rust_xlsxwriter::{Format, Formula, Workbook, Worksheet};

use crate::compute::{compute, exposed};
use crate::fault::{FaultCause, Faults};
use crate::fixture;
use crate::read::{read, read_bytes};
use crate::source::SourceSpec;

const HEADER: [&str; 9] = ["id", "foyer", "insee", "couleur", "n", "euros", "jour", "oui", "texte"];

/// The rows that each format holds, as a text.
const SAME: &str = "id;foyer;insee;couleur;n;euros;jour;oui;texte
12;f1;01004;bleu;3;1284,50;31/12/2024;oui;Aide
13;f1;01004;bleu;7;0,10;01/03/2025;non;
14;f2;2A004;;;2000000;2025-07-01;oui;été
";

fn source(settings: &str) -> SourceSpec {
    toml::from_str(settings).expect("settings of a source")
}

fn refused(spec: &SourceSpec, folder: &Path) -> Vec<(FaultCause, Option<u64>, Option<String>)> {
    let pack = fixture::all_quantities();
    let faults: Faults = read(spec, folder, fixture::table(pack)).expect_err("to be refused");
    faults.first.into_iter().map(|fault| (fault.cause, fault.line, fault.column)).collect()
}

/// Figures of a file are those of [`SAME`].
fn same(spec: &SourceSpec, folder: &Path) {
    let pack = fixture::all_quantities();
    let table = fixture::table(pack);
    let of_text = read_bytes(&SourceSpec::new("f.csv"), "f.csv", SAME.as_bytes(), table).expect("readable");
    let rows = match read(spec, folder, table) {
        Ok(rows) => rows,
        Err(faults) => panic!("{:?}", faults.first.iter().map(|f| (f.line, &f.message)).collect::<Vec<_>>()),
    };
    assert_eq!(rows.height(), 3);
    let figures = exposed(&compute(&rows, table).expect("computable"));
    assert_eq!(figures, exposed(&compute(&of_text, table).expect("computable")));
    // The first day is before the third of January 2025, from which the amounts of this indicator count.
    assert_eq!(figures[&("montant".to_owned(), "total".to_owned())], [200_000_010, 2, 200_000_000, 10]);
}

fn headed(sheet: &mut Worksheet, line: u32) {
    for (column, name) in (0..).zip(HEADER) {
        sheet.write(line, column, name).expect("written");
    }
}

/// The rows of [`SAME`] below a title, as a person types them.
fn filled(sheet: &mut Worksheet) {
    let date = Format::new().set_num_format("dd/mm/yyyy");
    sheet.write(0, 0, "Export du logiciel, édité le 02/01/2026").expect("written");
    headed(sheet, 3);
    let day = |year, month, day| rust_xlsxwriter::ExcelDateTime::from_ymd(year, month, day).expect("a day");
    // A number where a text is expected, and numbers that are texts.
    sheet.write(4, 0, 12).expect("written");
    sheet.write_row(4, 1, ["f1", "01004", "bleu", "3", "1 284,50 €"]).expect("written");
    sheet.write_with_format(4, 6, day(2024, 12, 31), &date).expect("written");
    sheet.write(4, 7, true).expect("written");
    sheet.write(4, 8, "Aide").expect("written");
    sheet.write_row(5, 0, ["13", "f1", "01004", "bleu"]).expect("written");
    sheet.write(5, 4, 7).expect("written");
    sheet.write(5, 5, 0.1).expect("written");
    sheet.write_with_format(5, 6, day(2025, 3, 1), &date).expect("written");
    sheet.write(5, 7, false).expect("written");
    sheet.write_row(7, 0, ["14", "f2", "2A004", "", ""]).expect("written");
    sheet.write_formula(7, 5, Formula::new("=1000*2000").set_result("2000000")).expect("written");
    sheet.write_row(7, 6, ["2025-07-01", "oui", "été"]).expect("written");
}

fn saved(workbook: &mut Workbook, folder: &Path) {
    workbook.save(folder.join("f.xlsx")).expect("saved");
}

#[test]
fn a_workbook_gives_the_figures_of_the_same_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut workbook = Workbook::new();
    filled(workbook.add_worksheet().set_name("2025").expect("a name"));
    let notes = workbook.add_worksheet().set_name("Lisez-moi").expect("a name");
    notes.write(0, 0, "Ne pas modifier").expect("written");
    saved(&mut workbook, folder.path());
    // The only sheet with the columns is found; its name may be given.
    same(&source("file = \"f.xlsx\""), folder.path());
    same(&source("file = \"f.xlsx\"\nsheet = \"2025\""), folder.path());
    let faults = refused(&source("file = \"f.xlsx\"\nsheet = \"2026\""), folder.path());
    assert_eq!(faults[0].0, FaultCause::Settings);
    let faults = refused(&source("file = \"f.xlsx\"\nsheet = \"Lisez-moi\""), folder.path());
    assert_eq!(faults[0].0, FaultCause::Header);

    let mut two = Workbook::new();
    for name in ["2024", "2025"] {
        filled(two.add_worksheet().set_name(name).expect("a name"));
    }
    saved(&mut two, folder.path());
    assert_eq!(refused(&source("file = \"f.xlsx\""), folder.path())[0].0, FaultCause::Settings);
    same(&source("file = \"f.xlsx\"\nsheet = \"2024\""), folder.path());
}

#[test]
fn doubtful_cells_of_a_workbook_are_refused_with_their_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    headed(sheet, 1);
    sheet.write_row(2, 0, ["a", "f1"]).expect("written");
    // A code that lost its zero, a day number that is not formatted as a date, a native number with three decimals.
    sheet.write(2, 2, 1004).expect("written");
    sheet.write(2, 5, 1.234).expect("written");
    sheet.write(2, 6, 45_657).expect("written");
    sheet.write_row(4, 0, ["b", "f2", "01004"]).expect("written");
    sheet.write_formula(4, 5, Formula::new("=NA()").set_result("#N/A")).expect("written");
    sheet.write_row(5, 0, ["Total", "", "", "", "2"]).expect("written");
    saved(&mut workbook, folder.path());
    let place = |cause, line, column: &str| (cause, Some(line), Some(column.to_owned()));
    assert_eq!(
        refused(&source("file = \"f.xlsx\""), folder.path()),
        [
            place(FaultCause::DamagedCode, 3, "insee"),
            place(FaultCause::Ambiguous, 3, "jour"),
            place(FaultCause::Type, 5, "euros"),
            (FaultCause::TotalRow, Some(6), None),
        ]
    );
}

#[test]
fn merged_cells_are_named_in_the_header_and_among_the_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = Format::new();
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    // The first three names are one merged cell, and stand below it.
    sheet.merge_range(0, 0, 0, 2, "Identité", &plain).expect("merged");
    for (column, name) in (0..).zip(HEADER) {
        sheet.write(u32::from(column < 3), column, name).expect("written");
    }
    saved(&mut workbook, folder.path());
    assert_eq!(refused(&source("file = \"f.xlsx\""), folder.path()), [(FaultCause::Header, Some(1), None)]);

    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.merge_range(0, 0, 0, 8, "Aides de 2025", &plain).expect("merged");
    headed(sheet, 1);
    for (line, id) in (2..).zip(["a", "b", "c"]) {
        sheet.write_row(line, 0, [id, "f1", "01004"]).expect("written");
    }
    saved(&mut workbook, folder.path());
    let pack = fixture::all_quantities();
    // A title over merged cells harms nobody.
    let rows = read(&source("file = \"f.xlsx\""), folder.path(), fixture::table(pack)).expect("readable");
    assert_eq!(rows.height(), 3);
    let sheet = workbook.worksheet_from_index(0).expect("the sheet");
    sheet.merge_range(3, 3, 4, 3, "bleu", &plain).expect("merged");
    saved(&mut workbook, folder.path());
    assert_eq!(refused(&source("file = \"f.xlsx\""), folder.path()), [(FaultCause::Ragged, Some(4), None)]);
}

/// The columns of [`SAME`] in the types that programs choose first.
fn columns() -> Vec<Column> {
    let days = Series::new("jour".into(), [20_088_i32, 20_148, 20_270]).cast(&DataType::Date).expect("days");
    vec![
        Column::new("id".into(), [12_i64, 13, 14]),
        Column::new("foyer".into(), ["f1", "f1", "f2"]),
        Column::new("insee".into(), ["01004", "01004", "2A004"]),
        Column::new("couleur".into(), [Some("bleu"), Some("bleu"), None]),
        Column::new("n".into(), [Some(3_i32), Some(7), None]),
        Column::new("euros".into(), [1284.5, 0.1, 2e6]),
        days.into_column(),
        Column::new("oui".into(), [true, false, true]),
        Column::new("Nature".into(), [Some("Aide"), None, Some("été")]),
    ]
}

fn parquet(path: &Path, columns: Vec<Column>) {
    let mut frame = DataFrame::new_infer_height(columns).expect("columns of one length");
    ParquetWriter::new(std::fs::File::create(path).expect("a file")).finish(&mut frame).expect("written");
}

#[test]
fn a_parquet_file_gives_the_figures_of_the_same_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.parquet");
    let spec = source("file = \"f.parquet\"\n[columns]\ntexte = \"Nature\"");
    parquet(&path, columns());
    same(&spec, folder.path());
    let place = |cause, line, column: &str| (cause, line, Some(column.to_owned()));
    let other = source("file = \"f.parquet\"");
    assert_eq!(refused(&other, folder.path()), [place(FaultCause::MissingColumn, None, "texte")]);
    let mut whole = std::fs::read(&path).expect("there");
    let end = whole.len() - 9;
    whole.truncate(end);
    std::fs::write(&path, &whole).expect("written");
    assert_eq!(refused(&spec, folder.path()), [(FaultCause::NotText, None, None)]);
    let mut nested = columns();
    let lists: Vec<Series> = [12_i64, 13, 14].map(|id| Series::new("".into(), [id])).into();
    nested[0] = Column::new("id".into(), lists);
    parquet(&path, nested);
    assert_eq!(refused(&spec, folder.path()), [(FaultCause::Header, None, None)]);
}

#[test]
fn other_types_of_the_same_values_give_the_same_figures() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.parquet");
    let spec = source("file = \"f.parquet\"\n[columns]\ntexte = \"Nature\"");
    let paris = TimeZone::opt_try_new(Some("Europe/Paris")).expect("a time zone");
    // Midnight of 31 December in Paris is the day before in Greenwich; in July it is two hours before.
    let instants = [20_088_i64 * 86_400 - 3_600, 20_148 * 86_400 - 3_600, 20_270 * 86_400 - 7_200];
    let millis = instants.map(|second| second * 1_000);
    let cast = |column: Column, kind: &DataType| column.strict_cast(kind).expect("a type for the same values");
    let colours = DataType::from_categories(Categories::global());
    let wide = [
        (0, cast(columns().remove(0), &DataType::UInt16)),
        (3, cast(columns().remove(3), &colours)),
        (4, cast(columns().remove(4), &DataType::Int8)),
        (5, cast(columns().remove(5), &DataType::Decimal(12, 2))),
        (6, cast(Column::new("jour".into(), millis), &DataType::Datetime(TimeUnit::Milliseconds, paris))),
    ];
    let mut others = columns();
    for (at, column) in wide {
        others[at] = column;
    }
    parquet(&path, others);
    same(&spec, folder.path());
    let mut narrow = columns();
    narrow[5] = cast(narrow[5].clone(), &DataType::Float32);
    narrow[6] = cast(narrow[6].clone(), &DataType::Datetime(TimeUnit::Nanoseconds, None));
    parquet(&path, narrow);
    same(&spec, folder.path());
}

#[test]
fn a_fault_far_down_a_parquet_file_names_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.parquet");
    let spec = source("file = \"f.parquet\"\n[columns]\ntexte = \"Nature\"");
    let height = 300_000_usize;
    let mut many: Vec<Column> = columns().iter().map(|column| column.new_from_index(0, height)).collect();
    many[0] = Column::new("id".into(), (0..i64::try_from(height).expect("small")).collect::<Vec<_>>());
    let colours: Vec<&str> = (1..=height).map(|line| if line == 262_200 { "mauve" } else { "bleu" }).collect();
    many[3] = Column::new("couleur".into(), colours);
    parquet(&path, many);
    let refused = refused(&spec, folder.path());
    assert_eq!(refused.iter().map(|fault| fault.1).collect::<Vec<_>>(), [Some(262_200)]);
}

#[test]
fn no_damage_to_a_parquet_file_ends_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.parquet");
    let spec = source("file = \"f.parquet\"\n[columns]\ntexte = \"Nature\"");
    parquet(&path, columns());
    let whole = std::fs::read(&path).expect("there");
    let pack = fixture::all_quantities();
    let mut refused = 0;
    for (at, bits) in (0..whole.len()).zip([0x01, 0x80, 0xff].into_iter().cycle()) {
        let mut damaged = whole.clone();
        damaged[at] ^= bits;
        refused += usize::from(read_bytes(&spec, "f.parquet", &damaged, fixture::table(pack)).is_err());
    }
    assert!(refused > whole.len() / 4, "{refused} of {} refused", whole.len());
}
