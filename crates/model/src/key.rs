//! Where a cell stands in its table.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::{Code, DimensionCode};

/// One code per dimension; a dimension left out means all its codes together, so the empty key is the total.
///
/// In ascending order of the dimensions, each once. Shared: a table has its keys from its scheme, and a copy of a key
/// costs nothing.
#[derive(Clone, Debug, Default)]
pub struct Key(Arc<[(DimensionCode, Code)]>);

impl Key {
    /// The total: no dimension fixed.
    pub fn total() -> Self {
        Self::default()
    }

    /// The same place, with `dimension` fixed to `code`.
    #[must_use]
    pub fn with(self, dimension: DimensionCode, code: Code) -> Self {
        self.0.iter().cloned().chain([(dimension, code)]).collect()
    }

    /// Fixed dimensions with their codes, in the order of the dimension codes.
    pub fn iter(&self) -> impl Iterator<Item = (&DimensionCode, &Code)> {
        self.0.iter().map(|(dimension, code)| (dimension, code))
    }

    /// The code on `dimension`, if it is fixed.
    pub fn get(&self, dimension: &DimensionCode) -> Option<&Code> {
        self.0.iter().find(|(known, _)| known == dimension).map(|(_, code)| code)
    }

    /// How many dimensions are fixed.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is the total.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        if Arc::ptr_eq(&self.0, &other.0) { Ordering::Equal } else { self.0.cmp(&other.0) }
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl FromIterator<(DimensionCode, Code)> for Key {
    fn from_iter<I: IntoIterator<Item = (DimensionCode, Code)>>(pairs: I) -> Self {
        let mut pairs: Vec<(DimensionCode, Code)> = pairs.into_iter().collect();
        if !pairs.is_sorted_by(|one, next| one.0 < next.0) {
            // Of two codes on one dimension the last one counts, as in a map.
            pairs.reverse();
            pairs.sort_by(|one, other| one.0.cmp(&other.0));
            pairs.dedup_by(|later, kept| later.0 == kept.0);
        }
        Self(pairs.into())
    }
}

impl fmt::Display for Key {
    /// `age=75-84;sexe=F`, or `total`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.pad("total");
        }
        let text: Vec<String> = self.0.iter().map(|(d, c)| format!("{d}={c}")).collect();
        f.pad(&text.join(";"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(pairs: &[(&str, &str)]) -> Key {
        pairs.iter().map(|(d, c)| (d.parse().expect("a code"), c.parse().expect("a code"))).collect()
    }

    #[test]
    fn a_key_is_the_same_in_whatever_order_it_was_written() {
        let written = key(&[("sexe", "F"), ("age", "75-84"), ("sexe", "M")]);
        assert_eq!(written, key(&[("age", "75-84"), ("sexe", "M")]));
        assert_eq!(written.to_string(), "age=75-84;sexe=M");
        assert_eq!(written.get(&"sexe".parse().expect("a code")).map(Code::as_str), Some("M"));
        assert_eq!(written.clone().with("age".parse().expect("a code"), "-18".parse().expect("a code")).len(), 2);
    }

    #[test]
    fn keys_are_in_the_order_of_their_pairs_and_the_total_comes_first() {
        let mut keys = [key(&[("b", "1")]), key(&[("a", "2"), ("b", "0")]), key(&[]), key(&[("a", "2")])];
        keys.sort();
        let texts: Vec<String> = keys.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["total", "a=2", "a=2;b=0", "b=1"]);
        assert!(keys[0].is_empty());
    }
}
