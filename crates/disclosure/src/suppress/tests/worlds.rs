//! Systems drawn at random, of all shapes that tables come in.

use crate::fixture::grids::{Dice, add_up, axis};
use crate::system::{Axis, Cell, Grid, Need, Relation, Standing, System};

/// What adds up to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Flat,
    Nested,
    /// One total, divided in several ways.
    Several,
    Two,
    Three,
    Four,
    /// Two tables with one margin in common.
    Linked,
    /// All margins of two dimensions of a table of three, nothing finer.
    Margins,
    /// Numerator, denominator, and what is left between them.
    Ratio,
    /// Different units: no more than the sum of the parts, no fewer than the greatest part.
    Distinct,
}

pub(super) const SHAPES: [Shape; 10] = [
    Shape::Flat,
    Shape::Nested,
    Shape::Several,
    Shape::Two,
    Shape::Three,
    Shape::Four,
    Shape::Linked,
    Shape::Margins,
    Shape::Ratio,
    Shape::Distinct,
];

/// A system, and what is asked for every primary without a need of its own.
pub(super) struct World {
    pub(super) shape: Shape,
    pub(super) system: System,
    pub(super) width: u32,
}

/// Figures, and which of their cells nobody publishes.
struct Figures {
    values: Vec<i64>,
    silent: Vec<bool>,
    relations: Vec<Relation>,
}

const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

impl World {
    /// The seed is the world; shapes take turns.
    pub(super) fn draw(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let turn = usize::try_from(seed % SHAPES.len() as u64).expect("few shapes");
        let shape = SHAPES[turn];
        let figures = match shape {
            Shape::Flat => table(&mut dice, vec![flat(7)]),
            Shape::Nested => {
                let axis = nested(&mut dice);
                table(&mut dice, vec![axis])
            }
            Shape::Several => {
                let axis = several(&mut dice);
                table(&mut dice, vec![axis])
            }
            Shape::Two => {
                let axes = vec![any(&mut dice), any(&mut dice)];
                table(&mut dice, axes)
            }
            Shape::Three => {
                let axes = (0..3).map(|_| axis(u8::try_from(dice.below(3)).expect("small"))).collect();
                table(&mut dice, axes)
            }
            Shape::Four => table(&mut dice, (0..4).map(|_| axis(0)).collect()),
            Shape::Linked => linked(&mut dice, false),
            Shape::Margins => linked(&mut dice, true),
            Shape::Ratio => ratio(&mut dice),
            Shape::Distinct => distinct(&mut dice),
        };
        figures.decide(shape, &mut dice)
    }
}

fn flat(most: usize) -> Axis {
    Axis::new([("T", NAMES[..most].to_vec())]).expect("a list")
}

/// Two or three levels.
fn nested(dice: &mut Dice) -> Axis {
    let groups = ["m", "n", "o"];
    let mut leaves = NAMES.iter().copied();
    let mut groupings = vec![("T", groups[..dice.between(2, 3) as usize].to_vec())];
    for &group in &groupings[0].1.clone() {
        let parts: Vec<&str> = leaves.by_ref().take(dice.below(4) as usize).collect();
        if !parts.is_empty() {
            groupings.push((group, parts));
        }
    }
    Axis::new(groupings).expect("a tree")
}

/// The same parts in two or three divisions of one total, which may also be divided into the parts themselves.
fn several(dice: &mut Dice) -> Axis {
    let parts = &NAMES[..dice.between(3, 6) as usize];
    let groups = [["m", "n"], ["o", "p"], ["q", "r"]];
    let mut groupings: Vec<(&str, Vec<&str>)> = Vec::new();
    for pair in &groups[..dice.between(2, 3) as usize] {
        let mut halves: [Vec<&str>; 2] = [vec![parts[0]], vec![parts[1]]];
        if dice.percent(50) {
            halves.swap(0, 1);
        }
        for part in &parts[2..] {
            halves[dice.below(2) as usize].push(part);
        }
        groupings.push(("T", pair.to_vec()));
        groupings.extend(pair.iter().copied().zip(halves));
    }
    if dice.percent(30) {
        groupings.push(("T", parts.to_vec()));
    }
    Axis::new(groupings).expect("divisions")
}

fn any(dice: &mut Dice) -> Axis {
    match dice.below(6) {
        0 => flat(4),
        1 => nested(dice),
        shape => axis(u8::try_from(shape - 2).expect("small")),
    }
}

/// One figure of a finest cell.
fn small(dice: &mut Dice) -> i64 {
    if dice.percent(20) { 0 } else { i64::from(dice.below(9)) }
}

fn table(dice: &mut Dice, axes: Vec<Axis>) -> Figures {
    let grid = Grid::new(axes);
    let relations = grid.relations();
    let values = add_up(grid.cells(), &relations, || small(dice));
    Figures { silent: vec![false; values.len()], values, relations }
}

/// Cells of three dimensions with a total somewhere: in the first or the third, or in any.
fn linked(dice: &mut Dice, any: bool) -> Figures {
    let axes: Vec<Axis> = (0..3).map(|_| axis(u8::try_from(dice.below(3)).expect("small"))).collect();
    let grid = Grid::new(axes);
    let relations = grid.relations();
    let values = add_up(grid.cells(), &relations, || i64::from(dice.below(5)));
    let sizes: Vec<usize> = grid.axes().iter().map(|axis| axis.nodes().len()).collect();
    let total = |cell: usize, axis: usize| {
        let stride: usize = sizes[axis + 1..].iter().product();
        Some(cell / stride % sizes[axis]) == grid.axes()[axis].total()
    };
    let kept: Vec<usize> =
        (0..values.len()).filter(|&cell| total(cell, 0) || total(cell, 2) || (any && total(cell, 1))).collect();
    let place = |cell: usize| kept.binary_search(&cell).ok();
    let relations = relations.iter().filter_map(|Relation { terms }| {
        let terms: Option<Vec<(usize, i64)>> = terms.iter().map(|&(cell, by)| Some((place(cell)?, by))).collect();
        terms.map(|terms| Relation { terms })
    });
    Figures {
        relations: relations.collect(),
        values: kept.iter().map(|&cell| values[cell]).collect(),
        silent: vec![false; kept.len()],
    }
}

/// `D − N − R = 0` cell by cell; R is published by nobody.
fn ratio(dice: &mut Dice) -> Figures {
    let axes = if dice.percent(50) { vec![any(dice)] } else { vec![axis(0), axis(1)] };
    let whole = table(dice, axes.clone());
    let grid = Grid::new(axes);
    let cells = whole.values.len();
    let relations = grid.relations();
    let mut finest = vec![true; cells];
    for relation in &relations {
        finest[relation.terms[0].0] = false;
    }
    let mut below =
        (0..cells).filter(|&cell| finest[cell]).map(|cell| whole.values[cell]).collect::<Vec<_>>().into_iter();
    let part = add_up(cells, &relations, || {
        let most = below.next().expect("as many finest cells");
        i64::from(dice.below(u32::try_from(most).expect("a count") + 1))
    });
    let shifted = relations
        .iter()
        .map(|Relation { terms }| Relation { terms: terms.iter().map(|&(cell, by)| (cells + cell, by)).collect() });
    let rests = (0..cells).map(|cell| Relation { terms: vec![(cell, 1), (cells + cell, -1), (2 * cells + cell, -1)] });
    let rest: Vec<i64> = whole.values.iter().zip(&part).map(|(whole, part)| whole - part).collect();
    Figures {
        relations: relations.iter().cloned().chain(shifted).chain(rests).collect(),
        silent: (0..3 * cells).map(|cell| cell >= 2 * cells).collect(),
        values: [whole.values, part, rest].concat(),
    }
}

/// Per column of a flat axis: a total of different units, its parts, `Σ parts − total ≥ 0` and `total − part ≥ 0`.
/// Columns add up.
fn distinct(dice: &mut Dice) -> Figures {
    let (columns, parts) = (dice.between(1, 3) as usize, dice.between(2, 3) as usize);
    let (mut values, mut silent, mut relations) = (Vec::new(), Vec::new(), Vec::new());
    let block = 2 * parts + 2;
    for _ in 0..columns {
        let shares: Vec<i64> = (0..parts).map(|_| small(dice)).collect();
        let (most, sum) = (*shares.iter().max().expect("parts"), shares.iter().sum::<i64>());
        let total = most + i64::from(dice.below(u32::try_from(sum - most).expect("a count") + 1));
        values.extend(std::iter::once(total).chain(shares.iter().copied()).chain([sum - total]));
        values.extend(shares.iter().map(|share| total - share));
    }
    if columns > 1 {
        for place in 0..block {
            values.push((0..columns).map(|column| values[column * block + place]).sum());
        }
        for place in 0..block {
            let parts = (0..columns).map(|column| (column * block + place, -1));
            relations.push(Relation { terms: std::iter::once((columns * block + place, 1)).chain(parts).collect() });
        }
    }
    for column in 0..values.len() / block {
        let (total, rest) = (column * block, column * block + parts + 1);
        let shares = (1..=parts).map(|part| (total + part, -1));
        relations.push(Relation { terms: [(total, 1), (rest, 1)].into_iter().chain(shares).collect() });
        relations.extend(
            (1..=parts).map(|part| Relation { terms: vec![(total, 1), (total + part, -1), (rest + part, -1)] }),
        );
        silent.extend((0..block).map(|place| place > parts));
    }
    Figures { values, silent, relations }
}

impl Figures {
    /// Who is primary, frozen, owned, bounded, and by how much it must vary.
    fn decide(self, shape: Shape, dice: &mut Dice) -> World {
        let threshold = i64::from(dice.between(2, 6));
        let zeros = dice.percent(30);
        let [frozen, owned, needing, bounded, marked] = [(30, 25), (25, 20), (35, 40), (25, 25), (20, 10)]
            .map(|(often, much)| if dice.percent(often) { dice.between(3, much) } else { 0 });
        let dear = dice.below(3);
        let width = dice.between(1, 7);
        let mut owners = 0;
        let mut needs = Vec::new();
        let mut cells = Vec::new();
        for (index, (&value, &silent)) in self.values.iter().zip(&self.silent).enumerate() {
            let primary = value < threshold && (value > 0 || zeros) || !silent && dice.percent(marked);
            let mut cell = if primary { Cell::primary(value) } else { Cell::open(value) };
            if silent && !primary {
                cell.standing = Standing::Hidden;
            } else if value == 0 && !zeros && !primary {
                cell.standing = Standing::Shown;
            } else if !primary && dice.percent(frozen) {
                cell.standing = if dice.percent(50) { Standing::Shown } else { Standing::Hidden };
            }
            cell.weight = match dear {
                0 => value,
                1 => i64::from(dice.below(50)),
                _ => 1,
            };
            if owned > 0 && value > 0 && !silent && (value == 1 || dice.percent(owned)) {
                // Often somebody who is alone here has another cell too.
                owners += u32::from(owners == 0 || dice.percent(60));
                cell.owner = Some(dice.below(owners));
            }
            if dice.percent(bounded) {
                cell.low = (value - i64::from(dice.below(6))).max(0);
                cell.high = dice.percent(70).then(|| value + i64::from(dice.below(9)));
            }
            if primary && dice.percent(needing) {
                let below = u32::try_from(value - cell.low).expect("above its lower bound");
                let need = Need { below: dice.below(below + 1), above: dice.below(7), width: dice.below(9) };
                needs.push((index, need));
            }
            cells.push(cell);
        }
        let system = System::new(cells, &self.relations).expect("sums add up");
        let system = needs.into_iter().fold(system, |system, (cell, need)| system.needing(cell, need));
        World { shape, system, width }
    }
}
