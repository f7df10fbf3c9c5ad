//! One commune's figure, as far as it may be known.

use disclosure::Received;
use methodology::{Indicator, Median, RatioKind, Table};
use model::{CommuneCode, Decimals, Figure, Key, MissingReason, Slice, SubmissionId, Units};
use statistics::{Amount, Interval, Ratio, Reading, Silence};

use super::Shown;
use super::question::Asked;
use crate::archive::Content;
use crate::bounds::Solved;

/// A commune that sent the table, or was expected to.
pub(super) struct Commune {
    pub(super) slice: Slice,
    /// `None` where it does not share it with who asks: what may not be seen is not here.
    pub(super) content: Option<Content>,
}

/// Its figures, with what the group needs of them.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) territory: CommuneCode,
    pub(super) value: Shown,
    pub(super) numerator: Option<Shown>,
    pub(super) denominator: Option<Shown>,
    /// The additive figure, or the two terms; `None` where there is no number.
    pub(super) terms: Option<Terms>,
}

/// What adds up.
#[derive(Clone)]
pub(super) enum Terms {
    One(Term),
    Two(Term, Term),
    /// Class by class.
    Many(Vec<Term>),
}

impl Terms {
    /// What the communes share out between them: the figure, or numerator (0) and denominator (1), or all classes.
    pub(super) fn part(&self, part: usize) -> Option<Amount> {
        match (self, part) {
            (Self::One(term) | Self::Two(term, _), 0) | (Self::Two(_, term), 1) => Some(term.amount),
            (Self::Many(classes), 0) => {
                let decimals = classes.first()?.amount.decimals;
                Some(Amount { interval: classes.iter().map(|term| term.amount.interval).sum(), decimals })
            }
            _ => None,
        }
    }
}

/// An additive figure.
#[derive(Clone, Copy)]
pub(super) struct Term {
    pub(super) amount: Amount,
    pub(super) suppressed: bool,
}

/// How numerator and denominator make the value.
pub(super) fn ratio_of(ratio: &methodology::Ratio) -> Ratio {
    Ratio { per: Units::from(ratio.per), share: ratio.kind == RatioKind::Share }
}

impl Commune {
    pub(super) fn read(&self, asked: &Asked<'_>, key: &Key, solved: &Solved) -> Row {
        if let Some(median) = asked.indicator.median() {
            return self.read_median(asked, median, key, solved);
        }
        let Some(ratio) = asked.indicator.ratio() else {
            let term = self.term(asked, asked.indicator, key, solved);
            return Row {
                territory: self.slice.territory,
                value: shown(term, asked.indicator.shown()),
                numerator: None,
                denominator: None,
                terms: term.ok().map(Terms::One),
            };
        };
        let term = |indicator| match indicator {
            Some(indicator) => (self.term(asked, indicator, key, solved), indicator.shown()),
            None => (Err(Silence::NotApplicable), Decimals::NONE),
        };
        let (numerator, numerator_decimals) = term(asked.table.indicator(&ratio.numerator));
        let (denominator, denominator_decimals) = term(asked.table.indicator(&ratio.denominator));
        let value = match (numerator, denominator) {
            (Ok(n), Ok(d)) => Shown {
                reading: ratio_of(ratio).of(n.amount, d.amount),
                suppressed: n.suppressed || d.suppressed,
                decimals: ratio.decimals,
            },
            (Err(silence), _) | (Ok(_), Err(silence)) => Shown::silent(silence, ratio.decimals),
        };
        Row {
            territory: self.slice.territory,
            value,
            numerator: Some(shown(numerator, numerator_decimals)),
            denominator: Some(shown(denominator, denominator_decimals)),
            terms: numerator.ok().zip(denominator.ok()).map(|(n, d)| Terms::Two(n, d)),
        }
    }

    fn read_median(&self, asked: &Asked<'_>, median: &Median, key: &Key, solved: &Solved) -> Row {
        let of = asked.table.indicator(&median.of);
        let counts: Result<Vec<Term>, Silence> = (median.classes.iter())
            .map(|class| {
                let place = key.clone().with(median.along.clone(), class.code.clone());
                self.term(asked, of.ok_or(Silence::NotApplicable)?, &place, solved)
            })
            .collect();
        let value = match &counts {
            Ok(counts) => Shown {
                reading: tabular::median(median, &counts.iter().map(|term| term.amount.interval).collect::<Vec<_>>()),
                suppressed: counts.iter().any(|term| term.suppressed),
                decimals: median.decimals,
            },
            Err(silence) => Shown::silent(*silence, median.decimals),
        };
        let territory = self.slice.territory;
        Row { territory, value, numerator: None, denominator: None, terms: counts.ok().map(Terms::Many) }
    }

    fn term<'a>(
        &self,
        asked: &Asked<'a>,
        indicator: &'a Indicator,
        key: &Key,
        solved: &Solved,
    ) -> Result<Term, Silence> {
        match self.content.as_ref().ok_or(Silence::NotShared)? {
            Content::Absent => Err(Silence::NotReceived),
            Content::Withdrawn => Err(Silence::Withdrawn),
            content @ Content::Present(submission, _) => {
                let received = content.figures(&self.slice).ok_or(Silence::NotReceived)?;
                // Same code, another meaning: sent under a version of the pack that asked for something else.
                let meant = meant(received, asked, indicator, key).ok_or(Silence::NotAdditive)?;
                figure(*submission, received, meant, key, solved)
            }
        }
    }
}

/// The indicator as the version that `received` was sent under defines it, if that is what is asked for.
fn meant<'a>(
    received: &Received,
    asked: &Asked<'a>,
    indicator: &'a Indicator,
    key: &Key,
) -> Option<(&'a Table, &'a Indicator)> {
    let attributes = &received.attributes;
    if attributes.definition == asked.table.definition_hash() {
        return Some((asked.table, indicator));
    }
    let table = asked.packs.version(&received.slice.pack, &attributes.pack_version)?.table(&received.slice.table)?;
    let before = table.indicator(&indicator.code)?;
    let axes = key.iter().map(|(dimension, _)| dimension.clone()).collect();
    let same = table.definition_hash() == attributes.definition
        && methodology::same_figures((table, before), (asked.table, indicator), &axes);
    same.then_some((table, before))
}

fn figure(
    submission: SubmissionId,
    received: &Received,
    (table, indicator): (&Table, &Indicator),
    key: &Key,
    solved: &Solved,
) -> Result<Term, Silence> {
    let cell = (indicator.code.clone(), key.clone());
    let published = received.cells.get(&cell).ok_or(Silence::NotReceived)?;
    let (interval, suppressed) = match published.figure {
        Figure::Observed(units) => (Interval::known(units), false),
        Figure::Suppressed => (solved.interval(submission, received, table, (&cell.0, &cell.1)), true),
        Figure::Missing(MissingReason::NotCollected) => return Err(Silence::NotCollected),
        Figure::Missing(MissingReason::NotYetAvailable) => return Err(Silence::NotYetAvailable),
        Figure::NotApplicable => return Err(Silence::NotApplicable),
    };
    Ok(Term { amount: Amount { interval, decimals: indicator.decimals() }, suppressed })
}

fn shown(term: Result<Term, Silence>, decimals: Decimals) -> Shown {
    match term {
        Ok(term) => Shown { reading: reading(term), suppressed: term.suppressed, decimals },
        Err(silence) => Shown::silent(silence, decimals),
    }
}

fn reading(term: Term) -> Reading {
    term.amount.reading()
}
