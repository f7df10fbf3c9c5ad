//! Tables drawn at random, of all shapes.

use proptest::prelude::*;

use super::{Grid, Relation, Seen, View};
use crate::fixture::every::Every;
use crate::fixture::grids::{add_up, axis, grid};
use crate::system::Axis;

/// A whole table, what everybody knows of its cells, and which of them are hidden.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) figures: Vec<i64>,
    pub(super) low: Vec<i64>,
    pub(super) high: Vec<Option<i64>>,
    pub(super) hides: Vec<bool>,
    pub(super) relations: Vec<Relation>,
}

impl World {
    pub(super) fn view(&self) -> View {
        let seen = (0..self.figures.len()).map(|cell| {
            if self.hides[cell] {
                Seen::Hidden { low: self.low[cell], high: self.high[cell] }
            } else {
                Seen::Shown(self.figures[cell])
            }
        });
        View::new(seen.collect(), &self.relations).expect("a view")
    }

    /// Every table that agrees with what a view of this world shows.
    pub(super) fn every(&self, view: &View) -> Every {
        let ranges = view.cells().iter().map(|seen| match *seen {
            Seen::Shown(figure) => (figure, Some(figure)),
            Seen::Hidden { low, high } => (low, high),
        });
        Every::new(ranges.collect(), &self.relations)
    }

    pub(super) fn hidden(&self) -> Vec<usize> {
        (0..self.figures.len()).filter(|&cell| self.hides[cell]).collect()
    }

    /// Draws a table. Figures below `small` are hidden, others `hiding` percent of the time; `below` is how far below zero figures may be.
    fn draw(grid: &Grid, mut draw: impl FnMut() -> u32, small: i64, hiding: u32, below: i64, ranged: u32) -> Self {
        let relations = grid.relations();
        let figures = add_up(grid.cells(), &relations, || {
            let drawn = draw();
            if drawn.is_multiple_of(4) { 0 } else { i64::from(drawn % 8) - below }
        });
        let mut world = Self { low: Vec::new(), high: Vec::new(), hides: Vec::new(), relations, figures };
        for &figure in &world.figures {
            let ranged = draw() % 100 < ranged;
            let floor = if below > 0 { figure - i64::from(draw() % 5) } else { 0 };
            world.low.push(if ranged { figure - figure.min(i64::from(draw() % 3)).max(0) } else { floor });
            world.high.push(ranged.then(|| figure + i64::from(draw() % 4)));
            world.hides.push(draw() % 100 < hiding || figure < small);
        }
        world
    }

    /// Some hundred cells, the small ones hidden.
    pub(super) fn middle(seed: u32) -> Self {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
        let draw = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 10
        };
        let nested = vec![
            ("T", vec!["m", "n", "o"]),
            ("m", vec!["a", "b", "c"]),
            ("n", vec!["d", "e", "f", "g"]),
            ("o", vec!["h", "i"]),
        ];
        let crossed = vec![
            ("T", vec!["m", "n"]),
            ("m", vec!["a", "b", "c"]),
            ("n", vec!["d", "e"]),
            ("T", vec!["x", "y"]),
            ("x", vec!["a", "d"]),
            ("y", vec!["b", "c", "e"]),
        ];
        let axes = [nested, crossed].map(|groupings| Axis::new(groupings).expect("a hierarchy"));
        let third = axis(u8::try_from(seed % 3).expect("below three"));
        let grid = Grid::new(axes.into_iter().chain([third]).collect());
        Self::draw(&grid, draw, 13, 14, 0, 10)
    }
}

/// One to four dimensions, hierarchies with several groupings of one parent, zeros, figures below zero, upper bounds.
/// Now and then a further relation with larger coefficients runs across.
pub(super) fn strategy() -> impl Strategy<Value = World> {
    let shapes = prop::collection::vec(0_u8..4, 1..=4).prop_filter("small", |shapes| grid(shapes).cells() <= 90);
    (shapes, prop::collection::vec(any::<u32>(), 400), 0_i64..14, 10_u32..80, 0_i64..3, 0_u32..40).prop_map(
        |(shapes, drawn, small, hiding, below, ranged)| {
            let mut drawn = drawn.into_iter().cycle();
            let mut draw = || drawn.next().expect("a cycle");
            let mut world = World::draw(&grid(&shapes), &mut draw, small, hiding, below.saturating_sub(1), ranged);
            if draw().is_multiple_of(4) {
                let cells = world.figures.len();
                let mut terms: Vec<(usize, i64)> = Vec::new();
                for coefficient in [2, -3, 5] {
                    let cell = draw() as usize % cells;
                    if terms.iter().all(|&(known, _)| known != cell) {
                        terms.push((cell, coefficient));
                    }
                }
                let sum = terms.iter().map(|&(cell, coefficient)| coefficient * world.figures[cell]).sum();
                terms.push((cells, -1));
                world.figures.push(sum);
                world.low.push(sum);
                world.high.push(None);
                world.hides.push(false);
                world.relations.push(Relation { terms });
            }
            world
        },
    )
}
