//! The TOML of layouts, and its proof.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use model::{Decimals, Figure, Level, MissingReason};
use serde::Deserialize;

use super::{Layout, LayoutColumn, LevelHint, PublicIndicator, PublicRatio, Vintage, silence};
use crate::error::{PackCause, PackError};
use crate::indicator::{Aggregation, AggregationText, PolarityText, UncertaintyText};
use crate::table::from_toml;

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
    label: Option<String>,
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
    years: BTreeMap<String, u16>,
}

/// What the columns of a group share; a column may say otherwise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupText {
    period: String,
    geography: String,
    blank: String,
    theme: String,
    uncertainty: UncertaintyText,
    unit: Option<String>,
    decimals: Option<u8>,
    shown: Option<u8>,
    aggregation: Option<AggregationText>,
    columns: Vec<ColumnText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnText {
    name: String,
    indicator: String,
    title: String,
    unit: Option<String>,
    decimals: Option<u8>,
    shown: Option<u8>,
    aggregation: Option<AggregationText>,
    polarity: Option<PolarityText>,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    signed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RatioText {
    code: String,
    title: String,
    theme: String,
    unit: String,
    numerator: String,
    denominator: String,
    per: u32,
    decimals: u8,
    #[serde(default)]
    share: bool,
    uncertainty: UncertaintyText,
    polarity: Option<PolarityText>,
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
    let mut separators = read.file.separator.chars();
    let (Some(separator), None) = (separators.next().filter(char::is_ascii), separators.next()) else {
        return Err(refuse(
            "file.separator",
            PackCause::Malformed,
            "Le séparateur est un seul signe, par exemple « ; ».".into(),
        ));
    };
    let decimal_marks: Vec<char> = read.file.decimal.chars().collect();
    if decimal_marks.is_empty() || decimal_marks.iter().any(|mark| !matches!(mark, ',' | '.')) {
        return Err(refuse(
            "file.decimal",
            PackCause::Malformed,
            "Le signe décimal est « , », « . » ou « ,. ».".into(),
        ));
    }
    let file_text = &read.file;
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
    let mut columns = Vec::new();
    for group in read.groups {
        columns.extend(group_columns(file, group)?);
    }
    prove_columns(file, &columns, &vintages)?;
    let ratios = read.ratios.into_iter().map(|text| ratio(file, text, &columns)).collect::<Result<Vec<_>, _>>()?;
    let hash = seal::sha256(text.as_bytes());
    Ok(Layout {
        code: code("code", &read.code)?,
        source: code("source", &read.source)?,
        producer: read.producer,
        title: read.title,
        licence: read.licence,
        url: read.url,
        separator,
        decimal_marks,
        grouped: read.file.grouped,
        markers,
        territory: read.territory.column,
        label: read.territory.label,
        levels,
        vintages,
        columns,
        ratios,
        text,
        hash,
    })
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

fn group_columns(file: &str, group: GroupText) -> Result<Vec<LayoutColumn>, PackError> {
    let uncertainty = group.uncertainty;
    let blank = silence(&group.blank).ok_or_else(|| {
        let message =
            "« blank » vaut secret, missing, later ou not-applicable : ce que veut dire une case vide.".to_owned();
        PackError::new(file, "group.blank", PackCause::Unknown, message)
    })?;
    let mut columns = Vec::new();
    for column in group.columns {
        let refuse = |cause, message: String| PackError::new(file, format!("colonne {}", column.name), cause, message);
        let need = |what: &str| {
            refuse(PackCause::Malformed, format!("Il manque « {what} », pour la colonne ou pour son groupe."))
        };
        let code = column.indicator.parse().map_err(|_| {
            refuse(PackCause::Malformed, "Le code de l’indicateur s’écrit sans accent ni espace.".to_owned())
        })?;
        let aggregation =
            column.aggregation.or(group.aggregation).map(Aggregation::from).ok_or_else(|| need("aggregation"))?;
        if aggregation == Aggregation::Ratio {
            return Err(refuse(
                PackCause::Inconsistent,
                "Un rapport se déclare par [[ratio]] ; un taux publié tel quel est « non_additive ».".to_owned(),
            ));
        }
        let places = |number: u8| {
            Decimals::new(number).ok_or_else(|| refuse(PackCause::Malformed, "Neuf décimales au plus.".to_owned()))
        };
        let decimals = places(column.decimals.or(group.decimals).ok_or_else(|| need("decimals"))?)?;
        let shown = column.shown.or(group.shown).map_or(Ok(decimals), places)?;
        columns.push(LayoutColumn {
            name: column.name.clone(),
            optional: column.optional,
            period: group.period.clone(),
            geography: group.geography.clone(),
            blank,
            signed: column.signed,
            indicator: PublicIndicator {
                code,
                title: column.title.clone(),
                theme: group.theme.clone(),
                unit: column.unit.clone().or_else(|| group.unit.clone()).ok_or_else(|| need("unit"))?,
                decimals,
                shown,
                aggregation,
                uncertainty: uncertainty.into(),
                polarity: column.polarity.unwrap_or(PolarityText::Neutral).into(),
            },
        });
    }
    Ok(columns)
}

/// Every vintage names every year that a column uses, and no indicator is there twice for one year and geography.
fn prove_columns(file: &str, columns: &[LayoutColumn], vintages: &[Vintage]) -> Result<(), PackError> {
    if columns.is_empty() || columns.iter().all(|column| column.optional) {
        let message = "Il faut au moins une colonne obligatoire : elle sert à reconnaître le fichier.".to_owned();
        return Err(PackError::new(file, "group", PackCause::Malformed, message));
    }
    for vintage in vintages {
        let mut names = BTreeSet::new();
        let mut carried = BTreeSet::new();
        for column in columns {
            let refuse =
                |cause, message: String| PackError::new(file, format!("colonne {}", column.name), cause, message);
            let unknown = |year: &str| {
                refuse(
                    PackCause::Unknown,
                    format!("Le millésime « {} » ne donne pas l’année « {year} ».", vintage.name),
                )
            };
            let year = |name: &String| vintage.years.get(name).copied().ok_or_else(|| unknown(name));
            let dated = (year(&column.period)?, year(&column.geography)?);
            if !(1900..=2200).contains(&dated.0) || !(1900..=2200).contains(&dated.1) {
                return Err(refuse(PackCause::Malformed, "Une année s’écrit en quatre chiffres.".to_owned()));
            }
            let name = expand(&column.name, &vintage.years).ok_or_else(|| unknown(&column.name))?;
            if !names.insert(name) {
                return Err(refuse(
                    PackCause::Duplicate,
                    format!("Colonne nommée deux fois (millésime {}).", vintage.name),
                ));
            }
            if !carried.insert((&column.indicator.code, dated)) {
                let message = format!("L’indicateur « {} » y est deux fois pour la même année.", column.indicator.code);
                return Err(refuse(PackCause::Duplicate, message));
            }
        }
    }
    Ok(())
}

/// `P{rp}_POP` for rp = 2018 is `P18_POP`; `{rp:4}` gives all four digits. `None` for a year that is not there.
pub(super) fn expand(template: &str, years: &BTreeMap<String, u16>) -> Option<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, end) = after.split_once('}')?;
        out.push_str(before);
        let digits = match name.strip_suffix(":4") {
            Some(name) => format!("{:04}", years.get(name)?),
            None => format!("{:02}", years.get(name)? % 100),
        };
        out.push_str(&digits);
        rest = end;
    }
    out.push_str(rest);
    Some(out)
}

fn ratio(file: &str, text: RatioText, columns: &[LayoutColumn]) -> Result<PublicRatio, PackError> {
    let refuse = |cause, message: String| PackError::new(file, format!("rapport {}", text.code), cause, message);
    let additive = |term: &str| {
        let found = columns.iter().map(|column| &column.indicator).find(|indicator| indicator.code.as_str() == term);
        match found {
            Some(indicator) if indicator.aggregation == Aggregation::Additive => Ok(indicator.code.clone()),
            Some(_) => Err(refuse(
                PackCause::Inconsistent,
                format!("« {term} » ne s’additionne pas : il ne peut entrer dans un rapport."),
            )),
            None => Err(refuse(PackCause::Unknown, format!("Aucune colonne ne porte « {term} »."))),
        }
    };
    let decimals = Decimals::new(text.decimals)
        .ok_or_else(|| refuse(PackCause::Malformed, "Neuf décimales au plus.".to_owned()))?;
    if text.per == 0 || columns.iter().any(|column| column.indicator.code.as_str() == text.code) {
        return Err(refuse(PackCause::Inconsistent, "« per » est positif, et le code ne sert qu’une fois.".to_owned()));
    }
    Ok(PublicRatio {
        numerator: additive(&text.numerator)?,
        denominator: additive(&text.denominator)?,
        per: text.per,
        share: text.share,
        indicator: PublicIndicator {
            code: text
                .code
                .parse()
                .map_err(|_| refuse(PackCause::Malformed, "Le code s’écrit sans accent ni espace.".to_owned()))?,
            title: text.title,
            theme: text.theme,
            unit: text.unit,
            decimals,
            shown: decimals,
            aggregation: Aggregation::Ratio,
            uncertainty: text.uncertainty.into(),
            polarity: text.polarity.unwrap_or(PolarityText::Neutral).into(),
        },
    })
}

/// One source has one producer, and one code means one thing in every source.
fn agree(layouts: &[Layout]) -> Result<(), PackError> {
    let mut producers: BTreeMap<&str, &Layout> = BTreeMap::new();
    let mut meanings: BTreeMap<&str, (&PublicIndicator, &Layout)> = BTreeMap::new();
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
