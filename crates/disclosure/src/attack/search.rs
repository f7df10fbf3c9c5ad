//! How far each unknown of a [`World`] can go, asked of [`intervals`](crate::intervals).
//!
//! Two kinds of evidence. The *outer* interval: nothing outside it is possible. The *proven* width comes from
//! whole-number tables that satisfy every relation exactly. A need is met by proven width only, because an outer
//! interval may be wider than whole tables allow.
//!
//! Node and hub reach the same answer: both run the same search over the same numbers, within a bound on work that
//! counts terms and not time. Fractions that order candidates are quotients of two whole numbers, which every machine
//! rounds alike; what is proven is proven in whole numbers.

use std::collections::BTreeMap;

use super::world::{Contradiction, Visible, World};
use crate::intervals::{self, Asked, End, InvalidView, Seen, View};
use crate::relations::Relations;
use crate::system::{LARGEST, Relation};

/// Terms rewritten before giving up, some seconds of one core: what is not proven by then counts as unsafe.
const WORK: u64 = 1_000_000_000;

/// How far one unknown can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Nothing below is possible.
    pub(crate) low: i128,
    /// Nothing above is possible; `None`: any height is, as far as known.
    pub(crate) high: Option<i128>,
    /// Two exact tables differ here by this much; −1 if not even one is known.
    pub(crate) proven: i128,
}

impl Reach {
    fn fixed(value: i128) -> Self {
        Self { low: value, high: Some(value), proven: 0 }
    }

    fn of(interval: intervals::Interval) -> Self {
        let proven = if interval.low == End::Endless || interval.high == End::Endless {
            i128::MAX
        } else {
            let attained = interval.low.attained().zip(interval.high.attained());
            attained.map_or(-1, |(low, high)| i128::from(high) - i128::from(low))
        };
        Self { low: interval.low.bound().map_or(0, i128::from), high: interval.high.bound().map(i128::from), proven }
    }
}

/// Answers about some unknowns.
#[derive(Debug, Default)]
pub(crate) struct Reaches {
    /// By unknown; those beyond what is computed with are missing, and those whose proof ran out of work have a proven
    /// width below what was asked.
    pub(crate) of: BTreeMap<usize, Reach>,
}

/// For each unknown asked for, tries to prove that it can vary by the width given; where that fails, the outer
/// interval is exact (as far as the work allows). With a width of `None`, it is in any case.
pub(crate) fn explore(mut world: World, asked: &BTreeMap<usize, Option<i128>>) -> Result<Reaches, Contradiction> {
    world.settle()?;
    let mut reaches = Reaches::default();
    for &id in asked.keys() {
        if let Some(value) = world.known[id] {
            reaches.of.insert(id, Reach::fixed(value));
        }
    }
    let Some((view, equalities)) = view(&world)? else { return Ok(reaches) };
    let blamed = |contradiction: intervals::Contradiction| {
        let members =
            contradiction.relations.iter().flat_map(|&relation| world.equalities[equalities[relation]].iter());
        Contradiction(members.map(|&(id, _)| id).collect())
    };
    let hidden = |id: &usize| world.known[*id].is_none();
    let widths = asked.iter().filter(|(id, _)| hidden(id)).filter_map(|(&id, &width)| {
        // No figure is that large: whatever is endless varies by as much, and nothing else does.
        Some((id, i64::try_from(width?).map_or(4 * LARGEST, |width| width.min(4 * LARGEST))))
    });
    let widths: BTreeMap<usize, i64> = widths.collect();
    let mut ends: Vec<usize> =
        asked.iter().filter(|(id, width)| hidden(id) && width.is_none()).map(|(&id, _)| id).collect();
    let mut work = WORK;
    let mut table = None;
    if !widths.is_empty() {
        let answer = intervals::reach(&view, &Asked::widths(widths.clone()).within(work)).map_err(blamed)?;
        for &(id, interval) in answer.intervals() {
            let reach = Reach::of(interval);
            reaches.of.insert(id, reach);
            if reach.proven < widths[&id].into() && !(interval.low.settled() && interval.high.settled()) {
                ends.push(id);
            }
        }
        work = work.saturating_sub(answer.account().work);
        table = answer.witnesses().table(0);
    }
    if widths.is_empty() || !ends.is_empty() {
        let mut question = Asked::intervals().about(ends).within(work);
        if let Some(table) = table {
            question = question.from_table(table);
        }
        let answer = intervals::reach(&view, &question).map_err(blamed)?;
        for &(id, interval) in answer.intervals() {
            let reach = Reach::of(interval);
            let known = reaches.of.entry(id).or_insert(reach);
            *known = Reach { proven: known.proven.max(reach.proven), ..reach };
        }
    }
    Ok(reaches)
}

/// A whole table that agrees with everything visible, if one is found.
pub(crate) fn any_table(relations: &Relations, visible: &Visible) -> Option<Vec<i64>> {
    let mut world = World::of(relations, visible);
    world.settle().ok()?;
    let (view, _) = view(&world).ok()??;
    let reached = intervals::reach(&view, &Asked::intervals().about([]).within(WORK)).ok()?;
    reached.witnesses().table(0)
}

/// The world as the engine sees it, and for each of its relations the equality it comes from; `None` where numbers
/// are too large for it.
fn view(world: &World) -> Result<Option<(View, Vec<usize>)>, Contradiction> {
    let mut cells = Vec::with_capacity(world.known.len());
    for (known, &floor) in world.known.iter().zip(&world.floor) {
        let seen = match known {
            Some(value) => i64::try_from(*value).map(Seen::Shown),
            None => i64::try_from(floor).map(|low| Seen::Hidden { low, high: None }),
        };
        let Ok(seen) = seen else { return Ok(None) };
        cells.push(seen);
    }
    let mut relations = Vec::new();
    let mut equalities = Vec::new();
    for (index, equality) in world.equalities.iter().enumerate() {
        // What is visible in full was looked at when the world was settled.
        if equality.iter().any(|&(id, _)| world.known[id].is_none()) {
            relations.push(Relation { terms: equality.clone() });
            equalities.push(index);
        }
    }
    match View::new(cells, &relations) {
        Ok(view) => Ok(Some((view, equalities))),
        Err(InvalidView::LargeCell(_)) => Ok(None),
        Err(InvalidView::Malformed(relation) | InvalidView::LargeRelation(relation)) => {
            Err(Contradiction(relations[relation].terms.iter().map(|&(id, _)| id).collect()))
        }
        Err(InvalidView::Empty(cell) | InvalidView::Known(cell)) => Err(Contradiction(vec![cell])),
    }
}
