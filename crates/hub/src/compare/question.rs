//! What a question asks for, found in the packs.

use std::collections::BTreeSet;

use methodology::{Indicator, Ratio, Table};
use model::{DimensionCode, Failure, FailureKind};

use super::Question;
use crate::packs::{Packs, Published};

/// The indicator that a question names.
pub(super) struct Asked<'a> {
    pub(super) packs: &'a Packs,
    pub(super) published: &'a Published,
    pub(super) table: &'a Table,
    pub(super) indicator: &'a Indicator,
}

impl<'a> Asked<'a> {
    /// The two terms of a ratio: additive indicators of the same table.
    pub(super) fn terms(&self, ratio: &Ratio) -> Option<(&'a Indicator, &'a Indicator)> {
        Some((self.table.indicator(&ratio.numerator)?, self.table.indicator(&ratio.denominator)?))
    }
}

/// Finds the indicator, and checks that it is broken down the way it is asked for.
pub(super) fn find<'a>(question: &'a Question, packs: &'a Packs) -> Result<Asked<'a>, Failure> {
    let wanted = |published: &Published| question.pack.as_ref().is_none_or(|pack| published.pack.code() == pack);
    let mut found = packs.having(&question.indicator).filter(|(published, ..)| wanted(published));
    let Some((published, table, indicator)) = found.next() else {
        return Err(unknown(question, packs));
    };
    if let Some((other, ..)) = found.next() {
        return Err(Failure::new(
            FailureKind::Invalid,
            "INDICATOR_AMBIGUOUS",
            "several packs have this indicator",
            format!(
                "Plusieurs référentiels ont un indicateur « {} » : précisez lequel ({}, {}…).",
                question.indicator,
                published.pack.code(),
                other.pack.code()
            ),
        ));
    }
    breakdown(question, table, indicator)?;
    Ok(Asked { packs, published, table, indicator })
}

fn unknown(question: &Question, packs: &Packs) -> Failure {
    let known: Vec<&str> = packs
        .all()
        .filter(|published| question.pack.as_ref().is_none_or(|pack| published.pack.code() == pack))
        .flat_map(|published| published.pack.tables())
        .flat_map(Table::indicators)
        .map(|indicator| indicator.code.as_str())
        .collect();
    let list = if known.is_empty() {
        "Le centre n’a aucun indicateur dans ce référentiel.".to_owned()
    } else {
        format!("Indicateurs connus : {}.", known.join(", "))
    };
    Failure::new(
        FailureKind::NotFound,
        "INDICATOR_UNKNOWN",
        format!("no indicator {}", question.indicator),
        format!("Le centre ne connaît pas d’indicateur « {} ». {list}", question.indicator),
    )
}

fn breakdown(question: &Question, table: &Table, indicator: &Indicator) -> Result<(), Failure> {
    let asked: BTreeSet<DimensionCode> = question.key.iter().map(|(dimension, _)| dimension.clone()).collect();
    if !indicator.breakdowns().contains(&asked) {
        let known: Vec<String> = indicator
            .breakdowns()
            .iter()
            .filter(|breakdown| !breakdown.is_empty())
            .map(|breakdown| breakdown.iter().map(ToString::to_string).collect::<Vec<_>>().join(" × "))
            .collect();
        let list = if known.is_empty() {
            "il n’a que son total".to_owned()
        } else {
            format!("il l’est par {}", known.join(", par "))
        };
        return Err(Failure::new(
            FailureKind::Invalid,
            "BREAKDOWN_UNKNOWN",
            "the indicator is not broken down this way",
            format!("L’indicateur « {} » n’est pas ventilé ainsi : {list}.", indicator.title),
        ));
    }
    for (dimension, code) in question.key.iter() {
        let known = table.dimension(dimension).map(methodology::Dimension::codes).unwrap_or_default();
        if !known.contains(code) {
            let list: Vec<&str> = known.iter().map(model::Code::as_str).collect();
            return Err(Failure::new(
                FailureKind::Invalid,
                "CODE_UNKNOWN",
                format!("dimension {dimension} has no code {code}"),
                format!("Le critère « {dimension} » n’a pas de modalité « {code} ». Modalités : {}.", list.join(", ")),
            ));
        }
    }
    Ok(())
}
