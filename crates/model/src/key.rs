//! Where a cell stands in its table.

use std::collections::BTreeMap;
use std::fmt;

use crate::{Code, DimensionCode};

/// One code per dimension; a dimension left out means all its codes together, so the empty key is the total.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(BTreeMap<DimensionCode, Code>);

impl Key {
    /// The total: no dimension fixed.
    pub fn total() -> Self {
        Self::default()
    }

    /// The same place, with `dimension` fixed to `code`.
    #[must_use]
    pub fn with(mut self, dimension: DimensionCode, code: Code) -> Self {
        self.0.insert(dimension, code);
        self
    }

    /// Fixed dimensions with their codes, in the order of the dimension codes.
    pub fn iter(&self) -> impl Iterator<Item = (&DimensionCode, &Code)> {
        self.0.iter()
    }

    /// The code on `dimension`, if it is fixed.
    pub fn get(&self, dimension: &DimensionCode) -> Option<&Code> {
        self.0.get(dimension)
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

impl FromIterator<(DimensionCode, Code)> for Key {
    fn from_iter<I: IntoIterator<Item = (DimensionCode, Code)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
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
