//! Where a commune stands among the others: a band of places, never a rank; the lowest and the highest value, never the
//! best and the worst, and never whose they are.

use std::num::NonZeroUsize;

use methodology::{Definition, Indicator};
use statistics::{Bands, QUINTILES, Reading, bands};

use super::Shown;

/// Fewer communes make thirds, fewer still no bands at all: each would be the name of somebody.
const FOR_FIFTHS: usize = 10;
const FOR_THIRDS: usize = 6;
const THIRDS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);

/// Where the communes' values lie.
#[derive(Clone, Debug, PartialEq)]
pub struct Spread {
    /// Of how many bands: 5 or 3.
    pub bands: u32,
    /// How many communes have a value.
    pub communes: u32,
    /// Values at the ends, at the quarters and in the middle; none where other communes' values are not shown.
    pub quartiles: Option<Quartiles>,
}

/// Values at the ends, at the quarters and in the middle, as far as they may be known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quartiles {
    /// The lowest value.
    pub minimum: Shown,
    /// A quarter of the communes lie below.
    pub lower: Shown,
    /// Half of them lie below: the middle commune, not the middle person.
    pub median: Shown,
    /// Three quarters of them lie below.
    pub upper: Shown,
    /// The highest value.
    pub maximum: Shown,
}

/// Whether values of large and small communes may stand side by side: a number of people may not.
pub(super) fn compares(indicator: &Indicator) -> bool {
    match indicator.definition {
        Definition::Ratio(_) | Definition::Median(_) => true,
        Definition::Measure(_) => false,
    }
}

/// The spread of these values, and the band of each; `None` where there are too few.
pub(super) fn spread(values: &[Shown]) -> Option<(Spread, Vec<Option<Bands>>)> {
    let readings: Vec<Reading> = values.iter().map(|shown| shown.reading).collect();
    let known: Vec<(f64, Option<f64>)> = readings.iter().filter_map(|reading| reading.bounds()).collect();
    let number = match known.len() {
        FOR_FIFTHS.. => QUINTILES,
        FOR_THIRDS.. => THIRDS,
        _ => return None,
    };
    let each = bands(&readings, number).ok()?;
    let spine = statistics::spine(&readings).ok()?;
    let decimals = values.first()?.decimals;
    let shown = |reading| Shown { reading, suppressed: false, decimals };
    let spread = Spread {
        bands: u32::try_from(number.get()).ok()?,
        communes: u32::try_from(known.len()).ok()?,
        quartiles: Some(Quartiles {
            minimum: shown(spine.minimum),
            lower: shown(spine.lower_quartile),
            median: shown(spine.median),
            upper: shown(spine.upper_quartile),
            maximum: shown(spine.maximum),
        }),
    };
    Some((spread, each))
}

impl Spread {
    /// `2e cinquième`, `1er ou 2e cinquième`, `du 2e au 4e cinquième`.
    pub fn words(&self, bands: Bands) -> String {
        let word = if self.bands == 3 { "tiers" } else { "cinquième" };
        let ordinal = |band: usize| if band == 1 { "1er".to_owned() } else { format!("{band}e") };
        let (low, high) = (ordinal(bands.lowest), ordinal(bands.highest));
        if bands.lowest == 1 && u32::try_from(bands.highest) == Ok(self.bands) {
            return "indéterminé".to_owned();
        }
        match bands.highest - bands.lowest {
            0 => format!("{low} {word}"),
            1 => format!("{low} ou {high} {word}"),
            _ => format!("du {low} au {high} {word}"),
        }
    }

    /// What the column is, and where values begin and end, in French.
    pub fn sentence(&self) -> String {
        let (one, several) = if self.bands == 3 { ("tiers", "tiers") } else { ("cinquième", "cinquièmes") };
        let value = |shown: Shown| render::reading::reading(shown.reading, shown.decimals, false);
        let ends = self.quartiles.map_or_else(String::new, |at| {
            format!(
                " Minimum : {} ; commune médiane : {} ; maximum : {}.",
                value(at.minimum),
                value(at.median),
                value(at.maximum)
            )
        });
        render::typography::french(&format!(
            "Position parmi {} communes : le 1er {one} a les valeurs les plus basses, le {}e les plus hautes ; plusieurs \
             {several} quand le secret ne permet pas d’en dire plus.{ends} Ni classement, ni jugement.",
            self.communes, self.bands,
        ))
    }
}

#[cfg(test)]
mod tests {
    use model::Decimals;

    use super::*;

    fn shown(reading: Reading) -> Shown {
        Shown { reading, suppressed: false, decimals: Decimals::NONE }
    }

    fn values(list: &[f64]) -> Vec<Shown> {
        list.iter().map(|value| shown(Reading::Value(*value))).collect()
    }

    #[test]
    fn few_communes_have_no_bands_and_more_have_finer_ones() {
        assert_eq!(spread(&values(&[1.0, 2.0, 3.0, 4.0, 5.0])), None);
        let (thirds, each) = spread(&values(&[6.0, 5.0, 4.0, 3.0, 2.0, 1.0])).expect("six");
        assert_eq!((thirds.bands, thirds.communes), (3, 6));
        let words: Vec<String> = each.into_iter().flatten().map(|bands| thirds.words(bands)).collect();
        assert_eq!(words, ["3e tiers", "3e tiers", "2e tiers", "2e tiers", "1er tiers", "1er tiers"]);
        assert!(thirds.sentence().contains("plusieurs tiers "), "{}", thirds.sentence());
        let (fifths, _) = spread(&values(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0])).expect("ten");
        assert_eq!(
            (fifths.bands, fifths.quartiles.map(|at| (at.minimum, at.maximum))),
            (5, Some((shown(Reading::Value(1.0)), shown(Reading::Value(10.0)))))
        );
    }

    #[test]
    fn what_is_hidden_or_absent_leaves_doubt_and_no_gap() {
        let mut all = values(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]);
        all.push(shown(Reading::Interval { low: 0.0, high: Some(2.5) }));
        all.push(shown(Reading::Silence(statistics::Silence::NotReceived)));
        all.push(shown(Reading::Interval { low: 3.0, high: None }));
        let (spread, each) = spread(&all).expect("eleven");
        assert_eq!(spread.communes, 11);
        assert_eq!(each[10], None);
        // The lowest is 1 or what is hidden below it; the highest is 9 or anything above.
        let Quartiles { minimum, maximum, .. } = spread.quartiles.expect("all");
        assert_eq!(minimum.reading, Reading::Interval { low: 0.0, high: Some(1.0) });
        assert_eq!(maximum.reading, Reading::Interval { low: 9.0, high: None });
        let hidden = each[9].expect("it has a number");
        assert_eq!((hidden.lowest, hidden.highest), (1, 2));
        assert_eq!(spread.words(hidden), "1er ou 2e cinquième");
        assert_eq!(spread.words(Bands { lowest: 1, highest: 5 }), "indéterminé");
        assert_eq!(spread.words(Bands { lowest: 2, highest: 4 }), "du 2e au 4e cinquième");
    }
}
