//! The communes together, where they may be put together.

use methodology::{Aggregation, Indicator};
use statistics::{Amount, Interval, Reading, Silence, group_ratio};

use super::commune::{Row, Term, Terms, ratio_of};
use super::question::Asked;
use super::{Group, Shown};

/// Sums, or says why not.
pub(super) fn together(asked: &Asked<'_>, rows: &[&Row]) -> Group {
    let indicator = asked.indicator;
    let terms: Vec<&Terms> = rows.iter().filter_map(|row| row.terms.as_ref()).collect();
    let communes = u32::try_from(terms.len()).unwrap_or(u32::MAX);
    let name = name(communes);
    if let Some(reason) = refusal(asked) {
        let value = Shown::silent(Silence::NotAdditive, indicator.shown());
        return Group { name, communes, value, numerator: None, denominator: None, rate: None, reason: Some(reason) };
    }
    if terms.is_empty() {
        let value = Shown::silent(Silence::NotReceived, indicator.shown());
        let reason = "Aucune commune n’a de chiffre pour cette période.".to_owned();
        return Group { name, communes, value, numerator: None, denominator: None, rate: None, reason: Some(reason) };
    }
    if let Some(median) = indicator.median() {
        let counts: Vec<&Vec<Term>> = terms.iter().filter_map(|terms| many(terms)).collect();
        let sums: Vec<Interval> = (0..median.classes.len())
            .map(|class| counts.iter().filter_map(|own| own.get(class)).map(|term| term.amount.interval).sum())
            .collect();
        let value = Shown {
            reading: tabular::median(median, &sums),
            suppressed: counts.iter().copied().flatten().any(|term| term.suppressed),
            decimals: median.decimals,
        };
        return Group { name, communes, value, numerator: None, denominator: None, rate: None, reason: None };
    }
    let ones: Vec<Term> = terms.iter().filter_map(|terms| one(terms)).collect();
    let twos: Vec<(Term, Term)> = terms.iter().filter_map(|terms| two(terms)).collect();
    match indicator.ratio() {
        None => Group {
            name,
            communes,
            value: Shown { decimals: indicator.shown(), ..sum(&ones) },
            numerator: None,
            denominator: None,
            rate: None,
            reason: None,
        },
        Some(ratio) => {
            let (numerators, denominators): (Vec<Term>, Vec<Term>) = twos.iter().copied().unzip();
            let pairs: Vec<(Amount, Amount)> = twos.iter().map(|(n, d)| (n.amount, d.amount)).collect();
            let places = |code| asked.table.indicator(code).map_or(model::Decimals::NONE, Indicator::shown);
            let numerator = Shown { decimals: places(&ratio.numerator), ..sum(&numerators) };
            let denominator = Shown { decimals: places(&ratio.denominator), ..sum(&denominators) };
            let value = Shown {
                reading: group_ratio(ratio_of(ratio), &pairs),
                suppressed: numerator.suppressed || denominator.suppressed,
                decimals: ratio.decimals,
            };
            let (numerator, denominator) = (Some(numerator), Some(denominator));
            Group { name, communes, value, numerator, denominator, rate: None, reason: None }
        }
    }
}

impl Group {
    /// Nothing is said of these communes together, and why.
    pub(super) fn refuse(&mut self, reason: String) {
        self.value = Shown::silent(Silence::NotShown, self.value.decimals);
        (self.numerator, self.denominator, self.rate) = (None, None, None);
        "groupe".clone_into(&mut self.name);
        self.reason = Some(reason);
    }
}

fn one(terms: &Terms) -> Option<Term> {
    match terms {
        Terms::One(term) => Some(*term),
        Terms::Two(..) | Terms::Many(_) => None,
    }
}

fn many(terms: &Terms) -> Option<&Vec<Term>> {
    match terms {
        Terms::Many(counts) => Some(counts),
        Terms::One(_) | Terms::Two(..) => None,
    }
}

fn two(terms: &Terms) -> Option<(Term, Term)> {
    match terms {
        Terms::One(_) | Terms::Many(_) => None,
        Terms::Two(n, d) => Some((*n, *d)),
    }
}

/// All terms are of one indicator, hence of the same decimals: definitions were compared when they were read.
fn sum(terms: &[Term]) -> Shown {
    let decimals = terms.first().map_or(model::Decimals::NONE, |term| term.amount.decimals);
    let interval = terms.iter().map(|term| term.amount.interval).sum();
    let reading: Reading = Amount { interval, decimals }.reading();
    Shown { reading, suppressed: terms.iter().any(|term| term.suppressed), decimals }
}

/// Why the figures may not be put together, in French; `None` if they may.
fn refusal(asked: &Asked<'_>) -> Option<String> {
    let indicator = asked.indicator;
    match indicator.aggregation {
        Aggregation::Additive => None,
        Aggregation::AdditiveWithinCommune => Some(format!(
            "« {} » ne s’additionne pas entre communes : une même personne ou un même ménage peut être compté par plusieurs d’entre elles.",
            indicator.title
        )),
        Aggregation::Distribution => {
            let of = indicator.median().and_then(|median| asked.table.indicator(&median.of))?;
            (of.aggregation != Aggregation::Additive).then(|| {
                format!(
                    "Cette médiane ne se lit pas pour plusieurs communes ensemble : « {} » ne s’additionne pas entre communes.",
                    of.title
                )
            })
        }
        Aggregation::NonAdditive => Some(format!(
            "« {} » ne s’additionne pas et ne se moyenne pas : seul son producteur peut en donner la valeur pour plusieurs communes.",
            indicator.title
        )),
        Aggregation::Ratio => {
            let (numerator, denominator) = indicator.ratio().and_then(|ratio| asked.terms(ratio))?;
            let stuck: Vec<&Indicator> =
                [numerator, denominator].into_iter().filter(|term| term.aggregation != Aggregation::Additive).collect();
            let first = stuck.first()?;
            Some(format!(
                "Ce rapport ne se calcule pas pour plusieurs communes ensemble : « {} » ne s’additionne pas entre communes.",
                first.title
            ))
        }
    }
}

/// Never the name of a département: it is the sum of who sent, not of who lives there.
fn name(communes: u32) -> String {
    match communes {
        0 => "aucune commune".to_owned(),
        1 => "groupe d’une commune".to_owned(),
        n => format!("groupe des {n} communes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_named_after_its_communes() {
        assert_eq!(name(14), "groupe des 14 communes");
        assert_eq!(name(1), "groupe d’une commune");
        assert_eq!(name(0), "aucune commune");
    }
}
