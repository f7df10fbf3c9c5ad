//! Whole numbers modulo the Mersenne prime 2^61 − 1.

use std::ops::{Add, Mul, Neg, Sub};

const PRIME: u64 = (1 << 61) - 1;

/// A whole number modulo 2^61 − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Residue(u64);

impl From<i64> for Residue {
    fn from(value: i64) -> Self {
        let rest = i128::from(value).rem_euclid(i128::from(PRIME));
        Self(u64::try_from(rest).expect("a rest modulo the prime fits"))
    }
}

impl Residue {
    pub(crate) fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The number nearest to zero that this is.
    pub(crate) fn balanced(self) -> i64 {
        let value = i64::try_from(self.0).expect("61 bits fit");
        if self.0 > PRIME / 2 { value - i64::try_from(PRIME).expect("61 bits fit") } else { value }
    }

    /// The simplest fraction that this is, as a floating-point number.
    #[expect(clippy::cast_precision_loss, reason = "both numbers are below 2^20")]
    pub(crate) fn fraction(self) -> f64 {
        for denominator in 1..=64_i64 {
            let numerator = (self * Self::from(denominator)).balanced();
            if numerator.abs() < 1 << 20 {
                return numerator as f64 / denominator as f64;
            }
        }
        f64::NAN
    }

    /// `1 / self`, by Fermat's little theorem; zero for zero.
    pub(crate) fn inverse(self) -> Self {
        let (mut base, mut power, mut exponent) = (self, Self(1), PRIME - 2);
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = power * base;
            }
            base = base * base;
            exponent >>= 1;
        }
        power
    }
}

impl Add for Residue {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let sum = self.0 + other.0;
        Self(if sum >= PRIME { sum - PRIME } else { sum })
    }
}

impl Neg for Residue {
    type Output = Self;
    fn neg(self) -> Self {
        Self(if self.0 == 0 { 0 } else { PRIME - self.0 })
    }
}

impl Sub for Residue {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Residue {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let product = u128::from(self.0) * u128::from(other.0);
        let low = u64::try_from(product & u128::from(PRIME)).expect("61 bits fit");
        let high = u64::try_from(product >> 61).expect("a product of 61-bit numbers has 122 bits");
        Self(low) + Self(high)
    }
}
