//! Small systems whose answer a person can check with a pencil; large numbers of them are in [`random`].

mod random;
mod worlds;

use super::{Ask, Unprotectable, suppress};
use crate::fixture::grids::{add_up, grid};
use crate::system::{Cell, Grid, Need, Relation, Standing, System};
use crate::witness::Short;

/// Fills a grid from its finest cells, primary below the threshold, some cells frozen.
fn fill(grid: &Grid, mut draw: impl FnMut() -> u32, threshold: i64, zeros: bool, frozen: u32) -> System {
    let relations = grid.relations();
    let values = add_up(grid.cells(), &relations, || {
        let drawn = draw();
        if drawn.is_multiple_of(5) { 0 } else { i64::from(drawn % 9) }
    });
    let cells = values.into_iter().map(|value| {
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

#[test]
fn a_proof_is_refused_when_a_primary_or_a_frozen_cell_is_shown() {
    // Needs of zero: no table is needed to prove them, and still they must be hidden.
    let frozen = Cell { standing: Standing::Hidden, ..Cell::open(7) };
    let system = System::new(vec![Cell::primary(3), frozen, Cell::open(4)], &[]).expect("no relations");
    let system = system.needing(0, Need::default());
    let pattern = suppress(&system, Ask::width(1)).expect("nothing to prove");
    assert_eq!(pattern.hidden, [0, 1]);
    assert_eq!(pattern.proof.check(&system, &[0, 1], 1), Ok(()));
    assert_eq!(pattern.proof.check(&system, &[0], 1), Err(Short::Bare(vec![1])));
    assert_eq!(pattern.proof.check(&system, &[1, 2], 1), Err(Short::Bare(vec![0])));
}

#[test]
fn large_figures_vary_by_large_widths() {
    // A table of weights of three zones by two natures, in thousandths; nothing is shown.
    let weights = [1_092_827_259_i64, 0, 2_456_779_922, 1_439_304_051, 2_457_779_820, 0];
    let [total, first, second] = [7_446_691_052, 3_897_083_871, 3_549_607_181];
    let zones = [2_456_779_922, 2_457_779_820, 2_532_131_310];
    let primaries = [total, first, second].into_iter().chain(zones).map(Cell::primary);
    let inside = weights.into_iter().map(|value| Cell { standing: Standing::Hidden, ..Cell::open(value) });
    let sum = |whole: usize, parts: &[usize]| Relation {
        terms: std::iter::once((whole, 1)).chain(parts.iter().map(|&part| (part, -1))).collect(),
    };
    let sums = [sum(0, &[2, 1]), sum(0, &[5, 4, 3]), sum(1, &[9, 10, 11]), sum(2, &[6, 7, 8])]
        .into_iter()
        .chain([sum(3, &[8, 11]), sum(4, &[7, 10]), sum(5, &[6, 9])])
        .collect::<Vec<_>>();
    let system = System::new(primaries.chain(inside).collect(), &sums).expect("sums");
    assert!(suppress(&system, Ask::width(1_000_000_000)).is_ok());
}
