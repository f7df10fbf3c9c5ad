//! Which layout, which vintage, which kind of territory.

use methodology::{Layout, LevelHint, Vintage};
use model::Area;

use super::{Near, Refusal};
use crate::fault::{Fault, FaultCause};

/// How many rows tell the kind of territory.
const SAMPLE: usize = 500;
/// How many layouts are named when none fits.
const NEAREST: usize = 3;

/// The one layout that fits.
pub(super) struct Found {
    pub(super) layout: usize,
    pub(super) vintage: usize,
    pub(super) hint: LevelHint,
    pub(super) header: Vec<String>,
}

/// A reader over the text; every line may have its own number of cells.
pub(super) fn reader(text: &str, separator: char) -> csv::Reader<&[u8]> {
    // Layouts have ASCII separators only.
    let separator = u8::try_from(separator).unwrap_or(b';');
    csv::ReaderBuilder::new().delimiter(separator).has_headers(false).flexible(true).from_reader(text.as_bytes())
}

pub(super) fn recognise(layouts: &[Layout], name: &str, text: &str) -> Result<Found, Refusal> {
    let mut near = Vec::new();
    let mut fitting = Vec::new();
    for (index, layout) in layouts.iter().enumerate() {
        let header = header(layout, text);
        for (number, vintage) in layout.vintages.iter().enumerate() {
            let missing = missing(layout, vintage, &header);
            if missing.is_empty() {
                fitting.push((index, number, header.clone()));
            } else {
                let known = required(layout, vintage).count() - missing.len();
                let near_one = Near { layout: layout.code.to_string(), vintage: vintage.name.clone(), missing };
                near.push((known, near_one));
            }
        }
    }
    if fitting.is_empty() {
        // The most names found first; among equals, the fewest that lack.
        near.sort_by_key(|(known, near)| (std::cmp::Reverse(*known), near.missing.len()));
        return Err(Refusal::Unknown(near.into_iter().take(NEAREST).map(|(_, near)| near).collect()));
    }
    let mut found = Vec::new();
    for (index, number, header) in &fitting {
        for hint in levels(&layouts[*index], name, text, header) {
            found.push(Found { layout: *index, vintage: *number, hint, header: header.clone() });
        }
    }
    if found.len() > 1 {
        let named = |found: &Found| {
            let layout = &layouts[found.layout];
            format!("{}, {}, {}", layout.code, layout.vintages[found.vintage].name, found.hint.level)
        };
        return Err(Refusal::Ambiguous(found.iter().map(named).collect()));
    }
    found.pop().ok_or_else(|| {
        let layout = &layouts[fitting[0].0];
        if sample(layout, text, &fitting[0].2).is_empty() {
            let message = "Le fichier n’a que son en-tête : le téléchargement est-il complet ?";
            return Fault::of_file(name, FaultCause::Empty, message).into();
        }
        Refusal::Level {
            layout: layout.code.to_string(),
            levels: layout.levels.iter().map(|hint| hint.level).collect(),
        }
    })
}

fn header(layout: &Layout, text: &str) -> Vec<String> {
    let mut record = csv::StringRecord::new();
    let mut reader = reader(text, layout.separator);
    // What does not read as a record has no header, hence no layout.
    let _ = reader.read_record(&mut record);
    record.iter().map(|name| name.trim().to_owned()).collect()
}

fn required<'a>(layout: &'a Layout, vintage: &'a Vintage) -> impl Iterator<Item = String> + 'a {
    let columns = layout.columns.iter().filter(|column| !column.optional);
    let label = layout.label.iter().cloned();
    std::iter::once(layout.territory.clone())
        .chain(label)
        .chain(columns.map(|column| Layout::column_name(column, vintage)))
}

fn missing(layout: &Layout, vintage: &Vintage, header: &[String]) -> Vec<String> {
    required(layout, vintage).filter(|name| !header.contains(name)).collect()
}

/// Levels whose codes most of the first rows have, and whose known rows or file name are there where the layout
/// gives any. Most, not all: a damaged code must be reported as one.
fn levels(layout: &Layout, file: &str, text: &str, header: &[String]) -> Vec<LevelHint> {
    let rows = sample(layout, text, header);
    let fits = |hint: &&LevelHint| {
        let fitting = rows.iter().filter(|(code, _)| area(hint, code).is_some()).count();
        let told = || {
            rows.iter().any(|row| hint.anchors.contains(row))
                || hint.file.as_deref().is_some_and(|part| file.contains(part))
        };
        let unmarked = hint.anchors.is_empty() && hint.file.is_none();
        fitting > 0 && fitting * 10 >= rows.len() * 8 && (unmarked || told())
    };
    layout.levels.iter().filter(fits).cloned().collect()
}

/// Code and name of the first rows.
fn sample(layout: &Layout, text: &str, header: &[String]) -> Vec<(String, String)> {
    let at = |name: &str| header.iter().position(|column| column == name);
    let (territory, label) = (at(&layout.territory), layout.label.as_deref().and_then(at));
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut record = csv::StringRecord::new();
    let mut reader = reader(text, layout.separator);
    let _ = reader.read_record(&mut record);
    while rows.len() < SAMPLE && matches!(reader.read_record(&mut record), Ok(true)) {
        let cell =
            |place: Option<usize>| place.and_then(|place| record.get(place)).unwrap_or_default().trim().to_owned();
        rows.push((cell(territory), cell(label)));
    }
    rows
}

/// The territory of this code at this level; `None` if it is not one.
pub(super) fn area(hint: &LevelHint, code: &str) -> Option<Area> {
    let only = match hint.level {
        model::Level::Metropole => Some(Area::METROPOLE),
        model::Level::France => Some(Area::FRANCE),
        _ => None,
    };
    match (&hint.code, only) {
        (Some(written), Some(ours)) => (written == code).then(|| Area::new(hint.level, ours).ok())?,
        _ => Area::new(hint.level, code).ok(),
    }
}
