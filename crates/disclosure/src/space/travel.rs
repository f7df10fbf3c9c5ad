//! Tables in which one figure is pushed as far as wanted, by whole steps, by linear programs, or by branching.

use super::basis::Basis;
use super::{Column, PATIENCE, Point, Space, TINY, Way, small, whole};

/// Whether steps must keep every figure whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Steps {
    Whole,
    Any,
}

/// The least whole step that keeps a column whole; infinite if there is no small one.
fn stride(column: &Column) -> f64 {
    let broken = |x: f64| (x - whole(x)).abs() > TINY;
    let mut stride = 1.0;
    for &(_, x) in column {
        if broken(x * stride) {
            let Some(more) = (2..=30).map(f64::from).find(|more| !broken(x * stride * more)) else {
                return f64::INFINITY;
            };
            stride *= more;
        }
    }
    stride
}

/// How many columns are taken in at a time.
const TAKEN: usize = 16;

/// A search for tables in which one figure goes far.
pub(crate) struct Travel<'a> {
    basis: Basis<'a>,
    /// Whether columns are taken in where those at hand are not enough.
    grows: bool,
}

impl<'a> Travel<'a> {
    /// Among all moves; or along some columns, to which others are added or not.
    pub(crate) fn new(space: &'a Space, scope: Option<&[u32]>, grows: bool) -> Self {
        Self { basis: Basis::new(space, scope), grows }
    }

    pub(crate) fn work(&self) -> u64 {
        self.basis.work
    }

    /// Moves a whole point in whole steps until `target` reaches `goal`; true if it did.
    pub(crate) fn push(&mut self, point: &mut Point, target: usize, way: Way, goal: f64, most: u32) -> bool {
        self.travel(point, target, way, goal, most, Steps::Whole)
    }

    /// Moves a point until `target` reaches `goal`; true if it did.
    pub(crate) fn drive(&mut self, point: &mut Point, target: usize, way: Way, goal: f64, most: u32) -> bool {
        self.travel(point, target, way, goal, most, Steps::Any)
    }

    /// The coordinate that pushes `target` best, its gain, and its direction.
    fn entering(
        &self,
        row: &[f64],
        point: &Point,
        sign: f64,
        least: f64,
        bland: bool,
        barred: &[u32],
    ) -> Option<(f64, usize, f64)> {
        let mut best: Option<(f64, usize, f64)> = None;
        for (at, value) in row.iter().enumerate() {
            let gain = value * sign;
            if gain.abs() < TINY {
                continue;
            }
            let cell = self.basis.names[at];
            let better = best
                .is_none_or(|(most, known, _)| if bland { self.basis.names[known] > cell } else { gain.abs() > most });
            if better && self.basis.able(point, cell, gain) >= least && !barred.contains(&cell) {
                best = Some((gain.abs(), at, gain.signum()));
            }
        }
        best
    }

    /// How far to go, and the dependent cell that stops there.
    fn ratio(&self, point: &Point, column: &Column, direction: f64, steps: Steps) -> (f64, Option<u32>) {
        let mut far = self.basis.able(point, column[0].0, direction);
        let mut block: Option<(u32, f64)> = None;
        for &(cell, value) in &column[1..] {
            let slope = value * direction;
            if slope.abs() < TINY {
                continue;
            }
            let room = self.basis.able(point, cell, slope).max(0.0) / slope.abs();
            // Whole steps like small coefficients in the way, arbitrary ones like large ones.
            let tie = |known: f64| match steps {
                Steps::Whole => slope.abs() < known - 1e-9,
                Steps::Any => slope.abs() > known + 1e-9,
            };
            if room < far - 1e-9 || (room < far + 1e-9 && block.is_some_and(|(_, known)| tie(known))) {
                far = far.min(room);
                block = Some((cell, slope.abs()));
            }
        }
        (far, block.map(|(cell, _)| cell))
    }

    /// Takes in columns that push `target` on; false if there are none.
    fn grow(&mut self, row: &[f64], point: &Point, target: usize, sign: f64, least: f64) -> bool {
        if !self.grows {
            return false;
        }
        let mut outside = self.basis.outside(super::narrow(target), row);
        outside.retain(|&(column, price)| {
            self.basis.able(point, self.basis.space.free[column as usize], price * sign) >= least
        });
        outside.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0)));
        outside.iter().take(TAKEN).for_each(|&(column, _)| self.basis.grow(column));
        !outside.is_empty()
    }

    /// Why `target` goes no further from this point: the sum of it and of cells at an end of their range, with whole
    /// multiples, that no move changes. `None` if it does go further, or multiples are not small.
    pub(crate) fn binding(&mut self, point: &Point, target: usize, way: Way) -> Option<Vec<(usize, i64)>> {
        let target = super::narrow(target);
        let row = self.basis.row(target);
        let outside = self.basis.outside(target, &row);
        let ends = |&(column, price): &(u32, f64)| {
            self.basis.able(point, self.basis.space.free[column as usize], price * way.sign()) < TINY
        };
        if self.basis.coordinate(target).is_some()
            || !outside.iter().all(ends)
            || self.entering(&row, point, way.sign(), TINY, false, &[]).is_some()
        {
            return None;
        }
        let mut terms: Column = vec![(target, 1.0)];
        terms.extend(
            row.iter()
                .zip(&self.basis.names)
                .filter(|(value, _)| value.abs() > TINY)
                .map(|(value, &cell)| (cell, -value)),
        );
        terms.extend(outside.iter().map(|&(column, price)| (self.basis.space.free[column as usize], -price)));
        let by = stride(&terms);
        let whole_terms =
            terms.iter().map(|&(at, value)| Some((self.basis.space.cells[at as usize], i64::from(small(value * by)?))));
        if by.is_finite() { whole_terms.collect() } else { None }
    }

    fn travel(&mut self, point: &mut Point, target: usize, way: Way, goal: f64, most: u32, steps: Steps) -> bool {
        let sign = way.sign();
        let mut stuck = 0;
        let mut barred: Vec<u32> = Vec::new();
        let least = if steps == Steps::Whole { 1.0 - TINY } else { TINY };
        for _ in 0..most {
            let rest = (goal - point[target]) * sign;
            if rest <= TINY {
                return true;
            }
            self.basis.work += 16;
            let row = self.basis.row(super::narrow(target));
            let Some((gain, coordinate, direction)) =
                self.entering(&row, point, sign, least, stuck > PATIENCE, &barred)
            else {
                if self.grow(&row, point, target, sign, least) {
                    continue;
                }
                return false;
            };
            let column = self.basis.direction(coordinate);
            let (far, block) = self.ratio(point, &column, direction, steps);
            let wanted = rest / gain;
            let far = match steps {
                Steps::Whole => {
                    let stride = stride(&column);
                    if stride.is_finite() {
                        (wanted / stride - TINY).ceil().min(((far + TINY) / stride).floor()) * stride
                    } else {
                        0.0
                    }
                }
                Steps::Any if wanted.ceil() <= far => wanted.ceil(),
                Steps::Any => wanted.min(far),
            };
            if !far.is_finite() {
                return false;
            }
            if far > TINY {
                let by = far * direction;
                for &(cell, value) in &column {
                    let figure = &mut point[cell as usize];
                    *figure += value * by;
                    if steps == Steps::Whole {
                        *figure = whole(*figure);
                    }
                }
                stuck = 0;
                barred.clear();
                if (goal - point[target]) * sign <= TINY {
                    return true;
                }
            } else {
                stuck += 1;
            }
            let Some(blocking) = block else {
                if far <= TINY {
                    barred.push(self.basis.names[coordinate]);
                }
                continue;
            };
            let row = self.basis.row(blocking);
            let mut out = coordinate;
            if steps == Steps::Whole {
                // A pivot of one keeps the columns whole; then the blocked one tries again without its obstacle.
                let mut finest = row[coordinate].abs();
                for (at, value) in row.iter().enumerate() {
                    let value = value.abs();
                    if value > TINY && value < finest - 1e-9 {
                        finest = value;
                        out = at;
                    }
                }
                if out != coordinate {
                    barred.push(self.basis.names[coordinate]);
                    if barred.len() > 8 {
                        barred.remove(0);
                    }
                }
            }
            if row[out].abs() < TINY {
                return false;
            }
            self.basis.pivot(blocking, &row, out);
        }
        false
    }

    /// Looks for a whole table whose `target` reaches `goal`, by branching on broken figures; `nodes` is what may be
    /// spent.
    pub(crate) fn dive(&mut self, point: &mut Point, target: usize, way: Way, goal: f64, nodes: &mut u32) -> bool {
        if *nodes == 0 {
            return false;
        }
        *nodes -= 1;
        if !self.drive(point, target, way, goal, 200) {
            return false;
        }
        let broken = point.iter().map(|figure| (figure - whole(*figure)).abs()).enumerate();
        let Some((cell, _)) = broken.filter(|&(_, rest)| rest > 1e-6).max_by(|a, b| a.1.total_cmp(&b.1)) else {
            return true;
        };
        let before = [target, cell].map(|at| (at, self.basis.low[at], self.basis.high[at]));
        self.basis.keep(target, way, goal);
        let floor = point[cell].floor();
        let first = if point[cell] - floor < 0.5 { Way::Down } else { Way::Up };
        let mut found = false;
        for branch in [first, if first == Way::Up { Way::Down } else { Way::Up }] {
            let mut trial = point.clone();
            let edge = if branch == Way::Down { floor } else { floor + 1.0 };
            if !self.drive(&mut trial, cell, branch, edge, 200) {
                continue;
            }
            let range = (self.basis.low[cell], self.basis.high[cell]);
            self.basis.keep(cell, branch, edge);
            found = self.dive(&mut trial, target, way, goal, nodes);
            (self.basis.low[cell], self.basis.high[cell]) = range;
            if found {
                *point = trial;
                break;
            }
        }
        for (at, low, high) in before {
            (self.basis.low[at], self.basis.high[at]) = (low, high);
        }
        found
    }
}
