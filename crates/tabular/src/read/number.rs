//! French numbers as they come out of spreadsheets, straight to integers of the last place kept.

use model::Decimals;

use crate::source::DecimalMark;

/// What a text is as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Number {
    /// Units, and whether decimals beyond the last place were rounded away.
    Units { units: i64, rounded: bool },
    /// Reads two ways.
    Ambiguous,
    /// Not a number, or one that does not fit.
    Not,
}

/// Reads `text` in units of `decimals`; what lies beyond the last place is rounded half away from zero.
///
/// Accepted: blanks (also no-break, narrow and thin) between groups of three digits, a leading sign, a trailing
/// `€`. Not `%`: whether 12 % is twelve or a tenth and a bit is the source's business. With `DecimalMark::Auto` a comma is the decimal mark, and so is a point, unless exactly three
/// digits follow one to three others: `1.234` is a thousand in one office and one in the next.
pub(crate) fn read(text: &str, decimals: Decimals, mark: DecimalMark) -> Number {
    if let Some(number) = plain(text, decimals, mark) {
        return number;
    }
    let text = text.trim().trim_end_matches('€').trim_end();
    let (negative, text) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = match split(text, mark) {
        Ok(parts) => parts,
        Err(refusal) => return refusal,
    };
    let Some(whole) = ungroup(whole, mark) else { return Number::Not };
    if (whole.is_empty() && fraction.is_empty()) || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return Number::Not;
    }
    let places = usize::from(decimals.places());
    let kept = &fraction[..fraction.len().min(places)];
    let Ok(units) = format!("0{whole}{kept:0<places$}").parse::<i64>() else { return Number::Not };
    let up = fraction.as_bytes().get(places).is_some_and(|digit| *digit >= b'5');
    let Some(units) = units.checked_add(i64::from(up)) else { return Number::Not };
    let rounded = fraction.len() > places && fraction[places..].bytes().any(|b| b != b'0');
    Number::Units { units: if negative { -units } else { units }, rounded }
}

/// Digits with at most one mark that reads one way only: what most cells hold. `None` is for [`read`] to judge.
fn plain(text: &str, decimals: Decimals, mark: DecimalMark) -> Option<Number> {
    /// More digits than any number of 64 bits surely holds are left to `read`.
    const MOST: usize = 18;
    let places = usize::from(decimals.places());
    let (mut units, mut digits, mut fraction) = (0_i64, 0, None);
    let (mut up, mut rounded) = (false, false);
    for byte in text.bytes() {
        match (byte, fraction) {
            (b'0'..=b'9', Some(place)) if place >= places => {
                up = if place == places { byte >= b'5' } else { up };
                rounded |= byte != b'0';
                fraction = Some(place + 1);
            }
            (b'0'..=b'9', _) if digits < MOST => {
                units = units * 10 + i64::from(byte - b'0');
                digits += 1;
                fraction = fraction.map(|place| place + 1);
            }
            (b'.', None) if mark != DecimalMark::Comma && digits > 0 => fraction = Some(0),
            (b',', None) if mark != DecimalMark::Point && digits > 0 => fraction = Some(0),
            _ => return None,
        }
    }
    let (kept, ambiguous) = match fraction {
        // "1.234" may be a thousand.
        Some(length) => (length.min(places), length == 3 && mark == DecimalMark::Auto),
        None => (0, false),
    };
    if digits == 0 || ambiguous || digits + places - kept > MOST {
        return None;
    }
    let missing = u32::try_from(places - kept).ok()?;
    Some(Number::Units { units: units * 10_i64.pow(missing) + i64::from(up), rounded })
}

/// The part before the decimal mark, still grouped, and the part after.
fn split(text: &str, mark: DecimalMark) -> Result<(&str, &str), Number> {
    let points = text.matches('.').count();
    let commas = text.matches(',').count();
    let at_last = |c: char| text.rsplit_once(c).ok_or(Number::Not);
    match mark {
        DecimalMark::Comma if commas == 1 => at_last(','),
        DecimalMark::Comma if commas == 0 => Ok((text, "")),
        DecimalMark::Point if points == 1 => at_last('.'),
        DecimalMark::Point if points == 0 => Ok((text, "")),
        DecimalMark::Comma | DecimalMark::Point => Err(Number::Not),
        DecimalMark::Auto => match (points, commas) {
            // "1.234.567": two marks of one kind can only group.
            (0 | 2.., 0) => Ok((text, "")),
            (0, 1) => at_last(','),
            (1, 0) => {
                let (whole, fraction) = at_last('.')?;
                let leading = whole.chars().filter(char::is_ascii_digit).count();
                let plain = whole.bytes().all(|b| b.is_ascii_digit());
                if fraction.len() == 3 && plain && (1..=3).contains(&leading) && !whole.starts_with('0') {
                    return Err(Number::Ambiguous);
                }
                Ok((whole, fraction))
            }
            // "1.234,5": the points group, the comma is the mark.
            (_, 1) if text.rfind('.') < text.rfind(',') => at_last(','),
            _ => Err(Number::Ambiguous),
        },
    }
}

/// The digits of a whole part, if every group after the first has three. `None` is not a number.
fn ungroup(whole: &str, mark: DecimalMark) -> Option<String> {
    let blank = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\u{2007}' | '\'' | '’');
    let other = match mark {
        DecimalMark::Auto | DecimalMark::Comma => '.',
        DecimalMark::Point => ',',
    };
    let groups: Vec<&str> = whole.split(|c| blank(c) || c == other).collect();
    let digits = |group: &str| group.bytes().all(|b| b.is_ascii_digit());
    let (first, rest) = groups.split_first()?;
    if !digits(first) || !rest.iter().all(|group| group.len() == 3 && digits(group)) {
        return None;
    }
    if !rest.is_empty() && !(1..=3).contains(&first.len()) {
        return None;
    }
    Some(groups.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str, places: u8, mark: DecimalMark) -> Option<i64> {
        match read(text, Decimals::new(places).expect("at most nine"), mark) {
            Number::Units { units, .. } => Some(units),
            Number::Ambiguous | Number::Not => None,
        }
    }

    #[test]
    fn french_numbers_are_read_to_the_last_place() {
        use DecimalMark::Auto;
        for (text, expected) in [
            ("1 284", 128_400),
            ("36\u{a0}412,50", 3_641_250),
            ("5\u{202f}040,00 €", 504_000),
            ("14\u{2009}204", 1_420_400),
            ("1.234,5", 123_450),
            ("1.234.567", 123_456_700),
            ("2579.0", 257_900),
            ("0.123", 12),
            ("-0,5", -50),
            ("\u{2212}0,5", -50),
            ("0,005", 1),
            ("0,0049999", 0),
            ("-0,005", -1),
            (",5", 50),
        ] {
            assert_eq!(units(text, 2, Auto), Some(expected), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_plain_reads_as_the_rest_does(text in "[0-9]{0,20}[.,]?[0-9]{0,12}", places in 0_u8..=6) {
            use DecimalMark::{Auto, Comma, Point};
            let decimals = Decimals::new(places).expect("at most nine");
            for mark in [Auto, Comma, Point] {
                if let Some(number) = plain(&text, decimals, mark) {
                    // A sign keeps the short way from being taken.
                    proptest::prop_assert_eq!(number, read(&format!("+{text}"), decimals, mark), "{}", text);
                }
            }
        }
    }

    #[test]
    fn what_reads_two_ways_is_not_read() {
        for text in ["1.234", "12.345", "999.000", "1,234.5", "1,234,567"] {
            assert_eq!(read(text, Decimals::NONE, DecimalMark::Auto), Number::Ambiguous, "{text}");
        }
        assert_eq!(units("1.234", 3, DecimalMark::Point), Some(1_234));
        assert_eq!(units("1.234", 0, DecimalMark::Comma), Some(1_234));
        assert_eq!(units("1,234.5", 1, DecimalMark::Point), Some(12_345));
    }

    #[test]
    fn the_rest_is_not_a_number() {
        for text in [
            "",
            "-",
            "abc",
            "12 %",
            "1e5",
            "2,00072E+08",
            "1 23",
            "12 3456",
            "1..2",
            "--1",
            "1,2,3",
            "9223372036854775808",
            "1 234.567,8.9",
        ] {
            assert!(matches!(read(text, Decimals::NONE, DecimalMark::Auto), Number::Not | Number::Ambiguous), "{text}");
        }
        assert_eq!(read("9223372036854775807", Decimals::new(2).expect("two"), DecimalMark::Auto), Number::Not);
    }

    #[test]
    fn rounding_is_told() {
        assert_eq!(read("1,25", Decimals::NONE, DecimalMark::Auto), Number::Units { units: 1, rounded: true });
        assert_eq!(read("3,0", Decimals::NONE, DecimalMark::Auto), Number::Units { units: 3, rounded: false });
    }
}
