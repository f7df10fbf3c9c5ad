//! Tables in which one figure is pushed as far as wanted, by whole steps, by linear programs, or by branching.

use super::{Column, PATIENCE, Place, Point, Space, TINY, Way, entry, narrow, whole};

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

impl Space {
    /// Moves a whole point in whole steps until `target` reaches `goal`; true if it did.
    pub(crate) fn push(&mut self, point: &mut Point, target: usize, way: Way, goal: f64, most: u32) -> bool {
        self.travel(point, target, way, goal, most, Steps::Whole)
    }

    /// Moves a point until `target` reaches `goal`; true if it did.
    pub(crate) fn drive(&mut self, point: &mut Point, target: usize, way: Way, goal: f64, most: u32) -> bool {
        self.travel(point, target, way, goal, most, Steps::Any)
    }

    /// The column that pushes `target` best, its gain, and the direction of its cell.
    fn entering(
        &self,
        point: &Point,
        target: usize,
        sign: f64,
        least: f64,
        bland: bool,
        barred: &[u32],
    ) -> Option<(f64, usize, f64)> {
        let row = match self.place[target] {
            Place::Shown => return None,
            Place::Free(column) => {
                let column = column as usize;
                let open = !barred.contains(&self.free[column]) && self.able(point, target, sign) > least;
                return open.then_some((1.0, column, sign));
            }
            Place::Dependent => narrow(target),
        };
        let mut best: Option<(f64, usize, f64)> = None;
        for (index, value) in self.held(row) {
            let gain = value * sign;
            if gain.abs() < TINY {
                continue;
            }
            let cell = self.free[index];
            if self.able(point, cell as usize, gain) < least || barred.contains(&cell) {
                continue;
            }
            let better =
                best.is_none_or(|(most, known, _)| if bland { self.free[known] > cell } else { gain.abs() > most });
            if better {
                best = Some((gain.abs(), index, gain.signum()));
            }
        }
        best
    }

    /// How far a column may go, and the dependent cell that stops it.
    fn ratio(&self, point: &Point, column: usize, direction: f64, steps: Steps) -> (f64, Option<u32>) {
        let mut far = self.able(point, self.free[column] as usize, direction);
        let mut block: Option<(u32, f64)> = None;
        for &(cell, value) in self.columns[column].iter() {
            let slope = value * direction;
            if slope.abs() < TINY {
                continue;
            }
            let room = self.able(point, cell as usize, slope).max(0.0) / slope.abs();
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
            self.work += 16;
            let Some((gain, column, direction)) = self.entering(point, target, sign, least, stuck > PATIENCE, &barred)
            else {
                return false;
            };
            self.work += self.columns[column].len() as u64;
            let (far, block) = self.ratio(point, column, direction, steps);
            let wanted = rest / gain;
            let far = match steps {
                Steps::Whole => {
                    let stride = stride(&self.columns[column]);
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
                point[self.free[column] as usize] += by;
                for &(cell, value) in self.columns[column].iter() {
                    point[cell as usize] += value * by;
                    if steps == Steps::Whole {
                        point[cell as usize] = whole(point[cell as usize]);
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
            let Some(row) = block else {
                if far <= TINY {
                    barred.push(self.free[column]);
                }
                continue;
            };
            let mut out = column;
            if steps == Steps::Whole {
                // A pivot of one keeps the columns whole; then the blocked one tries again without its obstacle.
                let mut finest = entry(&self.columns[column], row).abs();
                for (index, value) in self.held(row) {
                    let value = value.abs();
                    if value > TINY && value < finest - 1e-9 {
                        finest = value;
                        out = index;
                    }
                }
                if out != column {
                    barred.push(self.free[column]);
                    if barred.len() > 8 {
                        barred.remove(0);
                    }
                }
            }
            self.pivot(row, out);
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
        let target_range = (self.low[target], self.high[target]);
        match way {
            Way::Up => self.low[target] = self.low[target].max(goal),
            Way::Down => self.high[target] = self.high[target].min(goal),
        }
        let (floor, range) = (point[cell].floor(), (self.low[cell], self.high[cell]));
        let first = if point[cell] - floor < 0.5 { Way::Down } else { Way::Up };
        let mut found = false;
        for branch in [first, if first == Way::Up { Way::Down } else { Way::Up }] {
            let mut trial = point.clone();
            let edge = if branch == Way::Down { floor } else { floor + 1.0 };
            if !self.drive(&mut trial, cell, branch, edge, 200) {
                continue;
            }
            match branch {
                Way::Down => self.high[cell] = edge,
                Way::Up => self.low[cell] = edge,
            }
            found = self.dive(&mut trial, target, way, goal, nodes);
            self.loosen(cell, range);
            if found {
                *point = trial;
                break;
            }
        }
        self.loosen(target, target_range);
        found
    }
}
