//! The TOML of layouts, and its proof.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use model::{Figure, Level, MissingReason};
use serde::Deserialize;

use super::columns::{GroupText, RatioText, Sheets, expand, group_columns, prove_columns, ratio};
use super::{Layout, LevelHint, PublicIndicator, PublicRatio, Shape, Vintage};
use crate::error::{PackCause, PackError};
use crate::indicator::SheetText;
use crate::table::from_toml;

/// How many lines of titles or labels a file may have.
const MOST_LINES: usize = 100;

/// A whole layout.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LayoutText {
    format: u32,
    code: String,
    source: String,
    producer: String,
    title: String,
    licence: String,
    url: String,
    file: FileText,
    territory: TerritoryText,
    #[serde(default)]
    rows: RowsText,
    #[serde(default)]
    sheets: BTreeMap<String, SheetText>,
    #[serde(rename = "level")]
    levels: Vec<LevelText>,
    #[serde(rename = "group")]
    groups: Vec<GroupText>,
    #[serde(rename = "ratio", default)]
    ratios: Vec<RatioText>,
    #[serde(rename = "vintage")]
    vintages: Vec<VintageText>,
}

/// Further vintages of a layout that exists: what a new year of the same file needs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExtensionText {
    format: u32,
    extends: String,
    #[serde(rename = "vintage")]
    vintages: Vec<VintageText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    separator: String,
    decimal: String,
    #[serde(default)]
    grouped: bool,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    header: Option<Vec<String>>,
    #[serde(default)]
    above: usize,
    #[serde(default)]
    below: usize,
    #[serde(default)]
    secret: Vec<String>,
    #[serde(default)]
    missing: Vec<String>,
    #[serde(default)]
    not_applicable: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TerritoryText {
    column: String,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    label: Option<String>,
}

/// How rows stand, where one row is not one territory.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RowsText {
    #[serde(default)]
    year: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelText {
    level: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    anchors: Vec<(String, String)>,
    #[serde(default)]
    file: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VintageText {
    name: String,
    #[serde(default)]
    years: BTreeMap<String, u16>,
}

/// Reads and proves layouts from files by name, `extends` included, in ascending order of their codes.
///
/// # Errors
/// The first thing that is wrong, with file, place, cause and a French sentence.
pub fn layouts(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<Layout>, PackError> {
    let mut whole: BTreeMap<String, (String, String)> = BTreeMap::new();
    let mut extensions = Vec::new();
    for (file, bytes) in files {
        let text = std::str::from_utf8(bytes).map_err(|_| {
            PackError::new(
                file,
                "fichier",
                PackCause::Syntax,
                "Ce fichier n’est pas en UTF-8 : enregistrez-le dans cet encodage.",
            )
        })?;
        if text.lines().any(|line| line.trim_start().starts_with("extends")) {
            extensions.push((file, from_toml::<ExtensionText>(file, text)?));
            continue;
        }
        let code = from_toml::<LayoutText>(file, text)?.code;
        if let Some((other, _)) = whole.get(&code) {
            let message = format!("Le format « {code} » est déjà décrit par {other} : un code est unique.");
            return Err(PackError::new(file, "code", PackCause::Duplicate, message));
        }
        whole.insert(code, (file.clone(), text.to_owned()));
    }
    for (file, extension) in extensions {
        if extension.format != 1 {
            return Err(unknown_format(file, extension.format));
        }
        let Some((_, text)) = whole.get_mut(&extension.extends) else {
            let message = format!("Le format « {} » que ce fichier complète n’existe pas.", extension.extends);
            return Err(PackError::new(file, "extends", PackCause::Unknown, message));
        };
        for vintage in &extension.vintages {
            let years: Vec<String> = vintage.years.iter().map(|(name, year)| format!("{name} = {year}")).collect();
            let name = toml::Value::String(vintage.name.clone());
            // Writing to a String cannot fail.
            let _ = write!(text, "\n[[vintage]]\nname = {name}\nyears = {{ {} }}\n", years.join(", "));
        }
    }
    let mut layouts = Vec::new();
    for (file, text) in whole.into_values() {
        layouts.push(layout(&file, text)?);
    }
    agree(&layouts)?;
    Ok(layouts)
}

fn layout(file: &str, text: String) -> Result<Layout, PackError> {
    let read: LayoutText = from_toml(file, &text)?;
    if read.format != 1 {
        return Err(unknown_format(file, read.format));
    }
    let refuse = |place: &str, cause, message: String| PackError::new(file, place, cause, message);
    let code = |place: &str, text: &str| {
        text.parse()
            .map_err(|_| refuse(place, PackCause::Malformed, format!("« {text} » s’écrit sans accent ni espace.")))
    };
    let separators: Vec<char> = read.file.separator.chars().collect();
    if separators.is_empty() || !separators.iter().all(char::is_ascii) {
        return Err(refuse(
            "file.separator",
            PackCause::Malformed,
            "Le séparateur est un signe, par exemple « ; », ou plusieurs, entre lesquels le fichier choisit.".into(),
        ));
    }
    let decimal_marks: Vec<char> = read.file.decimal.chars().collect();
    if decimal_marks.is_empty() || decimal_marks.iter().any(|mark| !matches!(mark, ',' | '.')) {
        return Err(refuse(
            "file.decimal",
            PackCause::Malformed,
            "Le signe décimal est « , », « . » ou « ,. ».".into(),
        ));
    }
    let (file_text, grouped) = (&read.file, read.file.grouped);
    let mut markers = BTreeMap::new();
    for (texts, figure) in [
        (&file_text.secret, Figure::Suppressed),
        (&file_text.missing, Figure::Missing(MissingReason::NotCollected)),
        (&file_text.not_applicable, Figure::NotApplicable),
    ] {
        for text in texts {
            if markers.insert(text.to_lowercase(), figure).is_some() {
                return Err(refuse("file", PackCause::Duplicate, format!("Le signe « {text} » a deux sens.")));
            }
        }
    }
    let levels = read.levels.iter().map(|text| level(file, text)).collect::<Result<Vec<_>, _>>()?;
    if levels.is_empty() || read.vintages.is_empty() {
        return Err(refuse(
            "level, vintage",
            PackCause::Malformed,
            "Il faut au moins un niveau et un millésime.".into(),
        ));
    }
    let vintages: Vec<Vintage> =
        read.vintages.into_iter().map(|text| Vintage { name: text.name, years: text.years }).collect();
    let shape = shape(file, read.file, read.rows, &vintages)?;
    let sheets = Sheets::read(file, &read.sheets)?;
    let mut columns = Vec::new();
    for group in read.groups {
        columns.extend(group_columns(file, &group, &sheets)?);
    }
    prove_columns(file, &columns, &vintages, &shape)?;
    let named = |column: &String| shape.header.as_ref().is_none_or(|header| header.contains(column));
    if !std::iter::once(&read.territory.column).chain(&read.territory.label).all(named) {
        let message = "« file.header » ne nomme pas la colonne des territoires.".to_owned();
        return Err(refuse("territory", PackCause::Unknown, message));
    }
    let ratios =
        read.ratios.into_iter().map(|text| ratio(file, text, &columns, &sheets)).collect::<Result<Vec<_>, _>>()?;
    let hash = seal::sha256(text.as_bytes());
    Ok(Layout {
        code: code("code", &read.code)?,
        source: code("source", &read.source)?,
        producer: read.producer,
        title: read.title,
        licence: read.licence,
        url: read.url,
        separators,
        decimal_marks,
        grouped,
        shape,
        markers,
        territory: read.territory.column,
        also: read.territory.also,
        label: read.territory.label,
        levels,
        vintages,
        columns,
        ratios,
        text,
        hash,
    })
}

/// How rows stand in the file. A file without a header must be told by its name: any other file may have as many cells.
fn shape(file: &str, text: FileText, rows: RowsText, vintages: &[Vintage]) -> Result<Shape, PackError> {
    let refuse = |cause, message: &str| Err(PackError::new(file, "file", cause, message));
    if let Some(header) = &text.header {
        let names: BTreeSet<&String> = header.iter().collect();
        if header.is_empty() || names.len() != header.len() || header.iter().any(String::is_empty) {
            return refuse(PackCause::Duplicate, "« header » donne un nom, chaque fois un autre, à chaque colonne.");
        }
        if text.name.is_none() || text.below > 0 {
            return refuse(
                PackCause::Inconsistent,
                "Un fichier sans en-tête se reconnaît à son nom : il faut « name », et « below » n’y a pas de sens.",
            );
        }
    }
    if text.above > MOST_LINES || text.below > MOST_LINES {
        return refuse(PackCause::Malformed, "« above » et « below » comptent quelques lignes, cent au plus.");
    }
    if let Some(name) = &text.name {
        let parts: Option<Vec<String>> = vintages.iter().map(|vintage| expand(name, &vintage.years)).collect();
        if parts.is_none_or(|parts| parts.iter().any(|part| part.trim().is_empty())) {
            return refuse(PackCause::Unknown, "« name » emploie une année qu’un millésime ne donne pas, ou est vide.");
        }
    }
    Ok(Shape { header: text.header, above: text.above, below: text.below, file_name: text.name, year: rows.year })
}

fn unknown_format(file: &str, format: u32) -> PackError {
    let message = format!("Le format {format} n’est pas connu de cette version du logiciel (format lu : 1).");
    PackError::new(file, "format", PackCause::Malformed, message)
}

fn level(file: &str, text: &LevelText) -> Result<LevelHint, PackError> {
    let level: Level = text.level.parse().map_err(|_| {
        let known: Vec<&str> = Level::ALL.iter().map(|level| level.as_str()).collect();
        let message = format!("« {} » n’est pas un niveau : {}.", text.level, known.join(", "));
        PackError::new(file, "level", PackCause::Unknown, message)
    })?;
    Ok(LevelHint { level, code: text.code.clone(), anchors: text.anchors.clone(), file: text.file.clone() })
}

/// One source has one producer, and one code means one thing in every source.
fn agree(layouts: &[Layout]) -> Result<(), PackError> {
    let mut producers: BTreeMap<&str, &Layout> = BTreeMap::new();
    let mut meanings: BTreeMap<&str, (&PublicIndicator, &Layout)> = BTreeMap::new();
    let mut terms: BTreeMap<&str, &PublicRatio> = BTreeMap::new();
    for layout in layouts {
        let file = layout.code.as_str();
        let first = producers.entry(layout.source.as_str()).or_insert(layout);
        if first.producer != layout.producer {
            let message = format!(
                "La source « {} » est celle de {} (format {}) : un autre producteur prend un autre code de source.",
                layout.source, first.producer, first.code
            );
            return Err(PackError::new(file, "source", PackCause::Inconsistent, message));
        }
        for ratio in &layout.ratios {
            let known = *terms.entry(ratio.indicator.code.as_str()).or_insert(ratio);
            let of = |ratio: &PublicRatio| (ratio.numerator.clone(), ratio.denominator.clone(), ratio.per, ratio.share);
            if of(known) != of(ratio) {
                let message = format!(
                    "« {} » a d’autres termes dans un autre format : donnez-lui un autre code.",
                    ratio.indicator.code
                );
                return Err(PackError::new(file, "rapport", PackCause::Inconsistent, message));
            }
        }
        let measured = layout.columns.iter().map(|column| &column.indicator);
        for indicator in measured.chain(layout.ratios.iter().map(|ratio| &ratio.indicator)) {
            let (known, owner) = *meanings.entry(indicator.code.as_str()).or_insert((indicator, layout));
            if known.unit != indicator.unit || known.aggregation != indicator.aggregation {
                let message = format!(
                    "« {} » a une autre unité ou une autre agrégation dans le format « {} » : donnez-lui un autre code.",
                    indicator.code, owner.code
                );
                return Err(PackError::new(file, "indicateur", PackCause::Inconsistent, message));
            }
        }
    }
    Ok(())
}
