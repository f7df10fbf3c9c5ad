//! A number as far as it may be known, in words.

use model::Decimals;
use statistics::{Reading, Silence};

use crate::number::approximate;

/// Weights carry six places so that sums are exact; nobody reads beyond three.
const MOST_PLACES: u8 = 3;

/// `1 204`, `entre 43 et 51`, `au moins 10`, or why there is no number. `signed` writes a plus before what is positive.
pub fn reading(reading: Reading, decimals: Decimals, signed: bool) -> String {
    let places = decimals.min(Decimals::new(MOST_PLACES).unwrap_or(Decimals::NONE));
    let number = |value: f64| {
        let figure = approximate(value, places).unwrap_or_else(|| "–".to_owned());
        if signed && value > 0.0 { format!("+{figure}") } else { figure }
    };
    match reading {
        Reading::Value(value) => number(value),
        Reading::Interval { low, high: Some(high) } => format!("entre {} et {}", number(low), number(high)),
        Reading::Interval { low, high: None } if low <= 0.0 => "inconnu (caché)".to_owned(),
        Reading::Interval { low, high: None } => format!("au moins {}", number(low)),
        Reading::Silence(why) => silence(why).to_owned(),
    }
}

/// Why there is no number.
pub fn silence(silence: Silence) -> &'static str {
    match silence {
        Silence::NotReceived => "pas reçu",
        Silence::NotCollected => "non collecté",
        Silence::NotYetAvailable => "pas encore disponible",
        Silence::NotApplicable => "sans objet",
        Silence::ZeroDenominator => "sans objet (dénominateur nul)",
        Silence::NotAdditive => "ne s’additionne pas",
        Silence::Withdrawn => "retiré",
        Silence::NotShared => "non partagé",
        Silence::NotShown => "non montré",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_hidden_and_silent_never_read_alike() {
        let places = Decimals::new(1).expect("one place");
        let said = |one| reading(one, places, false);
        assert_eq!(said(Reading::Value(0.0)), "0,0");
        assert_eq!(said(Reading::Interval { low: 0.0, high: None }), "inconnu (caché)");
        assert_eq!(said(Reading::Interval { low: 10.0, high: None }), "au moins 10,0");
        assert_eq!(said(Reading::Interval { low: 1.0, high: Some(9.0) }), "entre 1,0 et 9,0");
        assert_eq!(said(Reading::Silence(Silence::NotReceived)), "pas reçu");
        assert_eq!(reading(Reading::Value(2.5), places, true), "+2,5");
    }
}
