//! Whole solutions where vertices are fractional: branch and bound on exact vertices.

use std::ops::ControlFlow;

use super::tableau::{End, Overrun, Row, Sense, Tableau, Value};

/// Vertices visited before giving up: "not proven" is a safe answer.
const NODES: u32 = 200;

/// Shows `found` whole solutions of `rows` with `x ≥ 0`, ever more extreme in `column`, until it breaks, none more
/// extreme exists, or the search is exhausted.
pub(crate) fn integral_points(
    rows: &[Row],
    columns: usize,
    column: usize,
    sense: Sense,
    mut budget: u64,
    found: &mut dyn FnMut(&[i128]) -> ControlFlow<()>,
) -> Result<(), Overrun> {
    let mut open = vec![Node { low: vec![0; columns], high: vec![None; columns] }];
    let mut best: Option<i128> = None;
    let mut visited = 0;
    while let Some(node) = open.pop() {
        visited += 1;
        if visited > NODES {
            return Err(Overrun);
        }
        let shifted = node.shift(rows)?;
        let Some(mut tableau) = Tableau::feasible(&shifted, node.ranges(), budget)? else { continue };
        let mut stop = false;
        let end = tableau.push(column, sense, &mut |vertex| match vertex.integral_point() {
            Some(point) => {
                let point = node.unshift(&point);
                best = Some(best.map_or(point[column], |b| more_extreme(sense, b, point[column])));
                let flow = found(&point);
                stop = flow.is_break();
                flow
            }
            None => ControlFlow::Continue(()),
        })?;
        budget = tableau.budget();
        if stop {
            return Ok(());
        }
        if let Some(point) = tableau.integral_point() {
            let point = node.unshift(&point);
            best = Some(best.map_or(point[column], |b| more_extreme(sense, b, point[column])));
            if found(&point).is_break() {
                return Ok(());
            }
            continue;
        }
        if end == End::Optimal
            && let Some(best) = best
        {
            let value = tableau.value(column)?;
            let reachable = match sense {
                Sense::Max => value.floor() + node.low[column] > best,
                Sense::Min => value.ceil() + node.low[column] < best,
            };
            if !reachable {
                continue;
            }
        }
        let (split, value) = tableau.first_fraction()?.ok_or(Overrun)?;
        let floor = value.floor().checked_add(node.low[split]).ok_or(Overrun)?;
        let mut below = node.clone();
        below.high[split] = Some(floor);
        let mut above = node;
        above.low[split] = floor + 1;
        // The side last pushed is tried first.
        match sense {
            Sense::Max => open.extend([below, above]),
            Sense::Min => open.extend([above, below]),
        }
    }
    Ok(())
}

fn more_extreme(sense: Sense, a: i128, b: i128) -> i128 {
    match sense {
        Sense::Max => a.max(b),
        Sense::Min => a.min(b),
    }
}

#[derive(Clone)]
struct Node {
    low: Vec<i128>,
    high: Vec<Option<i128>>,
}

impl Node {
    fn ranges(&self) -> Vec<Option<i128>> {
        self.low.iter().zip(&self.high).map(|(low, high)| high.map(|high| high - low)).collect()
    }

    fn shift(&self, rows: &[Row]) -> Result<Vec<Row>, Overrun> {
        rows.iter()
            .map(|row| {
                let shift = row.terms.iter().try_fold(0_i128, |sum, &(column, coefficient)| {
                    sum.checked_add(self.low[column].checked_mul(i128::from(coefficient))?)
                });
                let rhs = shift.and_then(|shift| row.rhs.checked_sub(shift)).ok_or(Overrun)?;
                Ok(Row { terms: row.terms.clone(), rhs })
            })
            .collect()
    }

    fn unshift(&self, point: &[i128]) -> Vec<i128> {
        point.iter().zip(&self.low).map(|(x, low)| x + low).collect()
    }
}

impl Tableau {
    fn first_fraction(&self) -> Result<Option<(usize, Value)>, Overrun> {
        for column in 0..self.columns() {
            let value = self.value(column)?;
            if value.integer().is_none() {
                return Ok(Some((column, value)));
            }
        }
        Ok(None)
    }
}
