//! The relaxation by another solver.

use microlp::{ComparisonOp, OptimizationDirection, Problem};

use super::World;

/// The extreme of one hidden cell; `None` if there is no limit.
pub(super) fn extreme(world: &World, asked: usize, up: bool) -> Option<f64> {
    let figure = |at: i64| f64::from(i32::try_from(at).expect("small figures"));
    let way = if up { OptimizationDirection::Maximize } else { OptimizationDirection::Minimize };
    let mut problem = Problem::new(way);
    let variables: Vec<_> = (0..world.figures.len())
        .map(|cell| {
            let value = figure(world.figures[cell]);
            let range = if world.hides[cell] {
                (figure(world.low[cell]), world.high[cell].map_or(f64::INFINITY, figure))
            } else {
                (value, value)
            };
            problem.add_var(if cell == asked { 1.0 } else { 0.0 }, range)
        })
        .collect();
    for relation in &world.relations {
        let terms = relation.terms.iter().map(|&(cell, coefficient)| (variables[cell], figure(coefficient)));
        problem.add_constraint(terms.collect::<Vec<_>>().as_slice(), ComparisonOp::Eq, 0.0);
    }
    match problem.solve() {
        Ok(outcome) => Some(outcome.into_solution().expect("no limits were set").objective()),
        Err(microlp::Error::Unbounded) => None,
        Err(fault) => panic!("the true table agrees: {fault}"),
    }
}
