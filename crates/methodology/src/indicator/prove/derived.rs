//! Indicators made of others: ratios, medians, measures beside a public figure.

use std::collections::{BTreeMap, BTreeSet};

use disclosure::Quantity;
use model::{Decimals, IndicatorCode};

use super::At;
use crate::error::{PackCause, PackError};
use crate::indicator::parse::{MedianText, RatioText, ReferenceText};
use crate::indicator::{Class, Measure, Median, Ratio, RatioKind, Reference, within};
use crate::table::Dimension;

impl At<'_> {
    /// The public figure that a measure is put beside.
    pub(super) fn reference(&self, text: &ReferenceText) -> Result<Reference, PackError> {
        let named = text.denominator.strip_prefix("public:").and_then(|name| name.split_once('/'));
        let codes = named.and_then(|(source, indicator)| Some((source.parse().ok()?, indicator.parse().ok()?)));
        let decimals = Decimals::new(text.decimals).filter(|decimals| decimals.places() <= 4);
        match (codes, text.per, decimals) {
            (Some((source, indicator)), 1 | 100 | 1_000 | 10_000 | 100_000, Some(decimals)) => {
                Ok(Reference { source, indicator, per: text.per, decimals })
            }
            (None, ..) => Err(self.error(
                PackCause::Malformed,
                "Un dénominateur de référence s'écrit « public:source/indicateur », par exemple \
                 « public:insee-comparateur/pop ».",
            )),
            _ => Err(self
                .error(PackCause::Malformed, "« per » vaut 1, 100, 1000, 10000 ou 100000 ; « decimals » va de 0 à 4.")),
        }
    }

    pub(super) fn ratio(
        &self,
        text: &RatioText,
        measures: &BTreeMap<IndicatorCode, Measure>,
    ) -> Result<Ratio, PackError> {
        let term = |name: &str| {
            measures.iter().find(|(code, _)| code.as_str() == name).ok_or_else(|| {
                self.error(
                    PackCause::Unknown,
                    format!(
                        "« {name} » n'est pas une mesure de cette table : un ratio rapporte deux mesures de sa table."
                    ),
                )
            })
        };
        let (numerator, above) = term(&text.numerator)?;
        let (denominator, below) = term(&text.denominator)?;
        if numerator == denominator {
            return Err(
                self.error(PackCause::Inconsistent, "Le numérateur et le dénominateur sont le même indicateur.")
            );
        }
        let share = above.quantity == below.quantity && within(&above.restriction, &below.restriction);
        if text.per == 100 && !share {
            return Err(self.error(
                PackCause::Inconsistent,
                "Une part en % demande que le numérateur compte la même chose que le dénominateur, sur une partie de ses \
                 lignes. Pour un autre rapport, écrivez per = 1.",
            ));
        }
        let decimals = Decimals::new(text.decimals).filter(|d| d.places() <= 4);
        match (text.per, decimals) {
            (1 | 100 | 1_000 | 10_000 | 100_000, Some(decimals)) => Ok(Ratio {
                numerator: numerator.clone(),
                denominator: denominator.clone(),
                per: text.per,
                kind: if share { RatioKind::Share } else { RatioKind::Plain },
                breakdowns: above.breakdowns.intersection(&below.breakdowns).cloned().collect(),
                decimals,
            }),
            _ => Err(self
                .error(PackCause::Malformed, "« per » vaut 1, 100, 1000, 10000 ou 100000 ; « decimals » va de 0 à 4.")),
        }
    }

    pub(super) fn median(
        &self,
        text: &MedianText,
        measures: &BTreeMap<IndicatorCode, Measure>,
    ) -> Result<Median, PackError> {
        let unknown = |message: String| Err(self.error(PackCause::Unknown, message));
        let Some((of, measure)) = measures.iter().find(|(code, _)| code.as_str() == text.of) else {
            return unknown(format!(
                "« {} » n'est pas une mesure de cette table : une médiane se lit dans ses effectifs.",
                text.of
            ));
        };
        if matches!(measure.quantity, Quantity::Sum { .. }) {
            return Err(self.error(
                PackCause::Inconsistent,
                format!("« {} » additionne des montants : une médiane se lit dans des effectifs.", text.of),
            ));
        }
        let Some(dimension) = self.proof.dimension(&text.along) else {
            return unknown(format!("Le critère « {} » n'existe pas dans la table.", text.along));
        };
        let breakdowns: BTreeSet<_> =
            measure.breakdowns.iter().filter(|by| by.contains(&dimension.code)).cloned().collect();
        if breakdowns.is_empty() {
            return Err(self.error(
                PackCause::Inconsistent,
                format!("« {of} » n'est pas ventilé par « {} » : ajoutez-le à « by ».", dimension.code),
            ));
        }
        let without = breakdowns.into_iter().map(|mut by| {
            by.remove(&dimension.code);
            by
        });
        let (classes, limits) = self.classes(dimension)?;
        let Some(decimals) = Decimals::new(text.decimals).filter(|decimals| decimals.places() <= 4) else {
            return Err(self.error(PackCause::Malformed, "« decimals » va de 0 à 4."));
        };
        Ok(Median {
            of: of.clone(),
            along: dimension.code.clone(),
            classes,
            limits,
            breakdowns: without.collect(),
            decimals,
        })
    }

    /// The bands of a dimension as classes that follow one another: "60 to 74, 75 and more" is from 60 up to 75, and from 75.
    fn classes(&self, dimension: &Dimension) -> Result<(Vec<Class>, Decimals), PackError> {
        let field = self.proof.schema.field(&dimension.field);
        let limits = field.map_or(Decimals::NONE, |field| field.kind.decimals());
        let blank = |code: &model::Code| dimension.blank.as_ref() == Some(code);
        let mut classes: Vec<Class> = dimension
            .items
            .iter()
            .filter_map(|item| item.band.map(|band| (item, band)))
            .map(|(item, band)| Class {
                code: item.code.clone(),
                from: band.from.or(field.and_then(|field| field.minimum)),
                to: band.to.map(|to| to.saturating_add(1)),
            })
            .collect();
        classes.sort_by_key(|class| class.from.unwrap_or(i64::MIN));
        let bands_only = dimension.items.iter().all(|item| item.band.is_some() || blank(&item.code));
        let follow = classes.windows(2).all(|pair| pair[0].to.is_some() && pair[0].to == pair[1].from);
        if classes.len() < 2 || !bands_only || !follow {
            return Err(self.error(
                PackCause::Inconsistent,
                format!(
                    "Le critère « {} » n'est pas fait de tranches de nombres qui se suivent sans trou : une médiane ne peut \
                     pas s'y lire.",
                    dimension.code
                ),
            ));
        }
        Ok((classes, limits))
    }
}
