//! To whom figures may be shown.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Who reads, besides the commune itself.
///
/// From the fewest to the most; none of them implies another, because a commune says yes to each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// The coordination of the département.
    Coordinators,
    /// The other communes that take part.
    Members,
    /// Partners who were given an access: a university, a county.
    Partners,
    /// Everybody.
    Public,
}

impl Audience {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Coordinators, Self::Members, Self::Partners, Self::Public];

    /// As stored and as typed.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Coordinators => "coordinators",
            Self::Members => "members",
            Self::Partners => "partners",
            Self::Public => "public",
        }
    }

    /// To whom a slice is shown whose commune never said anything about it: who agreed that it leaves agreed, by that,
    /// that the coordination reads it, and nobody else.
    pub fn unless_said() -> BTreeSet<Self> {
        BTreeSet::from([Self::Coordinators])
    }

    /// To whom a slice stays shown once its figures were taken back or destroyed: figures that come back are others, and
    /// everybody besides the coordination is asked for anew. What the coordination is not shown stays so.
    pub fn without_figures(audiences: &BTreeSet<Self>) -> BTreeSet<Self> {
        audiences.intersection(&Self::unless_said()).copied().collect()
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why a text is no audience.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an audience is one of coordinators, members, partners, public")]
pub struct InvalidAudience;

impl FromStr for Audience {
    type Err = InvalidAudience;
    fn from_str(text: &str) -> Result<Self, InvalidAudience> {
        Self::ALL.into_iter().find(|audience| audience.as_str() == text).ok_or(InvalidAudience)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_that_come_back_are_shown_to_nobody_new() {
        let all = BTreeSet::from(Audience::ALL);
        assert_eq!(Audience::without_figures(&all), BTreeSet::from([Audience::Coordinators]));
        assert_eq!(Audience::without_figures(&BTreeSet::from([Audience::Public])), BTreeSet::new());
    }

    #[test]
    fn every_audience_reads_back() {
        for audience in Audience::ALL {
            assert_eq!(audience.to_string().parse(), Ok(audience));
        }
        assert_eq!("communes".parse::<Audience>(), Err(InvalidAudience));
        assert!(Audience::ALL.is_sorted());
    }
}
