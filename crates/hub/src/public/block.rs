//! Figures of one series and one département as bytes.
//!
//! Form 1: `1`, decimal places, then per territory in ascending order of code: length and bytes of the code, one byte
//! for the state (0 a value, 1 secret, 2 not collected, 3 not yet available, 4 not applicable), and for a value its
//! units, zigzag, in groups of seven bits.

use std::collections::BTreeMap;

use model::{Decimals, Figure, MissingReason};

/// Figures by code of the territory, all of one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) decimals: Decimals,
    pub(crate) figures: BTreeMap<String, Figure>,
}

const FORM: u8 = 1;

impl Block {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![FORM, self.decimals.places()];
        for (code, figure) in &self.figures {
            // Codes of territories have nine characters at most.
            bytes.push(u8::try_from(code.len()).unwrap_or(u8::MAX));
            bytes.extend(code.as_bytes());
            let state = match figure {
                Figure::Observed(_) => 0,
                Figure::Suppressed => 1,
                Figure::Missing(MissingReason::NotCollected) => 2,
                Figure::Missing(MissingReason::NotYetAvailable) => 3,
                Figure::NotApplicable => 4,
            };
            bytes.push(state);
            if let Figure::Observed(units) = figure {
                write(&mut bytes, (units.wrapping_shl(1) ^ (units >> 63)).cast_unsigned());
            }
        }
        bytes
    }

    /// `None` if the bytes are not a block.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, mut rest) = bytes.split_at_checked(2)?;
        if head[0] != FORM {
            return None;
        }
        let decimals = Decimals::new(head[1])?;
        let mut figures = BTreeMap::new();
        while let Some((length, after)) = rest.split_first() {
            let (code, after) = after.split_at_checked(usize::from(*length))?;
            let (state, after) = after.split_first()?;
            rest = after;
            let figure = match state {
                0 => {
                    let zigzag = read(&mut rest)?;
                    Figure::Observed((zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed()))
                }
                1 => Figure::Suppressed,
                2 => Figure::Missing(MissingReason::NotCollected),
                3 => Figure::Missing(MissingReason::NotYetAvailable),
                4 => Figure::NotApplicable,
                _ => return None,
            };
            figures.insert(std::str::from_utf8(code).ok()?.to_owned(), figure);
        }
        Some(Self { decimals, figures })
    }

    /// The same figures with more places; `None` where a value does not fit.
    pub(crate) fn finer(self, decimals: Decimals) -> Option<Self> {
        if decimals == self.decimals {
            return Some(self);
        }
        let factor = decimals.one().checked_div(self.decimals.one()).filter(|factor| *factor > 0)?;
        let scaled = |figure: Figure| match figure {
            Figure::Observed(units) => units.checked_mul(factor).map(Figure::Observed),
            other => Some(other),
        };
        let figures =
            self.figures.into_iter().map(|(code, figure)| Some((code, scaled(figure)?))).collect::<Option<_>>()?;
        Some(Self { decimals, figures })
    }
}

fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push((number & 0x7f) as u8);
}

fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        if part.leading_zeros() < shift {
            return None;
        }
        number |= part << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_reads_back_and_damage_is_seen() {
        let figures = [
            ("93001", Figure::Observed(0)),
            ("93005", Figure::Observed(i64::MAX)),
            ("93006", Figure::Observed(i64::MIN)),
            ("93007", Figure::Observed(-129)),
            ("93008", Figure::Suppressed),
            ("93010", Figure::Missing(MissingReason::NotCollected)),
            ("93013", Figure::Missing(MissingReason::NotYetAvailable)),
            ("930140101", Figure::NotApplicable),
        ];
        let figures = figures.into_iter().map(|(code, figure)| (code.to_owned(), figure)).collect();
        let block = Block { decimals: Decimals::new(6).expect("six"), figures };
        let bytes = block.encode();
        assert_eq!(Block::decode(&bytes), Some(block.clone()));
        for cut in [0, 1, bytes.len() - 1, bytes.len() - 3] {
            assert_ne!(Block::decode(&bytes[..cut]), Some(block.clone()), "{cut}");
        }
        assert_eq!(Block::decode(&[2, 0]), None);
        assert_eq!(Block::decode(&[1, 0, 1, b'x', 9]), None);
    }

    #[test]
    fn more_places_keep_the_value() {
        let figures = BTreeMap::from([("93001".to_owned(), Figure::Observed(15))]);
        let block = Block { decimals: Decimals::new(1).expect("one"), figures };
        let finer = block.clone().finer(Decimals::new(3).expect("three")).expect("fits");
        assert_eq!(finer.figures["93001"], Figure::Observed(1_500));
        assert_eq!(block.finer(Decimals::NONE), None);
    }
}
