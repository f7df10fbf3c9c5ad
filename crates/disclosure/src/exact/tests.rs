//! The exact solver against an independent one, and against what must hold of any solver.

use std::ops::ControlFlow;

use microlp::{ComparisonOp, OptimizationDirection, Problem};
use proptest::prelude::*;

use super::*;

const BUDGET: u64 = 10_000_000;

/// Coefficients and right-hand side of each row.
type System = Vec<(Vec<i64>, i64)>;

fn rows(system: &[(Vec<i64>, i64)]) -> Vec<Row> {
    system
        .iter()
        .map(|(coefficients, rhs)| Row {
            terms: coefficients.iter().copied().enumerate().filter(|&(_, c)| c != 0).collect(),
            rhs: i128::from(*rhs),
        })
        .collect()
}

/// The optimum found by the floating-point solver: `None` if infeasible, infinite if unbounded.
#[expect(clippy::cast_precision_loss, reason = "small test coefficients")]
fn oracle(
    system: &[(Vec<i64>, i64)],
    upper: &[Option<i64>],
    column: usize,
    direction: OptimizationDirection,
) -> Option<f64> {
    let far = if direction == OptimizationDirection::Maximize { f64::INFINITY } else { f64::NEG_INFINITY };
    let mut problem = Problem::new(direction);
    let variables: Vec<_> = upper
        .iter()
        .enumerate()
        .map(|(c, bound)| {
            problem.add_var(f64::from(u8::from(c == column)), (0.0, bound.map_or(f64::INFINITY, |b| b as f64)))
        })
        .collect();
    for (coefficients, rhs) in system {
        let terms: Vec<_> = variables.iter().zip(coefficients).map(|(&v, &c)| (v, c as f64)).collect();
        problem.add_constraint(&terms, ComparisonOp::Eq, *rhs as f64);
    }
    match problem.solve() {
        Ok(outcome) => outcome.into_solution().ok().map(|solution| solution.objective()),
        Err(microlp::Error::Unbounded) => Some(far),
        Err(microlp::Error::Infeasible) => None,
        Err(other) => panic!("the oracle failed: {other}"),
    }
}

fn systems() -> impl Strategy<Value = (System, Vec<Option<i64>>)> {
    (1_usize..5, 2_usize..7).prop_flat_map(|(rows, columns)| {
        (
            prop::collection::vec((prop::collection::vec(-2_i64..3, columns), -6_i64..12), rows),
            prop::collection::vec(prop::option::of(0_i64..9), columns),
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "small test values")]
    fn the_ends_are_those_of_an_independent_solver((system, upper) in systems()) {
        let bounds: Vec<Option<i128>> = upper.iter().map(|bound| bound.map(i128::from)).collect();
        let start = Tableau::feasible(&rows(&system), bounds, BUDGET).expect("within the budget");
        prop_assert_eq!(start.is_some(), oracle(&system, &upper, 0, OptimizationDirection::Maximize).is_some());
        let Some(mut tableau) = start else { return Ok(()) };
        for column in 0..upper.len() {
            for (sense, direction) in
                [(Sense::Max, OptimizationDirection::Maximize), (Sense::Min, OptimizationDirection::Minimize)]
            {
                let end = tableau.push(column, sense, &mut |_| ControlFlow::Continue(())).expect("within the budget");
                let expected = oracle(&system, &upper, column, direction).expect("feasible");
                match end {
                    End::Optimal => {
                        let value = tableau.value(column).expect("small numbers");
                        let value = value.numerator as f64 / value.denominator as f64;
                        prop_assert!((value - expected).abs() < 1e-6, "{} instead of {}", value, expected);
                    }
                    End::Unbounded(entering) => {
                        prop_assert!(expected.is_infinite());
                        let ray = tableau.ray(entering).expect("small numbers");
                        prop_assert!(ray[column] != 0);
                        for (coefficients, _) in &system {
                            let along: i128 = coefficients.iter().zip(&ray).map(|(&c, r)| i128::from(c) * r).sum();
                            prop_assert_eq!(along, 0);
                        }
                    }
                    End::Stopped => prop_assert!(false, "nobody stopped it"),
                }
            }
        }
    }

    #[test]
    fn whole_solutions_solve_and_reach_the_end((system, _) in systems()) {
        let columns = system[0].0.len();
        let system_rows = rows(&system);
        let mut best = None;
        let mut wrong = false;
        let search = integral_points(&system_rows, columns, 0, Sense::Max, BUDGET, &mut |point| {
            wrong |= point.iter().any(|&x| x < 0);
            for (coefficients, rhs) in &system {
                let sum: i128 = coefficients.iter().zip(point).map(|(&c, x)| i128::from(c) * x).sum();
                wrong |= sum != i128::from(*rhs);
            }
            best = best.max(Some(point[0]));
            ControlFlow::Continue(())
        });
        prop_assert!(!wrong);
        // Every whole point up to ten in each column lies below the best one found, unless there was no end.
        let end = Tableau::feasible(&system_rows, vec![None; columns], BUDGET).expect("within the budget");
        let unbounded = end.is_some_and(|mut tableau| {
            tableau.push(0, Sense::Max, &mut |_| ControlFlow::Continue(())).is_ok_and(|end| end != End::Optimal)
        });
        if search.is_ok() && !unbounded && columns <= 4 {
            let mut point = vec![0_i64; columns];
            'all: loop {
                let solves = system.iter().all(|(c, rhs)| c.iter().zip(&point).map(|(c, x)| c * x).sum::<i64>() == *rhs);
                prop_assert!(!solves || best.is_some_and(|best| best >= i128::from(point[0])));
                for digit in &mut point {
                    *digit += 1;
                    if *digit <= 10 {
                        continue 'all;
                    }
                    *digit = 0;
                }
                break;
            }
        }
    }
}

#[test]
fn numbers_too_large_are_an_answer_and_not_a_wrong_bound() {
    let huge = i64::MAX / 2;
    let system = [(vec![huge, 3, 1], 7), (vec![5, huge, 2], 11), (vec![7, 2, huge], 13)];
    let outcome = Tableau::feasible(&rows(&system), vec![None; 3], BUDGET);
    assert!(matches!(outcome, Err(Overrun) | Ok(None)), "no whole-number row can hold these");
    let small = [(vec![1, 1, 1], 7)];
    assert!(matches!(Tableau::feasible(&rows(&small), vec![None; 3], 0), Err(Overrun)));
}

#[test]
fn parity_is_seen_by_whole_tables_only() {
    // 2x + 2y = 5 has fractional solutions and no whole one; 2x + 2y = 4 has three.
    for (rhs, expected) in [(5, Vec::new()), (4, vec![2])] {
        let mut found = Vec::new();
        integral_points(&rows(&[(vec![2, 2], rhs)]), 2, 0, Sense::Max, BUDGET, &mut |point| {
            found.push(point[0]);
            ControlFlow::Continue(())
        })
        .ok();
        found.dedup();
        assert_eq!(found.last(), expected.last());
    }
}
