//! The table that changes least of what is dear.
//!
//! A linear program over the same dictionary: every cell costs its slope times its distance from the true figure, so
//! that a vertex is a table in which most figures are true. Free cells stand at their true figure or at an end of
//! their range; a step moves one of them until the sum of costs would rise again (convex, piecewise linear).

use super::{PATIENCE, Point, Space, TINY, Way, narrow, whole};

/// Where the sum of costs bends along a column.
struct Bend {
    far: f64,
    /// By how much the slope grows; infinite at the end of a range.
    by: f64,
    /// `None`: the cell of the column itself.
    row: Option<u32>,
    steep: f64,
}

/// What each cell costs: its slope (never negative) times its distance from its kink.
pub(crate) struct Costs {
    pub(crate) kinks: Point,
    pub(crate) slopes: Vec<f64>,
}

impl Costs {
    /// Costs of leaving the true figures; `target` alone is to have the figure `goal`, whatever it costs.
    pub(crate) fn reaching(space: &Space, target: usize, goal: f64, mut slopes: Vec<f64>) -> Self {
        let mut kinks = space.truth().clone();
        kinks[target] = goal;
        // Dearer per unit than any way around.
        slopes[target] = 1.0 + 8.0 * slopes.iter().sum::<f64>();
        Self { kinks, slopes }
    }

    fn of(&self, cell: usize) -> (f64, f64) {
        (self.kinks[cell], self.slopes[cell])
    }
}

impl Space {
    /// Moves a point within at most `most` steps so that it costs least; false if costs fall without end.
    pub(crate) fn cheapest(&mut self, point: &mut Point, costs: &Costs, most: u32) -> bool {
        // What falls slower than this does not fall.
        let still = 1e-6 + 1e-9 * costs.slopes.iter().fold(0.0_f64, |most, &slope| most.max(slope));
        let mut stuck = 0;
        for _ in 0..most {
            let Some((column, sign)) = self.downhill(point, costs, still, stuck > PATIENCE) else { break };
            let (far, row) = self.bottom(point, costs, still, column, sign);
            if !far.is_finite() {
                return false;
            }
            if far > TINY {
                stuck = 0;
                let by = far * sign;
                point[self.free[column] as usize] += by;
                for &(cell, value) in self.columns[column].iter() {
                    point[cell as usize] += value * by;
                }
            } else {
                stuck += 1;
            }
            if let Some(row) = row {
                self.pivot(row, column);
            }
        }
        true
    }

    /// Looks for a whole table whose `target` reaches `goal`: rounds, and moves to the nearest possible point, in turn.
    ///
    /// After Fischetti, Glover and Lodi, *The feasibility pump* (Mathematical Programming 104, 2005).
    pub(crate) fn pump(&mut self, point: &mut Point, target: usize, way: Way, goal: f64, rounds: u32) -> bool {
        if !self.drive(point, target, way, goal, 200) {
            return false;
        }
        let held = (self.low[target], self.high[target]);
        match way {
            Way::Up => self.low[target] = self.low[target].max(goal),
            Way::Down => self.high[target] = self.high[target].min(goal),
        }
        let mut costs = Costs { kinks: point.clone(), slopes: vec![1.0; point.len()] };
        let mut found = false;
        let mut last: Point = Vec::new();
        for round in 0..rounds {
            costs.kinks.clone_from(point);
            let mut broken: Vec<(f64, usize)> = Vec::new();
            for (cell, figure) in costs.kinks.iter_mut().enumerate() {
                let rest = (*figure - whole(*figure)).abs();
                *figure = whole(*figure);
                if rest > 1e-6 {
                    broken.push((rest, cell));
                }
            }
            found = broken.is_empty();
            if found {
                break;
            }
            if costs.kinks == last {
                // The same point again: those nearest to a half go to the other side.
                broken.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
                for &(_, cell) in broken.iter().take(4 + 3 * round as usize) {
                    let nearest = costs.kinks[cell];
                    costs.kinks[cell] = if point[cell] > nearest { nearest + 1.0 } else { nearest - 1.0 };
                }
            }
            last.clone_from(&costs.kinks);
            if !self.cheapest(point, &costs, 200) {
                break;
            }
        }
        self.loosen(target, held);
        found
    }

    /// The column along which the costs fall most per unit, and its direction.
    fn downhill(&mut self, point: &Point, costs: &Costs, still: f64, bland: bool) -> Option<(usize, f64)> {
        let mut best: Option<(f64, usize, f64)> = None;
        let mut read = 0;
        for (column, body) in self.columns.iter().enumerate() {
            read += body.len();
            let (mut up, mut down) = (0.0, 0.0);
            let mut weigh = |cell: usize, value: f64| {
                let (kink, slope) = costs.of(cell);
                let off = point[cell] - kink;
                if off > TINY {
                    up += slope * value;
                    down -= slope * value;
                } else if off < -TINY {
                    up -= slope * value;
                    down += slope * value;
                } else {
                    up += slope * value.abs();
                    down += slope * value.abs();
                }
            };
            let cell = self.free[column] as usize;
            weigh(cell, 1.0);
            for &(at, value) in body.iter() {
                weigh(at as usize, value);
            }
            for (slope, sign) in [(up, 1.0), (down, -1.0)] {
                if slope > -still || self.able(point, cell, sign) <= TINY {
                    continue;
                }
                let better = best.is_none_or(
                    |(least, known, _)| {
                        if bland { self.free[known] > self.free[column] } else { slope < least }
                    },
                );
                if better {
                    best = Some((slope, column, sign));
                }
            }
        }
        self.work += read as u64;
        best.map(|(_, column, sign)| (column, sign))
    }

    /// How far to go along a column, and the dependent cell that stops there.
    fn bottom(&self, point: &Point, costs: &Costs, still: f64, column: usize, sign: f64) -> (f64, Option<u32>) {
        let mut slope = 0.0;
        let mut bends: Vec<Bend> = Vec::new();
        let mut weigh = |cell: usize, value: f64, row: Option<u32>| {
            if value.abs() < TINY {
                return;
            }
            let (kink, cost) = costs.of(cell);
            let (off, steep) = (point[cell] - kink, value.abs());
            let ahead = -off * value.signum();
            if ahead > TINY {
                slope -= cost * steep;
                bends.push(Bend { far: ahead / steep, by: 2.0 * cost * steep, row, steep });
            } else {
                slope += cost * steep;
            }
            let room = self.able(point, cell, value).max(0.0);
            if room.is_finite() {
                bends.push(Bend { far: room / steep, by: f64::INFINITY, row, steep });
            }
        };
        weigh(self.free[column] as usize, sign, None);
        for &(at, value) in self.columns[column].iter() {
            weigh(at as usize, value * sign, Some(narrow(at as usize)));
        }
        let fineness = |bend: &Bend| (bend.steep - 1.0).abs();
        bends.sort_by(|a, b| a.far.total_cmp(&b.far).then(fineness(a).total_cmp(&fineness(b))).then(a.row.cmp(&b.row)));
        for bend in bends {
            slope += bend.by;
            if slope >= -still {
                return (bend.far, bend.row);
            }
        }
        (f64::INFINITY, None)
    }
}
