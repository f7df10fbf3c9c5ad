//! Which cells to hide beside a cell, so that it can vary: the cheapest exact move.
//!
//! The true table satisfies all relations. Another table that differs in the target by the width asked, and otherwise
//! only in hidden cells, is a certificate. So the cells to hide are the support of the cheapest move from the true
//! table to such another: a small linear program over exact integers (the attacker's sub-problem of Kelly, Golden and
//! Assad, 1992, with costs).

use std::collections::{BTreeMap, BTreeSet};

use super::truth::Truth;
use crate::exact::{End, Row, Tableau};
use crate::relations::{Equality, Relations, Standing};

/// Entries rewritten per program before another way is tried.
const BUDGET: u64 = 300_000_000;

/// What may be moved, and at which price.
pub(super) struct Mover<'a> {
    pub(super) relations: &'a Relations,
    pub(super) truth: &'a Truth,
    pub(super) hidden: &'a BTreeSet<usize>,
    /// Known to everybody already: hiding them does not help.
    pub(super) frozen: &'a BTreeSet<usize>,
    pub(super) costs: &'a [i64],
}

/// How far a cell can move up and down while the cells outside its neighbourhood stay.
type Limits = BTreeMap<usize, (Option<i128>, Option<i128>)>;

impl Mover<'_> {
    /// The cells to hide, besides those hidden already, so that `target` can vary by `width`: the cheapest set found,
    /// `None` if there is no way. Moves stay among cells of the same quantity and conditions; where the slack of an
    /// inequality with other cells is too small for that, those cells are hidden too. The caller checks the outcome.
    pub(super) fn support(&self, target: usize, width: i128) -> Option<BTreeSet<usize>> {
        let cost = |cells: &BTreeSet<usize>| cells.iter().map(|&cell| self.costs[cell]).sum::<i64>();
        let cheapest = |limited: bool| {
            self.ways(target)
                .into_iter()
                .filter_map(|(cell, sign)| {
                    let scope = self.neighbourhood(cell);
                    let limits = if limited { self.limits(&scope) } else { Limits::new() };
                    self.cheapest(&scope, &limits, cell, sign, width)
                })
                .min_by_key(cost)
        };
        cheapest(true).or_else(|| cheapest(false))
    }

    /// The target itself if it is part of a line; for a difference, either of its terms.
    fn ways(&self, target: usize) -> Vec<(usize, i128)> {
        if self.relations.cells[target].rows.is_some() {
            return vec![(target, 1)];
        }
        let of = self.relations.equalities.iter().find(|equality| equality.parts.get(1) == Some(&target));
        of.map(|equality| vec![(equality.parts[0], -1), (equality.whole, 1)]).unwrap_or_default()
    }

    /// Equalities among cells with the same quantity and conditions as `cell`.
    fn neighbourhood(&self, cell: usize) -> Vec<&Equality> {
        let group =
            |cell: usize| self.relations.cells[cell].rows.as_ref().map(|(quantity, rows)| (quantity, &rows.conditions));
        let own = group(cell);
        let inside = |equality: &&Equality| {
            let mut members = std::iter::once(&equality.whole).chain(&equality.parts);
            // What the table does not determine, a move from the true table cannot start from.
            members.all(|&member| group(member) == own && self.truth.get(member).is_some())
        };
        self.relations.equalities.iter().filter(inside).collect()
    }

    /// How far cells can move (up, down) while the cells outside `scope` stay: an inequality's slack.
    fn limits(&self, scope: &[&Equality]) -> Limits {
        let mut limits: Limits = BTreeMap::new();
        let tighter = |old: Option<i128>, new: i128| Some(old.map_or(new, |old| old.min(new)));
        for equality in &self.relations.equalities {
            if let &[part, rest] = equality.parts.as_slice()
                && self.relations.cells[rest].rows.is_none()
                && !scope.contains(&equality)
            {
                let slack = self.truth.value(rest);
                let inner = limits.entry(part).or_default();
                inner.0 = tighter(inner.0, slack);
                let outer = limits.entry(equality.whole).or_default();
                outer.1 = tighter(outer.1, slack);
            }
        }
        limits
    }

    /// The cheapest of: up by `width`, down by `width`, or as far down as possible and the rest up.
    fn cheapest(
        &self,
        scope: &[&Equality],
        limits: &Limits,
        target: usize,
        sign: i128,
        width: i128,
    ) -> Option<BTreeSet<usize>> {
        let value = self.truth.value(target);
        let (above, below) = limits.get(&target).copied().unwrap_or_default();
        let height = above.map_or(width, |above| above.min(width));
        let depth = below.map_or(value, |below| below.min(value)).min(width);
        let mut ways: Vec<Vec<i128>> = Vec::new();
        if height == width {
            ways.push(vec![width]);
        }
        if depth == width {
            ways.push(vec![-width]);
        }
        if depth > 0 && depth < width && height >= width - depth {
            ways.push(vec![-depth, width - depth]);
        }
        if height > 0 && height < width && depth >= width - height {
            ways.push(vec![height, height - width]);
        }
        ways.iter()
            .filter_map(|way| {
                let mut cells = BTreeSet::from([target]);
                for amount in way {
                    let mut moved = self.program(scope, limits, target, sign.signum() * amount)?;
                    moved.insert(target, sign.signum() * amount);
                    cells.extend(self.in_the_way(scope, &moved));
                    cells.extend(moved.keys());
                }
                cells.retain(|&cell| {
                    !self.hidden.contains(&cell)
                        && !self.frozen.contains(&cell)
                        && self.relations.cells[cell].standing == Standing::Protected
                });
                Some(cells)
            })
            .min_by_key(|cells| cells.iter().map(|&cell| self.costs[cell]).sum::<i64>())
    }

    /// Cells outside the neighbourhood whose inequality leaves less slack than the moves need.
    fn in_the_way(&self, scope: &[&Equality], moved: &BTreeMap<usize, i128>) -> BTreeSet<usize> {
        let by = |cell: usize| moved.get(&cell).copied().unwrap_or(0);
        let mut cells = BTreeSet::new();
        for equality in &self.relations.equalities {
            if let &[part, rest] = equality.parts.as_slice()
                && self.relations.cells[rest].rows.is_none()
                && !scope.contains(&equality)
                && by(part) - by(equality.whole) > self.truth.value(rest)
            {
                cells.extend([part, equality.whole]);
            }
        }
        cells
    }

    /// The cells that move, and by how much, in the cheapest move of `target` by `amount`.
    fn program(
        &self,
        scope: &[&Equality],
        limits: &Limits,
        target: usize,
        amount: i128,
    ) -> Option<BTreeMap<usize, i128>> {
        let mut columns: BTreeMap<usize, usize> = BTreeMap::new();
        let mut movable = Vec::new();
        for equality in scope {
            for &cell in std::iter::once(&equality.whole).chain(&equality.parts) {
                if cell != target && !columns.contains_key(&cell) && self.may_move(cell) {
                    columns.insert(cell, movable.len());
                    movable.push(cell);
                }
            }
        }
        let mut rows = Vec::new();
        for equality in scope {
            let members = std::iter::once((equality.whole, 1)).chain(equality.parts.iter().map(|&part| (part, -1)));
            let mut row = Row { terms: Vec::new(), rhs: 0 };
            for (cell, sign) in members {
                if cell == target {
                    row.rhs -= i128::from(sign) * amount;
                } else if let Some(&column) = columns.get(&cell) {
                    row.terms.push((2 * column, sign));
                    row.terms.push((2 * column + 1, -sign));
                }
            }
            rows.push(row);
        }
        let mut upper = Vec::new();
        let mut costs = Vec::new();
        for &cell in &movable {
            let (above, below) = limits.get(&cell).copied().unwrap_or_default();
            let value = self.truth.value(cell);
            upper.push(above);
            upper.push(Some(below.map_or(value, |below| below.min(value))));
            let free = self.hidden.contains(&cell) || self.relations.cells[cell].standing == Standing::Derived;
            let cost = if free { 0 } else { self.costs[cell] };
            costs.extend([cost, cost]);
        }
        let mut tableau = Tableau::feasible(&rows, upper, BUDGET).ok()??;
        if tableau.minimise(&costs).ok()? != End::Optimal {
            return None;
        }
        let mut moved = BTreeMap::new();
        for (column, &cell) in movable.iter().enumerate() {
            let (up, down) = (tableau.value(2 * column).ok()?, tableau.value(2 * column + 1).ok()?);
            // Rounded away from zero: the caller asks who moves, and how far at most.
            let by = up.ceil() - down.floor();
            if up != down {
                moved.insert(cell, by);
            }
        }
        Some(moved)
    }

    fn may_move(&self, cell: usize) -> bool {
        match self.relations.cells[cell].standing {
            Standing::Open => false,
            Standing::Derived => true,
            Standing::Protected => !self.frozen.contains(&cell),
        }
    }
}
