//! Columns of a layout: which indicator each carries, and that they agree.

use std::collections::{BTreeMap, BTreeSet};

use model::Decimals;
use serde::Deserialize;

use super::{Fold, LayoutColumn, Only, PublicIndicator, PublicRatio, Shape, Vintage, silence};
use crate::error::{PackCause, PackError};
use crate::indicator::{Aggregation, AggregationText, PolarityText, Sheet, SheetText, UncertaintyText};

/// What the columns of a group share; a column may say otherwise.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupText {
    period: String,
    geography: String,
    blank: String,
    theme: String,
    uncertainty: UncertaintyText,
    unit: Option<String>,
    decimals: Option<u8>,
    shown: Option<u8>,
    aggregation: Option<AggregationText>,
    name: Option<String>,
    fold: Option<FoldText>,
    #[serde(default)]
    only: BTreeMap<String, Vec<String>>,
    sheet: Option<String>,
    columns: Vec<ColumnText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnText {
    name: Option<String>,
    indicator: String,
    title: String,
    unit: Option<String>,
    decimals: Option<u8>,
    shown: Option<u8>,
    aggregation: Option<AggregationText>,
    polarity: Option<PolarityText>,
    fold: Option<FoldText>,
    #[serde(default)]
    only: BTreeMap<String, Vec<String>>,
    sheet: Option<String>,
    how_to_read: Option<String>,
    how_not_to_read: Option<String>,
    #[serde(default)]
    optional: bool,
    #[serde(default)]
    signed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RatioText {
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
    sheet: Option<String>,
    how_to_read: Option<String>,
    how_not_to_read: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FoldText {
    Sum,
    Count,
    Lowest,
    Highest,
    Median,
}

impl From<FoldText> for Fold {
    fn from(text: FoldText) -> Self {
        match text {
            FoldText::Sum => Self::Sum,
            FoldText::Count => Self::Count,
            FoldText::Lowest => Self::Lowest,
            FoldText::Highest => Self::Highest,
            FoldText::Median => Self::Median,
        }
    }
}

/// The sheets of a layout, that groups and indicators name.
pub(super) struct Sheets(BTreeMap<String, Sheet>);

impl Sheets {
    pub(super) fn read(file: &str, texts: &BTreeMap<String, SheetText>) -> Result<Self, PackError> {
        let one = |(name, text): (&String, &SheetText)| match text.whole() {
            Some(sheet) => Ok((name.clone(), sheet)),
            None => Err(PackError::new(
                file,
                format!("sheets.{name}"),
                PackCause::Sheet,
                "Une rubrique de la fiche est vide : remplissez-la.",
            )),
        };
        Ok(Self(texts.iter().map(one).collect::<Result<_, _>>()?))
    }

    /// The sheet of this name, read and not read as the indicator itself says where it does.
    fn of(&self, name: Option<&String>, read: Option<&String>, not: Option<&String>) -> Result<Option<Sheet>, String> {
        let Some(name) = name else {
            let lonely = read.is_some() || not.is_some();
            return if lonely {
                Err("Une façon de lire demande une fiche (« sheet »).".to_owned())
            } else {
                Ok(None)
            };
        };
        let mut sheet = self.0.get(name).cloned().ok_or_else(|| format!("La fiche « {name} » n’existe pas."))?;
        for (own, shared) in [(read, &mut sheet.how_to_read), (not, &mut sheet.how_not_to_read)] {
            if let Some(own) = own {
                own.clone_into(shared);
            }
        }
        Ok(Some(sheet))
    }
}

/// The columns of a group, each complete.
pub(super) fn group_columns(file: &str, group: &GroupText, sheets: &Sheets) -> Result<Vec<LayoutColumn>, PackError> {
    let uncertainty = group.uncertainty;
    let blank = silence(&group.blank).ok_or_else(|| {
        let message =
            "« blank » vaut secret, missing, later ou not-applicable : ce que veut dire une case vide.".to_owned();
        PackError::new(file, "group.blank", PackCause::Unknown, message)
    })?;
    let mut columns = Vec::new();
    for column in &group.columns {
        let refuse =
            |cause, message: String| PackError::new(file, format!("colonne {}", column.indicator), cause, message);
        let need = |what: &str| {
            refuse(PackCause::Malformed, format!("Il manque « {what} », pour la colonne ou pour son groupe."))
        };
        let code = column.indicator.parse().map_err(|_| {
            refuse(PackCause::Malformed, "Le code de l’indicateur s’écrit sans accent ni espace.".to_owned())
        })?;
        let name = column.name.clone().or_else(|| group.name.clone()).ok_or_else(|| need("name"))?;
        let aggregation =
            column.aggregation.or(group.aggregation).map(Aggregation::from).ok_or_else(|| need("aggregation"))?;
        if matches!(aggregation, Aggregation::Ratio | Aggregation::Distribution) {
            return Err(refuse(
                PackCause::Inconsistent,
                "Un rapport se déclare par [[ratio]] ; un taux ou une médiane publiés tels quels sont « non_additive »."
                    .to_owned(),
            ));
        }
        let places = |number: u8| {
            Decimals::new(number).ok_or_else(|| refuse(PackCause::Malformed, "Neuf décimales au plus.".to_owned()))
        };
        let decimals = places(column.decimals.or(group.decimals).ok_or_else(|| need("decimals"))?)?;
        let shown = column.shown.or(group.shown).map_or(Ok(decimals), places)?;
        let sheet = sheets
            .of(
                column.sheet.as_ref().or(group.sheet.as_ref()),
                column.how_to_read.as_ref(),
                column.how_not_to_read.as_ref(),
            )
            .map_err(|message| refuse(PackCause::Sheet, message))?;
        let fold = column.fold.or(group.fold).map(Fold::from);
        if fold.is_some_and(|fold| !matches!(fold, Fold::Sum | Fold::Count)) && aggregation == Aggregation::Additive {
            return Err(refuse(
                PackCause::Inconsistent,
                "Ni minimum, ni maximum, ni médiane ne s’additionnent : l’agrégation est « non_additive ».".to_owned(),
            ));
        }
        let only: Vec<Only> = group
            .only
            .iter()
            .chain(&column.only)
            .map(|(column, texts)| Only { column: column.clone(), texts: texts.clone() })
            .collect();
        if only.iter().any(|only| only.texts.is_empty()) || (fold.is_none() && !only.is_empty()) {
            let message = "« only » donne au moins un texte, et va avec « fold ».".to_owned();
            return Err(refuse(PackCause::Inconsistent, message));
        }
        columns.push(LayoutColumn {
            name,
            optional: column.optional,
            period: group.period.clone(),
            geography: group.geography.clone(),
            fold,
            only,
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
                sheet,
            },
        });
    }
    Ok(columns)
}

/// Every vintage names every year that a column uses, and no indicator is there twice for one year and geography.
pub(super) fn prove_columns(
    file: &str,
    columns: &[LayoutColumn],
    vintages: &[Vintage],
    shape: &Shape,
) -> Result<(), PackError> {
    if columns.is_empty() || columns.iter().all(|column| column.optional) {
        let message = "Il faut au moins une colonne obligatoire : elle sert à reconnaître le fichier.".to_owned();
        return Err(PackError::new(file, "group", PackCause::Malformed, message));
    }
    prove_rows(file, columns, shape)?;
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
            let year = |name: &String| match name.as_str() {
                Shape::ROW => Ok(None),
                _ => vintage.years.get(name).copied().map(Some).ok_or_else(|| unknown(name)),
            };
            let dated = (year(&column.period)?, year(&column.geography)?);
            if [dated.0, dated.1].iter().flatten().any(|year| !(1900..=2200).contains(year)) {
                return Err(refuse(PackCause::Malformed, "Une année s’écrit en quatre chiffres.".to_owned()));
            }
            let name = expand(&column.name, &vintage.years).ok_or_else(|| unknown(&column.name))?;
            if shape.header.as_ref().is_some_and(|header| !header.contains(&name)) {
                return Err(refuse(PackCause::Unknown, "« file.header » ne nomme pas cette colonne.".to_owned()));
            }
            let place = (name, column.fold.is_some().then_some(&column.indicator.code));
            if !names.insert(place) {
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

/// Either every column folds rows, or none does; rows have a year if a column, or several rows of a territory, need it.
fn prove_rows(file: &str, columns: &[LayoutColumn], shape: &Shape) -> Result<(), PackError> {
    let refuse = |message: &str| Err(PackError::new(file, "rows", PackCause::Inconsistent, message));
    let folded = columns.iter().filter(|column| column.fold.is_some()).count();
    if folded != 0 && folded != columns.len() {
        return refuse("Si une colonne réunit plusieurs lignes (« fold »), toutes disent comment.");
    }
    let of_row = |column: &LayoutColumn| column.period == Shape::ROW;
    let dated = columns.iter().filter(|column| of_row(column)).count();
    if shape.year.is_some() && dated != columns.len() {
        return refuse("Si « rows.year » donne l’année de chaque ligne, la période de chaque groupe est « row ».");
    }
    if shape.year.is_none() && columns.iter().any(|column| of_row(column) || column.geography == Shape::ROW) {
        return refuse("« row » demande « rows.year » : la colonne qui donne l’année de chaque ligne.");
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

/// A ratio of two additive columns.
pub(super) fn ratio(
    file: &str,
    text: RatioText,
    columns: &[LayoutColumn],
    sheets: &Sheets,
) -> Result<PublicRatio, PackError> {
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
    let sheet = sheets
        .of(text.sheet.as_ref(), text.how_to_read.as_ref(), text.how_not_to_read.as_ref())
        .map_err(|message| refuse(PackCause::Sheet, message))?;
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
            sheet,
        },
    })
}
