//! What may be shown to whom: one place for pages, calls, the command line and files.
//!
//! Three questions, in this order. Did the commune say that this audience may see the slice ([`Reader::sees`])? Does the
//! partnership's policy show other communes' figures of this kind by name, as a position, or not at all
//! ([`policy::Policy`])? And where they are not shown by name: are enough communes behind what is said of them together
//! ([`group`])? Everything that a reader is answered passes here before it is computed, so that what may not be seen is
//! not there.

pub(crate) mod group;
pub mod policy;

use std::collections::BTreeSet;

use model::{Audience, CommuneCode};

pub use policy::Showing;

/// Who reads. Made by [`crate::auth`] from who speaks, or by whoever holds the hub's machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    audience: Audience,
    own: Vec<CommuneCode>,
}

impl Reader {
    /// A commune reads, and its own figures are its own.
    pub(crate) fn commune(territories: &[CommuneCode]) -> Self {
        Self { audience: Audience::Members, own: territories.to_vec() }
    }

    /// The coordination reads, or whoever sits at the hub's machine in its name.
    pub fn coordination() -> Self {
        Self { audience: Audience::Coordinators, own: Vec::new() }
    }

    /// A partner reads: nothing is its own.
    pub(crate) fn partner() -> Self {
        Self { audience: Audience::Partners, own: Vec::new() }
    }

    /// As whom.
    pub fn audience(&self) -> Audience {
        self.audience
    }

    /// Whether figures about `territory` are the reader's own.
    pub fn owns(&self, territory: CommuneCode) -> bool {
        self.own.contains(&territory)
    }

    /// Whether the reader may be shown something of a slice of `territory` whose commune said this of who may see it;
    /// `None` if it never said anything.
    pub(crate) fn sees(&self, territory: CommuneCode, said: Option<&BTreeSet<Audience>>) -> bool {
        self.owns(territory)
            || said.map_or(self.audience == Audience::Coordinators, |said| said.contains(&self.audience))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commune(code: &str) -> CommuneCode {
        code.parse().expect("a code")
    }

    #[test]
    fn who_said_nothing_is_seen_by_the_coordination_and_by_itself() {
        let member = Reader::commune(&[commune("93066"), commune("93059")]);
        let coordination = Reader::coordination();
        for (said, by_member, by_coordination) in [
            (None, false, true),
            (Some(BTreeSet::new()), false, false),
            (Some(BTreeSet::from([Audience::Members])), true, false),
            (Some(BTreeSet::from([Audience::Partners, Audience::Public])), false, false),
            (Some(BTreeSet::from([Audience::Coordinators])), false, true),
        ] {
            assert_eq!(member.sees(commune("93001"), said.as_ref()), by_member, "{said:?}");
            assert_eq!(coordination.sees(commune("93001"), said.as_ref()), by_coordination, "{said:?}");
            assert!(member.sees(commune("93059"), said.as_ref()), "its own");
        }
        assert_eq!(Audience::unless_said(), BTreeSet::from([Audience::Coordinators]));
    }
}
