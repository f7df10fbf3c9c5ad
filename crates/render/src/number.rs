//! Numbers: `1 234 567,5`, with narrow no-break spaces (U+202F) between thousands and before `%`.
//!
//! Rounding is half away from zero, as the tables of INSEE are rounded, and is done on integers: the text
//! never depends on a float unless the caller holds one.

use icu_decimal::DecimalFormatter;
use icu_decimal::input::{Decimal, SignDisplay};
use icu_decimal::options::DecimalFormatterOptions;
use icu_locale_core::locale;
use model::{Decimals, Units};

/// Between thousands and before `%`, `€`, `:` of a figure: never a line break there.
pub const NARROW_SPACE: char = '\u{202f}';

/// A value with the number of places its integer units stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exact {
    /// The value, in units of the last place.
    pub units: Units,
    /// How many decimal places one unit stands for.
    pub decimals: Decimals,
}

impl Exact {
    /// A whole number.
    pub fn whole(value: Units) -> Self {
        Self { units: value, decimals: Decimals::NONE }
    }
}

/// `value` with exactly `shown` decimals.
pub fn number(value: Exact, shown: Decimals) -> String {
    let top = i128::from(value.units) * i128::from(shown.one());
    spell(Decimal::from(divide(top, i128::from(value.decimals.one()))), shown.places())
}

/// `value` as a whole number; the usual form of a count.
pub fn count(value: Exact) -> String {
    number(value, Decimals::NONE)
}

/// How many of something: `1 204 personnes`; in French the singular holds below two, zero included.
pub fn counted(how_many: usize, one: &str, many: &str) -> String {
    let figure = count(Exact::whole(Units::try_from(how_many).unwrap_or(Units::MAX)));
    format!("{figure} {}", if how_many < 2 { one } else { many })
}

/// `part / whole` for `per` units of the whole, with exactly `shown` decimals: 100 for a percentage without
/// its sign, 1 000 for « pour 1 000 habitants ».
///
/// `None` when the whole is zero. The quotient is exact up to the shown place (integers of 128 bits).
pub fn rate(part: Exact, whole: Exact, per: u32, shown: Decimals) -> Option<String> {
    // part / 10^p ÷ (whole / 10^w) × per, in units of 10^-shown. With |units| < 2^63, places ≤ 9 and
    // per < 2^32 the product may pass 2^127; then no figure of the field is meant and a float is near enough.
    if whole.units == 0 {
        return None;
    }
    let scaled = |value: Exact, other: Decimals| {
        let common = value.decimals.places().max(other.places());
        i128::from(value.units) * 10_i128.pow(u32::from(common - value.decimals.places()))
    };
    let (top, bottom) = (scaled(part, whole.decimals), scaled(whole, part.decimals));
    let Some(top) = top.checked_mul(i128::from(per)).and_then(|t| t.checked_mul(i128::from(shown.one()))) else {
        let quotient = part.decimals.to_f64(part.units) / whole.decimals.to_f64(whole.units);
        return approximate(quotient * f64::from(per), shown);
    };
    Some(spell(Decimal::from(divide(top, bottom)), shown.places()))
}

/// `part / whole` as a percentage with its sign: `25,4 %`. `None` when the whole is zero.
pub fn percent(part: Exact, whole: Exact, shown: Decimals) -> Option<String> {
    rate(part, whole, 100, shown).map(|figure| format!("{figure}{NARROW_SPACE}%"))
}

/// A statistic that only exists as a float. `None` for what is not a number and for infinities.
pub fn approximate(value: f64, shown: Decimals) -> Option<String> {
    // `format!` writes a finite float without exponent, which is what `Decimal` reads.
    let text = value.is_finite().then(|| format!("{value:.*}", usize::from(shown.places())))?;
    let mut decimal = Decimal::try_from_str(&text).ok()?;
    decimal.multiply_pow10(i16::from(shown.places()));
    Some(spell(decimal, shown.places()))
}

/// A size for eyes: `512 o`, `1,5 Mo` (decimal multiples, as file managers show them in French).
pub fn bytes(size: u64) -> String {
    let (unit, one) = match size {
        0..1_000 => return format!("{size}{NARROW_SPACE}o"),
        1_000..1_000_000 => ("ko", 1_000),
        1_000_000..1_000_000_000 => ("Mo", 1_000_000),
        _ => ("Go", 1_000_000_000),
    };
    let tenths = divide(i128::from(size) * 10, one);
    format!("{}{NARROW_SPACE}{unit}", spell(Decimal::from(tenths), 1))
}

/// `top / bottom`, half away from zero.
fn divide(top: i128, bottom: i128) -> i128 {
    let (quotient, rest) = (top / bottom, top % bottom);
    let half = rest.unsigned_abs() >= bottom.unsigned_abs().div_ceil(2);
    quotient + if half { top.signum() * bottom.signum() } else { 0 }
}

/// `units` of the decimal place `shown`, in French.
fn spell(mut units: Decimal, shown: u8) -> String {
    let last = -i16::from(shown);
    units.multiply_pow10(last);
    units.trim_end();
    units.pad_end(last);
    // What rounds to zero has no sign: « -0 » reads like a fault.
    units.apply_sign_display(SignDisplay::Negative);
    FRENCH.with(|french| french.format(&units).to_string())
}

thread_local! {
    // ICU shares its data through `Rc`: one formatter per thread, each a lookup in compiled tables.
    static FRENCH: DecimalFormatter = DecimalFormatter::try_new(locale!("fr").into(), DecimalFormatterOptions::default())
        .expect("French is in the compiled data");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(n: u8) -> Decimals {
        Decimals::new(n).expect("at most nine")
    }

    fn exact(units: Units, decimals: u8) -> Exact {
        Exact { units, decimals: places(decimals) }
    }

    #[test]
    fn thousands_are_apart_and_the_comma_is_decimal() {
        assert_eq!(number(exact(12_345_675, 1), places(1)), "1\u{202f}234\u{202f}567,5");
        assert_eq!(number(exact(19_449_668_000, 6), places(3)), "19\u{202f}449,668");
        assert_eq!(number(exact(1234, 0), places(0)), "1\u{202f}234");
        assert_eq!(number(exact(5, 0), places(2)), "5,00");
        assert_eq!(number(exact(-150_000, 2), places(2)), "-1\u{202f}500,00");
        assert_eq!(number(exact(0, 6), places(0)), "0");
    }

    #[test]
    fn half_goes_away_from_zero_and_zero_has_no_sign() {
        assert_eq!(count(exact(25, 1)), "3");
        assert_eq!(count(exact(-25, 1)), "-3");
        assert_eq!(count(exact(24, 1)), "2");
        assert_eq!(count(exact(-4, 1)), "0");
        assert_eq!(number(exact(-4, 2), places(1)), "0,0");
        assert_eq!(count(exact(9_999_995, 1)), "1\u{202f}000\u{202f}000");
    }

    #[test]
    fn the_largest_values_are_written_in_full() {
        assert_eq!(
            count(Exact::whole(i64::MAX)),
            "9\u{202f}223\u{202f}372\u{202f}036\u{202f}854\u{202f}775\u{202f}807"
        );
        assert_eq!(
            count(Exact::whole(i64::MIN)),
            "-9\u{202f}223\u{202f}372\u{202f}036\u{202f}854\u{202f}775\u{202f}808"
        );
        assert!(rate(Exact::whole(i64::MIN), exact(1, 9), u32::MAX, places(9)).is_some());
    }

    #[test]
    fn a_share_is_rounded_once_from_exact_integers() {
        assert_eq!(percent(exact(4_940_342, 3), exact(17_161_673, 3), places(1)).as_deref(), Some("28,8\u{202f}%"));
        assert_eq!(percent(Exact::whole(1), Exact::whole(3), places(2)).as_deref(), Some("33,33\u{202f}%"));
        assert_eq!(percent(Exact::whole(1), Exact::whole(8), places(0)).as_deref(), Some("13\u{202f}%"));
        assert_eq!(percent(Exact::whole(-1), Exact::whole(3), places(1)).as_deref(), Some("-33,3\u{202f}%"));
        assert_eq!(percent(Exact::whole(-1), Exact::whole(-3), places(1)).as_deref(), Some("33,3\u{202f}%"));
        assert_eq!(percent(Exact::whole(0), Exact::whole(3), places(1)).as_deref(), Some("0,0\u{202f}%"));
        assert_eq!(percent(Exact::whole(5), Exact::whole(0), places(1)), None);
    }

    #[test]
    fn a_rate_mixes_euros_and_persons() {
        assert_eq!(rate(exact(150_050, 2), Exact::whole(4), 1, places(2)).as_deref(), Some("375,13"));
        assert_eq!(rate(Exact::whole(12), exact(8_000_000_000, 6), 1000, places(1)).as_deref(), Some("1,5"));
    }

    #[test]
    fn floats_that_are_no_numbers_are_refused() {
        assert_eq!(approximate(1234.56, places(1)).as_deref(), Some("1\u{202f}234,6"));
        assert_eq!(approximate(-0.001, places(2)).as_deref(), Some("0,00"));
        assert_eq!(approximate(f64::NAN, places(1)), None);
        assert_eq!(approximate(f64::INFINITY, places(1)), None);
    }

    #[test]
    fn zero_is_singular_in_french() {
        let said = |n| counted(n, "commune reçue", "communes reçues");
        assert_eq!(said(0), "0 commune reçue");
        assert_eq!(said(1), "1 commune reçue");
        assert_eq!(said(1_204), "1\u{202f}204 communes reçues");
    }

    #[test]
    fn sizes_are_decimal() {
        assert_eq!(bytes(512), "512\u{202f}o");
        assert_eq!(bytes(1_500_000), "1,5\u{202f}Mo");
        assert_eq!(bytes(2_147_483_648), "2,1\u{202f}Go");
    }
}
