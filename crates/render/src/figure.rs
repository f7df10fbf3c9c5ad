//! What stands in a cell, a value or a kind of silence, each with its own word.

use model::{Decimals, Figure, Flag, Flags, MissingReason, Units};

use crate::number::{Exact, number};

/// The cell's text: a number, or why there is none. Zero, missing, hidden and impossible never look alike.
pub fn figure(figure: Figure, decimals: Decimals, shown: Decimals) -> String {
    match figure {
        Figure::Observed(units) => number(Exact { units, decimals }, shown),
        Figure::Suppressed => "secret".to_owned(),
        Figure::Missing(MissingReason::NotCollected) => "non collecté".to_owned(),
        Figure::Missing(MissingReason::NotYetAvailable) => "pas encore disponible".to_owned(),
        Figure::NotApplicable => "sans objet".to_owned(),
    }
}

/// What a reader can say of a sum in which something is hidden: `entre 43 et 51`, or the number when both
/// bounds are shown alike.
pub fn interval(low: Units, high: Units, decimals: Decimals, shown: Decimals) -> String {
    let (low, high) = (number(Exact { units: low, decimals }, shown), number(Exact { units: high, decimals }, shown));
    if low == high { low } else { format!("entre {low} et {high}") }
}

/// The remarks in words: `provisoire, rupture de série`; empty without remark.
pub fn remarks(flags: Flags) -> String {
    let words =
        [(Flag::Provisional, "provisoire"), (Flag::Estimated, "estimé"), (Flag::BreakInSeries, "rupture de série")];
    let present: Vec<&str> = words.into_iter().filter(|(flag, _)| flags.has(*flag)).map(|(_, word)| word).collect();
    present.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_states_read_alike() {
        let states = [
            Figure::Observed(0),
            Figure::Suppressed,
            Figure::Missing(MissingReason::NotCollected),
            Figure::Missing(MissingReason::NotYetAvailable),
            Figure::NotApplicable,
        ];
        let texts: std::collections::BTreeSet<String> =
            states.into_iter().map(|state| figure(state, Decimals::NONE, Decimals::NONE)).collect();
        assert_eq!(texts.len(), states.len());
        assert!(texts.contains("0"));
    }

    #[test]
    fn an_interval_names_both_bounds_or_one_number() {
        assert_eq!(interval(43, 51, Decimals::NONE, Decimals::NONE), "entre 43 et 51");
        assert_eq!(interval(1_204, 1_204, Decimals::NONE, Decimals::NONE), "1\u{202f}204");
    }

    #[test]
    fn remarks_are_listed() {
        assert_eq!(remarks(Flags::default()), "");
        assert_eq!(
            remarks(Flags::default().with(Flag::Provisional).with(Flag::BreakInSeries)),
            "provisoire, rupture de série"
        );
    }
}
