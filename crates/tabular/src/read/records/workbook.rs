//! Sheets of a workbook: the one that the source names, or the only one that has the columns.

use std::io::Cursor;

use calamine::{Data, Dimensions, Range, Reader, Sheets, open_workbook_auto_from_rs};

use crate::fault::{Fault, FaultCause, Faults, cut};
use crate::read::cells::{self, Records, Seen, Sink};
use crate::read::layout::{self, Header};
use crate::read::rules::Plan;
use crate::read::typed::{Kind, Raw};
use crate::source::SourceSpec;

type Workbook<'a> = Sheets<Cursor<&'a [u8]>>;

pub(super) fn read(
    spec: &SourceSpec,
    name: &str,
    bytes: &[u8],
    plan: &Plan<'_>,
    sink: &mut Sink<'_>,
) -> Result<Seen, Faults> {
    let unreadable = || {
        Fault::of_file(
            name,
            FaultCause::NotText,
            "Ce fichier est un classeur (XLSX, XLS, ODS) qui ne s’ouvre pas (abîmé, protégé par un mot de passe) ou une \
             archive ZIP : ouvrez-le et enregistrez-le sous « CSV UTF-8 (délimité par des points-virgules) », ou à nouveau \
             comme classeur.",
        )
    };
    let mut workbook = open_workbook_auto_from_rs(Cursor::new(bytes)).map_err(|_| unreadable())?;
    let (sheet, range, found) = chosen(spec, name, &mut workbook, plan, &unreadable)?;
    let merged = merged(&mut workbook, &sheet);
    let header = found.map_err(|faults| several_lines(name, &range, &merged).map_or(faults, Faults::from))?;
    refuse_merged_rows(name, &range, &header, &merged)?;
    cells::rows(name, &mut Rows::new(&range), &header, plan, sink)
}

/// What one sheet offers: its header, or what is wrong with it.
type Offer = (String, Range<Data>, Result<Header, Faults>);

fn chosen(
    spec: &SourceSpec,
    name: &str,
    workbook: &mut Workbook<'_>,
    plan: &Plan<'_>,
    unreadable: &dyn Fn() -> Fault,
) -> Result<Offer, Faults> {
    let names = workbook.sheet_names();
    let list = || names.iter().take(20).map(|sheet| format!("« {} »", cut(sheet))).collect::<Vec<_>>().join(", ");
    let wanted: Vec<&String> = match &spec.sheet {
        Some(sheet) => names.iter().filter(|name| name.trim().eq_ignore_ascii_case(sheet.trim())).collect(),
        None => names.iter().collect(),
    };
    if let (Some(sheet), []) = (&spec.sheet, wanted.as_slice()) {
        return Err(Fault::of_file(
            name,
            FaultCause::Settings,
            format!(
                "Le classeur n’a pas de feuille « {} » ; il a : {}. Corrigez sheet dans la source.",
                cut(sheet),
                list()
            ),
        )
        .into());
    }
    let mut offers: Vec<Offer> = Vec::new();
    for sheet in wanted {
        let range = workbook.worksheet_range(sheet).map_err(|_| unreadable())?;
        if !range.is_empty() || names.len() == 1 {
            let first: Vec<_> = Rows::new(&range).texts().take(layout::PREAMBLE).collect();
            offers.push((sheet.clone(), range, layout::find_in(name, first, plan)));
        }
    }
    let fitting = offers.iter().filter(|(.., found)| found.is_ok()).count();
    if fitting > 1 {
        return Err(Fault::of_file(
            name,
            FaultCause::Settings,
            format!(
                "Plusieurs feuilles ont les colonnes attendues : nommez celle qu’il faut lire (sheet = \"…\") dans la source. \
                 Feuilles du classeur : {}.",
                list()
            ),
        )
        .into());
    }
    if fitting == 0 && offers.len() > 1 {
        return Err(Fault::of_file(
            name,
            FaultCause::Header,
            format!(
                "Aucune feuille n’a toutes les colonnes attendues : nommez celle qu’il faut lire (sheet = \"…\") dans la source, \
                 ses colonnes manquantes seront dites. Feuilles du classeur : {}.",
                list()
            ),
        )
        .into());
    }
    // One that fits, or the only one.
    let at = offers.iter().position(|(.., found)| found.is_ok()).unwrap_or(0);
    if offers.is_empty() {
        return Err(
            Fault::of_file(name, FaultCause::Empty, "Le classeur est vide : l’export s’est-il bien terminé ?").into()
        );
    }
    Ok(offers.swap_remove(at))
}

/// Merged cells of a sheet, where the format tells; rows and columns from 0.
fn merged(workbook: &mut Workbook<'_>, sheet: &str) -> Vec<Dimensions> {
    match workbook {
        Sheets::Xlsx(xlsx) => xlsx.merge_cells_by_sheet_name(sheet).unwrap_or_default(),
        Sheets::Xls(xls) => xls.merge_cells_by_sheet_name(sheet).unwrap_or_default(),
        Sheets::Xlsb(_) | Sheets::Ods(_) => Vec::new(),
    }
}

/// A header spread over merged cells, if that is why no line has all names.
fn several_lines(name: &str, range: &Range<Data>, merged: &[Dimensions]) -> Option<Fault> {
    let first = range.start().map_or(0, |(row, _)| row);
    let in_reach = |area: &&Dimensions| {
        usize::try_from(area.start.0.saturating_sub(first)).is_ok_and(|row| row < layout::PREAMBLE)
    };
    let area = merged.iter().filter(in_reach).min_by_key(|area| area.start)?;
    Some(
        Fault::of_file(
            name,
            FaultCause::Header,
            "Aucune ligne n’a tous les noms de colonnes, et des cases sont fusionnées dans l’en-tête : écrivez chaque nom de \
             colonne dans une case, tous sur une seule ligne, sans fusion.",
        )
        .at_line(u64::from(area.start.0) + 1),
    )
}

/// A merged cell holds its value once and leaves blanks, which would be read as such.
fn refuse_merged_rows(name: &str, range: &Range<Data>, header: &Header, merged: &[Dimensions]) -> Result<(), Fault> {
    let (top, left) = range.start().unwrap_or_default();
    let skip = u32::try_from(header.skip).expect("at most the lines of a preamble");
    let read = |column: u32| {
        header.places.iter().flatten().any(|place| u32::try_from(*place).is_ok_and(|place| left + place == column))
    };
    let in_rows = |area: &&Dimensions| {
        area.end.0 >= top + skip && area.start != area.end && (area.start.1..=area.end.1).take(20_000).any(read)
    };
    match merged.iter().filter(in_rows).min_by_key(|area| area.start) {
        None => Ok(()),
        Some(area) => Err(Fault::of_file(
            name,
            FaultCause::Ragged,
            "Des cases sont fusionnées parmi les données : la valeur n’est écrite que dans la première, les autres sont vides. \
             Défaites la fusion et répétez la valeur sur chaque ligne.",
        )
        .at_line(u64::from(area.start.0) + 1)),
    }
}

/// The rows of a sheet as texts.
struct Rows<'a> {
    all: calamine::Rows<'a, Data>,
    /// Line of the next one, from 1.
    line: u64,
    texts: Vec<(String, Kind)>,
}

impl<'a> Rows<'a> {
    fn new(range: &'a Range<Data>) -> Self {
        let line = u64::from(range.start().map_or(0, |(row, _)| row)) + 1;
        Self { all: range.rows(), line, texts: Vec::new() }
    }

    /// The same without saying what each cell is.
    fn texts(self) -> impl Iterator<Item = (Option<u64>, Vec<String>)> {
        (self.line..).zip(self.all).map(|(line, row)| (Some(line), row.iter().map(|cell| text(cell).0).collect()))
    }
}

impl Records for Rows<'_> {
    fn next(&mut self) -> Option<(u64, Vec<Raw<'_>>)> {
        let row = self.all.next()?;
        self.texts.clear();
        self.texts.extend(row.iter().map(text));
        self.line += 1;
        Some((self.line - 1, self.texts.iter().map(|(text, kind)| Raw { text, kind: *kind }).collect()))
    }
}

/// A cell as text. A date becomes one that reads one way; a number the shortest that is no other.
fn text(cell: &Data) -> (String, Kind) {
    match cell {
        Data::Empty => (String::new(), Kind::Text),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => (text.clone(), Kind::Text),
        Data::Bool(yes) => (if *yes { "true" } else { "false" }.to_owned(), Kind::Text),
        Data::Int(number) => (number.to_string(), Kind::Number),
        Data::Float(number) => super::number(*number),
        Data::DateTime(date) if date.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
            let time = if (hour, minute, second) == (0, 0, 0) {
                String::new()
            } else {
                format!(" {hour:02}:{minute:02}:{second:02}")
            };
            (format!("{year:04}-{month:02}-{day:02}{time}"), Kind::Text)
        }
        Data::DateTime(duration) => super::number(duration.as_f64()),
        Data::Error(error) => (error.to_string(), Kind::Error),
    }
}
