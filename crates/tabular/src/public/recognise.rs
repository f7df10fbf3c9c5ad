//! Which layout, which vintage, which kind of territory.

use std::collections::BTreeSet;

use methodology::{Layout, LevelHint, Vintage};
use model::Area;

use super::{Near, Refusal};
use crate::fault::{Fault, FaultCause};

/// How many rows tell the kind of territory.
const SAMPLE: usize = 500;
/// How many layouts are named when none fits.
const NEAREST: usize = 3;
/// A layout of which so many names are there is near, however many it has; so is one of which half are there. Fewer
/// names, such as the codes and labels that every producer writes, say nothing.
const MEANINGFUL: usize = 3;

/// The one layout that fits.
pub(super) struct Found {
    pub(super) layout: usize,
    pub(super) vintage: usize,
    pub(super) hint: LevelHint,
    pub(super) separator: char,
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
    let mut unnamed = Vec::new();
    for (index, layout) in layouts.iter().enumerate() {
        let headers: Vec<(char, Vec<String>)> =
            layout.separators.iter().map(|separator| (*separator, header(layout, text, *separator))).collect();
        for (number, vintage) in layout.vintages.iter().enumerate() {
            let lacking = |(_, header): &&(char, Vec<String>)| missing(layout, vintage, header).len();
            let Some((separator, header)) = headers.iter().min_by_key(lacking) else { continue };
            let missing = missing(layout, vintage, header);
            if missing.is_empty() {
                let fit = Fitting { layout: index, vintage: number, separator: *separator, header: header.clone() };
                match layout.file_name(vintage).filter(|part| !contains(name, part)) {
                    None => fitting.push(fit),
                    Some(part) => unnamed.push((fit, part)),
                }
            } else {
                let wanted = required(layout, vintage).count();
                let known = wanted - missing.len();
                if known >= MEANINGFUL || known * 2 >= wanted {
                    near.push(Near { layout: layout.code.to_string(), vintage: vintage.name.clone(), known, missing });
                }
            }
        }
    }
    if fitting.is_empty() {
        // Any file of as many columns fits a layout without a header: its rows must look right too.
        unnamed.retain(|(fit, _)| {
            let layout = &layouts[fit.layout];
            layout.shape.header.is_none() || !levels(layout, name, text, fit).is_empty()
        });
        if !unnamed.is_empty() {
            let codes: BTreeSet<String> = unnamed.iter().map(|(fit, _)| layouts[fit.layout].code.to_string()).collect();
            let wanted: BTreeSet<String> = unnamed.into_iter().map(|(_, part)| part).collect();
            return Err(Refusal::Name { layouts: codes.into_iter().collect(), wanted: wanted.into_iter().collect() });
        }
        // The most names found first; among equals, the fewest that lack.
        near.sort_by_key(|near| (std::cmp::Reverse(near.known), near.missing.len()));
        near.truncate(NEAREST);
        return Err(Refusal::Unknown(near));
    }
    let mut found = Vec::new();
    for fit in &fitting {
        for hint in levels(&layouts[fit.layout], name, text, fit) {
            let Fitting { layout, vintage, separator, ref header } = *fit;
            found.push(Found { layout, vintage, hint, separator, header: header.clone() });
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
        let layout = &layouts[fitting[0].layout];
        if sample(layout, text, &fitting[0]).is_empty() {
            let message = "Le fichier n’a que son en-tête : le téléchargement est-il complet ?";
            return Fault::of_file(name, FaultCause::Empty, message).into();
        }
        Refusal::Level {
            layout: layout.code.to_string(),
            levels: layout.levels.iter().map(|hint| hint.level).collect(),
        }
    })
}

/// A layout and a vintage whose columns are all there.
struct Fitting {
    layout: usize,
    vintage: usize,
    separator: char,
    header: Vec<String>,
}

/// Whether the name of a file has this part, capitals or not: some systems change them.
fn contains(name: &str, part: &str) -> bool {
    name.to_lowercase().contains(&part.to_lowercase())
}

/// The names of the columns; none where the first line has not as many cells as a file without a header must have.
fn header(layout: &Layout, text: &str, separator: char) -> Vec<String> {
    let mut record = csv::StringRecord::new();
    let mut reader = reader(text, separator);
    for _ in 0..=layout.shape.above {
        // What does not read as a record has no header, hence no layout.
        let _ = reader.read_record(&mut record);
    }
    match &layout.shape.header {
        Some(names) if names.len() == record.len() => names.clone(),
        Some(_) => Vec::new(),
        None => {
            let mut names: Vec<String> = record.iter().map(|name| name.trim().to_owned()).collect();
            if !names.contains(&layout.territory)
                && let Some(other) = names.iter_mut().find(|name| layout.also.contains(name))
            {
                layout.territory.clone_into(other);
            }
            names
        }
    }
}

fn required<'a>(layout: &'a Layout, vintage: &'a Vintage) -> impl Iterator<Item = String> + 'a {
    let columns = || layout.columns.iter().filter(|column| !column.optional);
    let rows = columns().flat_map(|column| &column.only).map(|only| only.column.clone());
    let names: std::collections::BTreeSet<String> = std::iter::once(layout.territory.clone())
        .chain(layout.label.iter().cloned())
        .chain(layout.shape.year.iter().cloned())
        .chain(rows)
        .chain(columns().map(|column| Layout::column_name(column, vintage)))
        .collect();
    names.into_iter()
}

fn missing(layout: &Layout, vintage: &Vintage, header: &[String]) -> Vec<String> {
    required(layout, vintage).filter(|name| !header.contains(name)).collect()
}

/// Levels whose codes most of the first rows have, and whose known rows or file name are there where the layout
/// gives any. Most, not all: a damaged code must be reported as one.
fn levels(layout: &Layout, file: &str, text: &str, fit: &Fitting) -> Vec<LevelHint> {
    let rows = sample(layout, text, fit);
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
fn sample(layout: &Layout, text: &str, fit: &Fitting) -> Vec<(String, String)> {
    let at = |name: &str| fit.header.iter().position(|column| column == name);
    let (territory, label) = (at(&layout.territory), layout.label.as_deref().and_then(at));
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut record = csv::StringRecord::new();
    let mut reader = reader(text, fit.separator);
    for _ in 0..layout.shape.head() {
        let _ = reader.read_record(&mut record);
    }
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
