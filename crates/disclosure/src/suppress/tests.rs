//! The engine against an intruder who tries every table.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{Ask, Unprotectable, suppress};
use crate::system::{Axis, Cell, Grid, Relation, Standing, System};
use crate::witness::Short;

/// Steps of exhaustion before giving up.
const STEPS: u32 = 60_000;

/// The ranges of `asked` over all tables that agree with what is not hidden, by trying them all.
struct Exhaustion<'a> {
    system: &'a System,
    hidden: &'a [usize],
    figure: Vec<i64>,
    /// Per relation: what the cells decided so far add up to, and how many hidden ones are left.
    sums: Vec<(i64, usize)>,
    slack: i64,
    /// Whether a figure was not tried because it is far from the true one.
    cut: bool,
    ranges: Vec<(i64, i64)>,
    steps: u32,
}

impl<'a> Exhaustion<'a> {
    /// The ranges, and whether they are all there is; `None` if there are too many tables to try.
    fn ranges(system: &'a System, hidden: &'a [usize], slack: i64) -> Option<(Vec<(i64, i64)>, bool)> {
        let figure: Vec<i64> = system.cells().iter().map(|cell| cell.value).collect();
        let is_hidden = |cell: usize| hidden.binary_search(&cell).is_ok();
        let sums = (0..system.relations())
            .map(|relation| {
                let shown = system.relation(relation).filter(|&(cell, _)| !is_hidden(cell));
                let left = system.relation(relation).filter(|&(cell, _)| is_hidden(cell)).count();
                (shown.map(|(cell, coefficient)| coefficient * figure[cell]).sum(), left)
            })
            .collect();
        let ranges = figure.iter().map(|&value| (value, value)).collect();
        let mut search = Self { system, hidden, figure, sums, slack, cut: false, ranges, steps: 0 };
        search.decide(0).then_some((search.ranges, !search.cut))
    }

    fn decide(&mut self, next: usize) -> bool {
        self.steps += 1;
        if self.steps > STEPS {
            return false;
        }
        let Some(&cell) = self.hidden.get(next) else {
            for (range, &figure) in self.ranges.iter_mut().zip(&self.figure) {
                *range = (range.0.min(figure), range.1.max(figure));
            }
            return true;
        };
        let known = &self.system.cells()[cell];
        let (mut least, mut most) = (known.low, known.high.unwrap_or(i64::MAX));
        // The last hidden cell of a relation is what is left of it.
        for (relation, coefficient) in self.system.uses(cell) {
            let (sum, left) = self.sums[relation];
            if left == 1 {
                if sum % coefficient != 0 {
                    return true;
                }
                least = least.max(-sum / coefficient);
                most = most.min(-sum / coefficient);
            }
        }
        if least <= most && most > known.value + self.slack {
            self.cut = true;
            most = known.value + self.slack;
        }
        let mut complete = true;
        for figure in least..=most {
            self.figure[cell] = figure;
            self.add(cell, figure, true);
            complete = self.decide(next + 1);
            self.add(cell, figure, false);
            if !complete {
                break;
            }
        }
        self.figure[cell] = known.value;
        complete
    }

    fn add(&mut self, cell: usize, figure: i64, forward: bool) {
        for (relation, coefficient) in self.system.uses(cell) {
            let (sum, left) = &mut self.sums[relation];
            if forward {
                *sum += coefficient * figure;
                *left -= 1;
            } else {
                *sum -= coefficient * figure;
                *left += 1;
            }
        }
    }
}

/// A small axis: flat, nested, or with two groupings of one total.
fn axis(shape: u8) -> Axis {
    let groupings: Vec<(&str, Vec<&str>)> = match shape % 4 {
        0 => vec![("T", vec!["a", "b"])],
        1 => vec![("T", vec!["a", "b", "c"])],
        2 => vec![("T", vec!["m", "c"]), ("m", vec!["a", "b"])],
        _ => vec![("T", vec!["m", "c"]), ("m", vec!["a", "b"]), ("T", vec!["a", "n"]), ("n", vec!["b", "c"])],
    };
    Axis::new(groupings).expect("a small hierarchy")
}

/// Fills a grid from its finest cells, primary below the threshold, some cells frozen.
fn fill(grid: &Grid, mut draw: impl FnMut() -> u32, threshold: i64, zeros: bool, frozen: u32) -> System {
    let relations = grid.relations();
    let mut values: Vec<Option<i64>> = vec![None; grid.cells()];
    let parents: Vec<usize> = relations.iter().map(|relation| relation.terms[0].0).collect();
    for (cell, value) in values.iter_mut().enumerate() {
        if !parents.contains(&cell) {
            let drawn = draw();
            *value = Some(if drawn.is_multiple_of(5) { 0 } else { i64::from(drawn % 9) });
        }
    }
    while values.contains(&None) {
        for Relation { terms } in &relations {
            let sum: Option<i64> = terms[1..].iter().map(|&(cell, _)| values[cell]).sum();
            if let (None, Some(sum)) = (values[terms[0].0], sum) {
                values[terms[0].0] = Some(sum);
            }
        }
    }
    let cells = values.into_iter().map(|value| {
        let value = value.expect("filled above");
        let primary = value < threshold && (value > 0 || zeros);
        let mut cell = if primary { Cell::primary(value) } else { Cell::open(value) };
        if value == 0 && !zeros {
            cell.standing = Standing::Shown;
        } else if !primary && draw() % 100 < frozen {
            cell.standing = if draw().is_multiple_of(2) { Standing::Shown } else { Standing::Hidden };
        }
        cell
    });
    System::new(cells.collect(), &relations).expect("sums add up")
}

fn grid(shapes: &[u8]) -> Grid {
    Grid::new(shapes.iter().map(|&shape| axis(shape)).collect())
}

#[test]
fn exhaustion_never_finds_a_primary_narrower_than_proven() {
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 400, failure_persistence: None, ..Config::default() },
        prop::test_runner::TestRng::deterministic_rng(prop::test_runner::RngAlgorithm::ChaCha),
    );
    let shapes = prop::collection::vec(0_u8..4, 1..=4).prop_filter("small", |shapes| grid(shapes).cells() <= 120);
    let worlds = (shapes, prop::collection::vec(any::<u32>(), 300), 2_i64..6, any::<bool>(), 0_u32..30, 1_u32..6);
    let (mut tried, mut protected, mut refused) = (0, 0, 0);
    let seen = std::cell::RefCell::new((&mut tried, &mut protected, &mut refused));
    runner
        .run(&worlds, |(shapes, drawn, threshold, zeros, frozen, width)| {
            let mut drawn = drawn.into_iter().cycle();
            let draw = || drawn.next().expect("a cycle");
            let system = fill(&grid(&shapes), draw, threshold, zeros, frozen);
            let mut seen = seen.borrow_mut();
            match suppress(&system, Ask::width(width)) {
                Ok(pattern) => {
                    *seen.1 += 1;
                    prop_assert_eq!(pattern.proof.check(&system, &pattern.hidden, width), Ok(()));
                    let Some((ranges, all)) = Exhaustion::ranges(&system, &pattern.hidden, 12) else { return Ok(()) };
                    for (cell, known) in system.cells().iter().enumerate() {
                        let (low, high) = ranges[cell];
                        let wide = known.standing != Standing::Primary || high - low >= i64::from(width);
                        prop_assert!(wide || !all, "cell {} reaches {}..{}", cell, low, high);
                        if known.standing == Standing::Primary && wide {
                            *seen.0 += 1;
                        }
                    }
                }
                Err(_) => *seen.2 += 1,
            }
            Ok(())
        })
        .expect("no narrower interval");
    assert!(
        tried > 500 && protected > 150 && refused > 10,
        "{tried} exhausted, {protected} protected, {refused} refused"
    );
}

#[test]
fn shown_cells_never_change_and_hidden_ones_stay_hidden() {
    let grid = grid(&[2, 1]);
    let mut state = 7_u32;
    let draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    let system = fill(&grid, draw, 4, false, 20);
    let pattern = suppress(&system, Ask::width(3)).expect("room to hide");
    for (cell, known) in system.cells().iter().enumerate() {
        let hidden = pattern.hidden.contains(&cell);
        match known.standing {
            Standing::Shown => assert!(!hidden),
            Standing::Hidden | Standing::Primary => assert!(hidden),
            Standing::Open => assert_eq!(hidden, pattern.secondary.contains(&cell)),
        }
    }
}

#[test]
fn a_primary_between_frozen_figures_is_refused_by_name() {
    let shown = |value| Cell { standing: Standing::Shown, ..Cell::open(value) };
    let sum = Relation { terms: vec![(0, 1), (1, -1), (2, -1)] };
    let system = System::new(vec![shown(12), Cell::primary(3), shown(9)], std::slice::from_ref(&sum)).expect("sums");
    assert_eq!(suppress(&system, Ask::width(1)).expect_err("computable"), Unprotectable::Computable(vec![1]));
    // Two hidden counts under a shown total of 4 vary by 4, not by 5.
    let tight = System::new(vec![shown(4), Cell::primary(3), Cell::primary(1)], &[sum]).expect("sums");
    assert!(suppress(&tight, Ask::width(4)).is_ok());
    assert_eq!(suppress(&tight, Ask::width(5)).expect_err("narrow"), Unprotectable::Narrow(vec![1, 2]));
}

#[test]
fn dear_cells_stay_visible() {
    // T = a + b + c: the primary needs one companion, and the cheapest is enough.
    let sum = Relation { terms: vec![(0, 1), (1, -1), (2, -1), (3, -1)] };
    let cells = vec![Cell::open(60), Cell::primary(2), Cell::open(50), Cell::open(8)];
    let system = System::new(cells, &[sum]).expect("sums");
    assert_eq!(suppress(&system, Ask::width(5)).expect("room").secondary, [3]);
}

#[test]
fn without_work_everything_undecided_stays_hidden_and_safe() {
    let system = {
        let mut next = 0_u32;
        let draw = || {
            next += 7;
            next
        };
        fill(&grid(&[1, 2]), draw, 4, false, 0)
    };
    let ask = Ask { width: 4, work: 0 };
    let idle = suppress(&system, ask).expect("room to hide");
    let busy = suppress(&system, Ask::width(4)).expect("room to hide");
    assert!(idle.secondary.len() > busy.secondary.len());
    assert_eq!(idle.proof.check(&system, &idle.hidden, 4), Ok(()));
}

#[test]
fn a_proof_is_refused_when_less_is_hidden_or_more_is_asked() {
    let system = fill(
        &grid(&[1, 1]),
        {
            let mut n = 3;
            move || {
                n += 5;
                n
            }
        },
        4,
        false,
        0,
    );
    let pattern = suppress(&system, Ask::width(3)).expect("room to hide");
    let less = &pattern.hidden[1..];
    assert!(matches!(pattern.proof.check(&system, less, 3), Err(Short::Unsound(_))));
    assert!(matches!(pattern.proof.check(&system, &pattern.hidden, 10_000), Err(Short::Narrow(_))));
}
