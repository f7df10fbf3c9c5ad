//! Layouts of public files: how INSEE, a CAF or another producer writes a table for all communes at once.
//!
//! A layout is data (TOML), so that a new vintage or a new producer is a new file in the hub's folder and never a
//! release of the program. It says who produced the file and under which licence, how to recognise it, what stands
//! for a secret, and for each column of interest which indicator it carries, for which year, in which geography.
//! Columns that it does not name are left aside. Format: `library/public/README.md` of this crate.

use std::collections::BTreeMap;

use model::{Code, CogYear, Decimals, Figure, Hash, IndicatorCode, Level, MissingReason, Period};

use crate::indicator::{Aggregation, Polarity, Sheet, Uncertainty};

mod columns;
mod library;
mod parse;
mod shape;
#[cfg(test)]
mod tests;

pub use library::public_layouts;
pub use parse::layouts;
pub use shape::{Fold, Only, Shape};

/// How one producer writes one kind of file.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Its own code.
    pub code: Code,
    /// Which source its figures belong to. Figures of two sources never replace each other.
    pub source: Code,
    /// Who publishes.
    pub producer: String,
    /// What is published, as the producer calls it.
    pub title: String,
    /// Under which licence.
    pub licence: String,
    /// Where to get it.
    pub url: String,
    /// What stands between two cells; several where copies of the file differ. ASCII.
    pub separators: Vec<char>,
    /// Characters that stand before decimals; several where the producer mixes them.
    pub decimal_marks: Vec<char>,
    /// Whether blanks group thousands.
    pub grouped: bool,
    /// How its rows stand in it.
    pub shape: Shape,
    /// Texts that are not numbers, and what they mean; compared without regard to case.
    pub markers: BTreeMap<String, Figure>,
    /// Name of the column of codes.
    pub territory: String,
    /// Other names that some files give it.
    pub also: Vec<String>,
    /// Name of the column of names, if there is one. Used to recognise, never stored.
    pub label: Option<String>,
    /// Kinds of territory that such a file may be about, one kind a file.
    pub levels: Vec<LevelHint>,
    /// The vintages it covers.
    pub vintages: Vec<Vintage>,
    /// Its columns, in the order of the layout.
    pub columns: Vec<LayoutColumn>,
    /// Ratios of two of its indicators, made when read.
    pub ratios: Vec<PublicRatio>,
    /// The whole definition as TOML: it reads back to the same layout, and is kept with the figures.
    pub text: String,
    /// SHA-256 of `text`.
    pub hash: Hash,
}

/// One kind of territory, and how to tell it from the others where files have the same columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelHint {
    /// Which.
    pub level: Level,
    /// The code that stands for the only territory of this level (`1` for the whole of France).
    pub code: Option<String>,
    /// Rows (code, name) of which one is in every such file.
    pub anchors: Vec<(String, String)>,
    /// A part of the name that the producer gives such files, where no row can tell.
    pub file: Option<String>,
}

/// One edition: the years that make the names of its columns and date its figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vintage {
    /// As people call it.
    pub name: String,
    /// Years by the name that columns and groups use.
    pub years: BTreeMap<String, u16>,
}

/// A column that carries an indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayoutColumn {
    /// Its name, with `{year}` for two digits of a year of the vintage, `{year:4}` for four.
    pub name: String,
    /// Whether some vintages lack it.
    pub optional: bool,
    /// Which year of the vintage the figures speak of; [`Shape::ROW`] where each row says it.
    pub period: String,
    /// Which year of the vintage is the geography of these figures; [`Shape::ROW`] where it is the row's year.
    pub geography: String,
    /// How the rows of one territory become one figure; `None` where a territory has one row.
    pub fold: Option<Fold>,
    /// Which rows count.
    pub only: Vec<Only>,
    /// What an empty cell means.
    pub blank: Figure,
    /// Whether values may be below zero.
    pub signed: bool,
    /// What it carries.
    pub indicator: PublicIndicator,
}

/// An indicator that its producer already published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicIndicator {
    /// Its code: the same in every source that measures the same thing.
    pub code: IndicatorCode,
    /// French title.
    pub title: String,
    /// French theme.
    pub theme: String,
    /// French unit.
    pub unit: String,
    /// Decimal places kept, and shown.
    pub decimals: Decimals,
    /// Decimal places worth showing.
    pub shown: Decimals,
    /// How territories combine.
    pub aggregation: Aggregation,
    /// Where uncertainty comes from.
    pub uncertainty: Uncertainty,
    /// Whether more is better.
    pub polarity: Polarity,
    /// How to read it. The library's indicators all have one, a hub's own may lack it.
    pub sheet: Option<Sheet>,
}

/// `per` × numerator ÷ denominator, two additive indicators of one source, year and geography.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicRatio {
    /// What it is; its aggregation is [`Aggregation::Ratio`].
    pub indicator: PublicIndicator,
    /// An additive indicator of the layout.
    pub numerator: IndicatorCode,
    /// An additive indicator of the layout.
    pub denominator: IndicatorCode,
    /// 100 for a percentage.
    pub per: u32,
    /// Whether what the numerator counts is counted in the denominator too.
    pub share: bool,
}

/// A column as one vintage names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dated {
    /// What its figures speak of.
    pub period: Period,
    /// The communes that its rows are.
    pub geography: CogYear,
}

impl Layout {
    /// The name of `column` in files of `vintage`.
    pub fn column_name(column: &LayoutColumn, vintage: &Vintage) -> String {
        columns::expand(&column.name, &vintage.years).unwrap_or_else(|| column.name.clone())
    }

    /// The part of a file's name that tells `vintage`; `None` where columns tell it.
    pub fn file_name(&self, vintage: &Vintage) -> Option<String> {
        self.shape.file_name.as_ref().and_then(|name| columns::expand(name, &vintage.years))
    }

    /// Whether several rows of a territory become one figure.
    pub fn folds(&self) -> bool {
        self.columns.iter().any(|column| column.fold.is_some())
    }

    /// Year and geography of the figures of `column` in `vintage`, in rows of the year `row`.
    ///
    /// # Panics
    /// If `vintage` or `column` is not one of this layout's own, or if the row's year is needed and not there.
    pub fn dated(column: &LayoutColumn, vintage: &Vintage, row: Option<u16>) -> Dated {
        let year = |name: &str| {
            if name == Shape::ROW {
                return row.expect("parsing proved that rows have a year where a column needs it");
            }
            *vintage.years.get(name).expect("parsing proved that every vintage has the years its columns use")
        };
        Dated { period: Period::Year(year(&column.period)), geography: CogYear(year(&column.geography)) }
    }

    /// The definition of this indicator, measured or made of two others.
    pub fn indicator(&self, code: &IndicatorCode) -> Option<&PublicIndicator> {
        let measured = self.columns.iter().map(|column| &column.indicator);
        measured.chain(self.ratios.iter().map(|ratio| &ratio.indicator)).find(|indicator| indicator.code == *code)
    }

    /// What stands for the figure where the text is not a number; `None` if the text says nothing of the kind. A letter
    /// that was lost before the file came here may have been any.
    pub fn silence(&self, text: &str) -> Option<Figure> {
        let text = text.to_lowercase();
        self.markers.get(&text).copied().or_else(|| {
            let damaged = text.contains('\u{fffd}');
            let known = self.markers.iter().find(|(marker, _)| damaged && shape::alike(marker, &text));
            known.map(|(_, figure)| *figure)
        })
    }

    /// Who to name beside every figure: producer, title, licence.
    pub fn source_line(&self) -> String {
        format!("{}, {}. {}.", self.producer, self.title, self.licence)
    }
}

/// The word of a layout for a silence.
fn silence(word: &str) -> Option<Figure> {
    Some(match word {
        "secret" => Figure::Suppressed,
        "missing" => Figure::Missing(MissingReason::NotCollected),
        "later" => Figure::Missing(MissingReason::NotYetAvailable),
        "not-applicable" => Figure::NotApplicable,
        _ => return None,
    })
}
