//! Which commune became part of which.

use std::collections::BTreeSet;

use crate::{CogYear, CommuneCode};

/// One commune absorbed by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Succession {
    /// The commune that ceased to exist.
    pub former: CommuneCode,
    /// The commune that continues it.
    pub successor: CommuneCode,
    /// The first COG year without the former commune.
    pub since: CogYear,
}

/// Why a succession cannot stand beside those already known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSuccession {
    /// It would leave nobody to continue the commune.
    #[error("the commune would continue itself")]
    Circle,
    /// Another successor or another year is known.
    #[error("the commune ceased in another way already")]
    Contradiction,
}

/// All successions that somebody reckons with: rights, invitations, periods, names and public figures must ask the
/// same one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Successions(Vec<Succession>);

impl Successions {
    /// Those that this version of the product knows.
    ///
    /// Source: INSEE, code officiel géographique 2025 (Pierrefitte-sur-Seine joined Saint-Denis on 1 January 2025).
    #[must_use]
    pub fn known() -> Self {
        Self(vec![Succession {
            former: CommuneCode::known(*b"93059"),
            successor: CommuneCode::known(*b"93066"),
            since: CogYear(2025),
        }])
    }

    /// Adds one; one that is known already changes nothing.
    ///
    /// # Errors
    /// A commune that ceases twice, or that its successors lead back to.
    pub fn add(&mut self, step: Succession) -> Result<(), InvalidSuccession> {
        if let Some(known) = self.0.iter().find(|known| known.former == step.former) {
            return if *known == step { Ok(()) } else { Err(InvalidSuccession::Contradiction) };
        }
        let mut end = step.successor;
        // As no commune ceases twice and no circle was let in, this walk ends.
        while end != step.former {
            let Some(next) = self.0.iter().find(|known| known.former == end) else {
                self.0.push(step);
                return Ok(());
            };
            end = next.successor;
        }
        Err(InvalidSuccession::Circle)
    }

    /// All of them, the product's own first.
    pub fn iter(&self) -> impl Iterator<Item = &Succession> {
        self.0.iter()
    }

    /// How `commune` ended, if it was no commune any more on 1 January of `year`.
    #[must_use]
    pub fn ended(&self, commune: CommuneCode, year: CogYear) -> Option<&Succession> {
        self.0.iter().find(|step| step.former == commune && year >= step.since)
    }

    /// `communes`, and every commune that they continue on 1 January of `year`, over any number of steps.
    #[must_use]
    pub fn with_former(&self, mut communes: BTreeSet<CommuneCode>, year: CogYear) -> BTreeSet<CommuneCode> {
        loop {
            let in_force = self.0.iter().filter(|step| year >= step.since && communes.contains(&step.successor));
            let former: Vec<CommuneCode> = in_force.map(|step| step.former).collect();
            let before = communes.len();
            communes.extend(former);
            if communes.len() == before {
                return communes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> CommuneCode {
        text.parse().expect("a commune")
    }

    fn step(former: &str, successor: &str, since: u16) -> Succession {
        Succession { former: code(former), successor: code(successor), since: CogYear(since) }
    }

    #[test]
    fn a_commune_continues_all_that_became_part_of_it_once_they_did() {
        let mut all = Successions::known();
        all.add(step("93066", "93001", 2030)).expect("a later merger");
        let of = |commune: &str, year| {
            let all = all.with_former(BTreeSet::from([code(commune)]), CogYear(year));
            all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("93066", 2024), "93066", "not before the day");
        assert_eq!(of("93066", 2025), "93059 93066");
        assert_eq!(of("93001", 2029), "93001");
        assert_eq!(of("93001", 2030), "93001 93059 93066", "over two steps");
        assert_eq!(all.ended(code("93066"), CogYear(2029)), None);
        assert_eq!(all.ended(code("93066"), CogYear(2030)).map(|step| step.successor), Some(code("93001")));
    }

    #[test]
    fn no_commune_ends_twice_or_in_itself() {
        let mut all = Successions::known();
        assert_eq!(all.add(step("93059", "93066", 2025)), Ok(()), "known already");
        assert_eq!(all.iter().count(), 1);
        assert_eq!(all.add(step("93059", "93001", 2025)), Err(InvalidSuccession::Contradiction));
        assert_eq!(all.add(step("93001", "93001", 2030)), Err(InvalidSuccession::Circle));
        assert_eq!(all.add(step("93066", "93059", 2030)), Err(InvalidSuccession::Circle));
        assert_eq!(all.iter().count(), 1);
    }
}
