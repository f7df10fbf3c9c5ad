//! How far each unknown can go, and the exact tables that prove it.
//!
//! Two kinds of evidence. The *outer* interval comes from the linear relaxation: nothing outside it is possible. The
//! *proven* width comes from whole-number tables that satisfy every relation exactly: each table found is checked
//! against all equalities before it counts, and serves all unknowns at once. A need is met by proven width only,
//! because the relaxation may be wider than the integers allow.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::world::{Contradiction, World};
use crate::exact::{End, Overrun, Row, Sense, Tableau, integral_points};

/// Entries rewritten per connected component before giving up, about two seconds of one core.
const BUDGET: u64 = 2_000_000_000;

/// How far one unknown can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Nothing below is possible.
    pub(crate) low: i128,
    /// Nothing above is possible; `None`: any height is.
    pub(crate) high: Option<i128>,
    /// Two exact tables differ here by this much.
    pub(crate) proven: i128,
}

/// Answers about some unknowns.
#[derive(Debug, Default)]
pub(crate) struct Reaches {
    /// By unknown; those whose proof ran out of budget are missing, or have a proven width below what was asked.
    pub(crate) of: BTreeMap<usize, Reach>,
}

/// For each unknown asked for, tries to prove that it can vary by the width given; where that fails, the outer
/// interval is exact. With a width of `None`, the outer interval is computed in any case.
pub(crate) fn explore(mut world: World, asked: &BTreeMap<usize, Option<i128>>) -> Result<Reaches, Contradiction> {
    world.settle()?;
    let mut reaches = Reaches::default();
    for &id in asked.keys() {
        if let Some(value) = world.known[id] {
            reaches.of.insert(id, Reach { low: value, high: Some(value), proven: 0 });
        }
    }
    for component in components(&world)? {
        component.explore(asked, &mut reaches)?;
    }
    Ok(reaches)
}

/// Unknowns that hang together.
struct Component {
    ids: Vec<usize>,
    rows: Vec<Row>,
    floor: Vec<i128>,
}

fn components(world: &World) -> Result<Vec<Component>, Contradiction> {
    let mut leader: Vec<usize> = (0..world.known.len()).collect();
    let open_of = |equality: &[(usize, i64)]| -> Vec<(usize, i64)> {
        equality.iter().copied().filter(|&(id, _)| world.known[id].is_none()).collect()
    };
    for equality in &world.equalities {
        let open = open_of(equality);
        for pair in open.windows(2) {
            let (a, b) = (find(&mut leader, pair[0].0), find(&mut leader, pair[1].0));
            leader[a.max(b)] = a.min(b);
        }
    }
    let mut found: BTreeMap<usize, Component> = BTreeMap::new();
    let mut column = vec![0_usize; world.known.len()];
    for id in (0..world.known.len()).filter(|&id| world.known[id].is_none()) {
        let component = found.entry(find(&mut leader, id)).or_insert_with(|| Component {
            ids: Vec::new(),
            rows: Vec::new(),
            floor: Vec::new(),
        });
        column[id] = component.ids.len();
        component.ids.push(id);
        component.floor.push(world.floor[id]);
    }
    for equality in &world.equalities {
        let open = open_of(equality);
        let Some(&(first, _)) = open.first() else { continue };
        let shown = equality.iter().try_fold(0_i128, |sum, &(id, sign)| {
            sum.checked_add(i128::from(sign).checked_mul(world.known[id].unwrap_or(world.floor[id]))?)
        });
        let Some(shown) = shown else { return Err(Contradiction(equality.iter().map(|&(id, _)| id).collect())) };
        let mut terms: BTreeMap<usize, i64> = BTreeMap::new();
        for (id, sign) in open {
            *terms.entry(column[id]).or_default() += sign;
        }
        terms.retain(|_, coefficient| *coefficient != 0);
        let row = Row { terms: terms.into_iter().collect(), rhs: -shown };
        if let Some(component) = found.get_mut(&find(&mut leader, first)) {
            component.rows.push(row);
        }
    }
    Ok(found.into_values().collect())
}

fn find(leader: &mut [usize], mut id: usize) -> usize {
    while leader[id] != id {
        leader[id] = leader[leader[id]];
        id = leader[id];
    }
    id
}

/// The whole tables seen so far: least and greatest value of each column, and one table to walk from.
struct Seen<'a> {
    rows: &'a [Row],
    table: Option<Vec<i128>>,
    low: Vec<i128>,
    high: Vec<i128>,
}

impl Seen<'_> {
    /// Counts a table if it satisfies everything, exactly.
    fn admit(&mut self, table: &[i128]) {
        if !holds(self.rows, table) {
            return;
        }
        if self.table.is_none() {
            self.table = Some(table.to_vec());
            self.low = table.to_vec();
            self.high = table.to_vec();
        } else {
            for (column, &value) in table.iter().enumerate() {
                self.low[column] = self.low[column].min(value);
                self.high[column] = self.high[column].max(value);
            }
        }
    }

    fn width(&self, column: usize) -> i128 {
        if self.table.is_none() { -1 } else { self.high[column] - self.low[column] }
    }

    /// Walks from the known table along a direction that never ends, far enough to vary `column` by `width`.
    fn walk(&mut self, ray: &[i128], column: usize, width: i128) {
        let (Some(table), true) = (self.table.clone(), ray[column] != 0) else { return };
        let steps = width / ray[column].abs() + 1;
        let far: Option<Vec<i128>> =
            table.iter().zip(ray).map(|(x, d)| d.checked_mul(steps).and_then(|d| x.checked_add(d))).collect();
        if let Some(far) = far {
            self.admit(&far);
        }
    }
}

fn holds(rows: &[Row], table: &[i128]) -> bool {
    table.iter().all(|&value| value >= 0)
        && rows.iter().all(|row| {
            let sum = row.terms.iter().try_fold(0_i128, |sum, &(column, coefficient)| {
                sum.checked_add(table[column].checked_mul(i128::from(coefficient))?)
            });
            sum == Some(row.rhs)
        })
}

impl Component {
    fn explore(&self, asked: &BTreeMap<usize, Option<i128>>, reaches: &mut Reaches) -> Result<(), Contradiction> {
        let start = match Tableau::feasible(&self.rows, vec![None; self.ids.len()], BUDGET) {
            Ok(Some(tableau)) => tableau,
            Ok(None) => return Err(Contradiction(self.ids.clone())),
            Err(Overrun) => return Ok(()),
        };
        let mut tableau = start;
        let mut seen = Seen { rows: &self.rows, table: None, low: Vec::new(), high: Vec::new() };
        if let Some(point) = tableau.integral_point() {
            seen.admit(&point);
        }
        for (column, id) in self.ids.iter().enumerate() {
            let Some(&width) = asked.get(id) else { continue };
            match self.reach(&mut tableau, &mut seen, column, width) {
                Ok(reach) => {
                    reaches.of.insert(*id, reach);
                }
                Err(Overrun) => break,
            }
        }
        Ok(())
    }

    fn reach(
        &self,
        tableau: &mut Tableau,
        seen: &mut Seen<'_>,
        column: usize,
        width: Option<i128>,
    ) -> Result<Reach, Overrun> {
        let goal = width.unwrap_or(i128::MAX);
        let floor = self.floor[column];
        if seen.width(column) >= goal {
            // The ends are not needed any more; what was seen is inside them.
            return Ok(Reach { low: 0, high: None, proven: seen.width(column) });
        }
        let observe = |seen: &mut Seen<'_>, vertex: &Tableau| {
            if let Some(point) = vertex.integral_point() {
                seen.admit(&point);
            }
            if seen.width(column) >= goal { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let mut high = None;
        let mut ray = None;
        match tableau.push(column, Sense::Max, &mut |vertex| observe(seen, vertex))? {
            End::Stopped => return Ok(Reach { low: 0, high: None, proven: seen.width(column) }),
            End::Optimal => high = Some(tableau.value(column)?.floor()),
            End::Unbounded(entering) => ray = Some(tableau.ray(entering)?),
        }
        if let (Some(ray), Some(width)) = (&ray, width) {
            self.any_table(tableau, seen)?;
            seen.walk(ray, column, width);
            if seen.width(column) >= goal {
                return Ok(Reach { low: 0, high: None, proven: seen.width(column) });
            }
        }
        let low = match tableau.push(column, Sense::Min, &mut |vertex| observe(seen, vertex))? {
            End::Stopped => return Ok(Reach { low: 0, high: None, proven: seen.width(column) }),
            End::Optimal => tableau.value(column)?.ceil(),
            End::Unbounded(_) => return Err(Overrun),
        };
        if let Some(width) = width
            && seen.width(column) < width
            && high.is_none_or(|high| high - low >= width)
        {
            self.whole_tables(tableau, seen, column, width);
        }
        Ok(Reach { low: low + floor, high: high.map(|high| high + floor), proven: seen.width(column) })
    }

    /// Vertices were fractional: looks for whole tables between the ends.
    fn whole_tables(&self, tableau: &Tableau, seen: &mut Seen<'_>, column: usize, width: i128) {
        for sense in [Sense::Max, Sense::Min] {
            // An exhausted search proves nothing more; what was seen still counts.
            let _exhausted =
                integral_points(&self.rows, self.ids.len(), column, sense, tableau.budget(), &mut |point| {
                    seen.admit(point);
                    if seen.width(column) >= width { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                });
        }
    }

    fn any_table(&self, tableau: &Tableau, seen: &mut Seen<'_>) -> Result<(), Overrun> {
        if seen.table.is_some() {
            return Ok(());
        }
        integral_points(&self.rows, self.ids.len(), 0, Sense::Max, tableau.budget(), &mut |point| {
            seen.admit(point);
            ControlFlow::Break(())
        })
    }
}
