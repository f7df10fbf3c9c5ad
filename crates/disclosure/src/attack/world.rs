//! What one intruder faces: unknowns, what is known of them, and the equalities between them.

use crate::relations::Relations;

/// What a version shows: a value per unknown of its [`Relations`], `None` where nothing is shown.
pub(crate) type Visible = Vec<Option<i128>>;

/// Nothing agrees with what is visible; these unknowns are involved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction(pub(crate) Vec<usize>);

/// A system of unknowns that are whole numbers, never negative.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    pub(crate) known: Vec<Option<i128>>,
    /// The least value that an unknown can have.
    pub(crate) floor: Vec<i128>,
    /// `Σ coefficient · unknown = 0`.
    pub(crate) equalities: Vec<Vec<(usize, i64)>>,
    /// If the first is zero, so is the second.
    pub(crate) twins: Vec<(usize, usize)>,
}

impl World {
    /// The world of somebody who reads one version.
    pub(crate) fn of(relations: &Relations, visible: &Visible) -> Self {
        let mut world = Self {
            known: visible.clone(),
            floor: vec![0; visible.len()],
            equalities: Vec::new(),
            twins: relations.twins.clone(),
        };
        let ids: Vec<usize> = (0..visible.len()).collect();
        world.relate(relations, &ids, |_| true);
        world
    }

    /// Adds the equalities among `ids` (unknown of the relations → unknown here) that `wanted` picks.
    pub(crate) fn relate(&mut self, relations: &Relations, ids: &[usize], wanted: impl Fn(&[usize]) -> bool) {
        for equality in &relations.equalities {
            let members: Vec<usize> = std::iter::once(equality.whole).chain(equality.parts.iter().copied()).collect();
            if wanted(&members) {
                let signs = std::iter::once(1).chain(std::iter::repeat(-1));
                self.equalities.push(members.iter().map(|&m| ids[m]).zip(signs).collect());
            }
        }
    }

    /// Draws the conclusions that need no search: an equality with one unknown gives it away, a sum of zero has only
    /// zeros, where nobody is there is no amount, and where an amount is there is somebody.
    pub(crate) fn settle(&mut self) -> Result<(), Contradiction> {
        loop {
            let before = self.known.iter().flatten().count();
            for equality in &self.equalities {
                conclude(&mut self.known, equality)?;
            }
            for &(count, other) in &self.twins {
                if self.known[count] == Some(0) {
                    match self.known[other] {
                        Some(0) => {}
                        None => self.known[other] = Some(0),
                        Some(_) => return Err(Contradiction(vec![count, other])),
                    }
                }
            }
            if self.known.iter().flatten().count() == before {
                break;
            }
        }
        for &(count, other) in &self.twins {
            if self.known[count].is_none() && self.known[other].is_some_and(|value| value > 0) {
                self.floor[count] = 1;
            }
        }
        match self.known.iter().position(|value| value.is_some_and(|value| value < 0)) {
            Some(negative) => Err(Contradiction(vec![negative])),
            None => Ok(()),
        }
    }
}

/// What a version shows, and what follows from it by simple sums; only what it shows if it contradicts itself.
pub(crate) fn settled(relations: &Relations, visible: &Visible) -> Visible {
    let mut world = World::of(relations, visible);
    match world.settle() {
        Ok(()) => world.known,
        Err(Contradiction(_)) => visible.clone(),
    }
}

fn conclude(known: &mut [Option<i128>], equality: &[(usize, i64)]) -> Result<(), Contradiction> {
    let mut sum = 0_i128;
    let mut open: Vec<(usize, i64)> = Vec::new();
    for &(id, sign) in equality {
        match known[id] {
            Some(value) => sum += value * i128::from(sign),
            None => open.push((id, sign)),
        }
    }
    match open.as_slice() {
        [] if sum != 0 => Err(Contradiction(equality.iter().map(|&(id, _)| id).collect())),
        [] => Ok(()),
        &[(id, sign)] => {
            known[id] = Some(-sum * i128::from(sign));
            Ok(())
        }
        many => {
            let sign = many[0].1;
            if sum == 0 && many.iter().all(|&(_, s)| s == sign) {
                for &(id, _) in many {
                    known[id] = Some(0);
                }
            }
            Ok(())
        }
    }
}
