//! A simplex basis over the columns of a [`Space`], for one search.
//!
//! The columns stay as they are, sparse; what pivots change is which cells are the coordinates. Each column's own cell
//! that is no coordinate any more is kept as a dense row over the coordinates: few, because a search pivots little. So a
//! step costs as much as the columns it goes along, and a search leaves no trace in its origin.

use super::{Column, Place, Point, Space, TINY, Way, narrow, whole};

/// No coordinate: what depends on the coordinates, or does not move in here.
const NONE: u32 = u32::MAX;

pub(super) struct Basis<'a> {
    pub(super) space: &'a Space,
    /// By index: the column of the space, and by column: its index.
    columns: Vec<u32>,
    indices: Vec<u32>,
    /// By coordinate: its cell; by cell: its coordinate.
    pub(super) names: Vec<u32>,
    pub(super) places: Vec<u32>,
    /// By index of a column whose cell is no coordinate: its row.
    rows: Vec<Option<Vec<f64>>>,
    /// Sums along a direction, zero in between.
    sums: Vec<f64>,
    /// Cells along a direction, none in between.
    touched: Vec<u32>,
    pub(super) low: Point,
    pub(super) high: Point,
    /// Terms rewritten.
    pub(super) work: u64,
}

impl<'a> Basis<'a> {
    /// The columns themselves, or some of them.
    pub(super) fn new(space: &'a Space, scope: Option<&[u32]>) -> Self {
        let columns: Vec<u32> = scope.map_or_else(|| (0..space.columns.len()).map(narrow).collect(), <[u32]>::to_vec);
        let mut indices = vec![NONE; space.columns.len()];
        let mut places = vec![NONE; space.cells.len()];
        let mut names = Vec::with_capacity(columns.len());
        for (index, &column) in columns.iter().enumerate() {
            indices[column as usize] = narrow(index);
            places[space.free[column as usize] as usize] = narrow(index);
            names.push(space.free[column as usize]);
        }
        Self {
            rows: vec![None; columns.len()],
            sums: vec![0.0; space.cells.len()],
            touched: Vec::new(),
            low: space.low.clone(),
            high: space.high.clone(),
            space,
            columns,
            indices,
            names,
            work: places.len() as u64 / 2,
            places,
        }
    }

    /// A cell over the coordinates.
    pub(super) fn row(&mut self, cell: u32) -> Vec<f64> {
        let mut row = vec![0.0; self.names.len()];
        if let Some(at) = self.coordinate(cell) {
            row[at] = 1.0;
            return row;
        }
        let held: Vec<(usize, f64)> = match self.space.place[cell as usize] {
            Place::Shown => Vec::new(),
            Place::Free(column) => vec![(column as usize, 1.0)],
            Place::Dependent => self.space.held(cell).collect(),
        };
        for (column, value) in held {
            let index = self.indices[column];
            if index == NONE || value == 0.0 {
                continue;
            }
            match &self.rows[index as usize] {
                None => row[index as usize] += value,
                Some(other) => {
                    self.work += other.len() as u64 / 8;
                    row.iter_mut().zip(other).for_each(|(sum, x)| *sum += value * x);
                }
            }
        }
        row
    }

    pub(super) fn coordinate(&self, cell: u32) -> Option<usize> {
        let at = self.places[cell as usize];
        (at != NONE).then_some(at as usize)
    }

    /// What changes when a coordinate grows by one: cells and by how much, the coordinate's own first.
    pub(super) fn direction(&mut self, coordinate: usize) -> Column {
        let own = self.names[coordinate];
        let mut touched = std::mem::take(&mut self.touched);
        for index in 0..self.columns.len() {
            let by = match &self.rows[index] {
                Some(row) => row[coordinate],
                None if index == coordinate => 1.0,
                None => continue,
            };
            if by == 0.0 {
                continue;
            }
            let column = self.columns[index] as usize;
            let body = &self.space.columns[column];
            self.work += body.len() as u64;
            for &(cell, value) in body.iter().chain([&(self.space.free[column], 1.0)]) {
                let sum = &mut self.sums[cell as usize];
                if *sum == 0.0 {
                    touched.push(cell);
                }
                *sum += by * value;
            }
        }
        let mut direction: Column = Vec::with_capacity(touched.len() + 1);
        direction.push((own, 1.0));
        for cell in touched.drain(..) {
            let sum = snapped(std::mem::take(&mut self.sums[cell as usize]));
            // What is a coordinate itself does not move; what was touched twice is zero by now.
            if sum != 0.0 && self.places[cell as usize] == NONE {
                direction.push((cell, sum));
            }
        }
        self.touched = touched;
        direction
    }

    /// Makes a dependent cell the coordinate, with this row, and the coordinate dependent.
    pub(super) fn pivot(&mut self, cell: u32, row: &[f64], coordinate: usize) {
        let value = row[coordinate];
        // The old coordinate over the new one and all others.
        let mut swapped: Vec<f64> = row.iter().map(|x| snapped(-x / value)).collect();
        swapped[coordinate] = 1.0 / value;
        for other in self.rows.iter_mut().flatten() {
            let factor = std::mem::take(&mut other[coordinate]);
            if factor != 0.0 {
                self.work += swapped.len() as u64 / 8;
                other.iter_mut().zip(&swapped).for_each(|(x, by)| *x = snapped(*x + factor * by));
            }
        }
        // If the coordinate is not its column's cell, this one has a row that was rewritten just now.
        self.rows[coordinate].get_or_insert(swapped);
        self.places[self.names[coordinate] as usize] = NONE;
        self.places[cell as usize] = narrow(coordinate);
        self.names[coordinate] = cell;
    }

    /// What columns outside do to a cell, given its row, while all coordinates keep their figures: column and by how much.
    pub(super) fn outside(&mut self, cell: u32, row: &[f64]) -> Vec<(u32, f64)> {
        if self.columns.len() == self.indices.len() {
            return Vec::new();
        }
        let mut prices = vec![0.0; self.indices.len()];
        let terms = row.iter().zip(&self.names).filter(|(value, _)| **value != 0.0).map(|(value, &at)| (at, -value));
        for (at, factor) in terms.chain([(cell, 1.0)]) {
            match self.space.place[at as usize] {
                Place::Shown => {}
                Place::Free(column) => prices[column as usize] += factor,
                Place::Dependent => {
                    for (column, value) in self.space.held(at) {
                        prices[column] += factor * value;
                        self.work += 1;
                    }
                }
            }
        }
        let prices = prices.into_iter().enumerate().map(|(column, price)| (narrow(column), price));
        prices.filter(|&(column, price)| self.indices[column as usize] == NONE && price.abs() > TINY).collect()
    }

    /// Takes in a column from outside, as a coordinate more.
    pub(super) fn grow(&mut self, column: u32) {
        let body = &self.space.columns[column as usize];
        let fixed: Vec<(usize, f64)> =
            body.iter().filter_map(|&(cell, value)| Some((self.coordinate(cell)?, value))).collect();
        for row in self.rows.iter_mut().flatten() {
            // The other coordinates keep their figures.
            let back: f64 = fixed.iter().map(|&(at, value)| row[at] * value).sum();
            row.push(snapped(-back));
        }
        self.work += (body.len() + self.rows.len()) as u64;
        let own = self.space.free[column as usize];
        self.indices[column as usize] = narrow(self.columns.len());
        self.places[own as usize] = narrow(self.names.len());
        self.columns.push(column);
        self.names.push(own);
        self.rows.push(None);
    }

    pub(super) fn able(&self, point: &Point, cell: u32, direction: f64) -> f64 {
        let cell = cell as usize;
        if direction > 0.0 { self.high[cell] - point[cell] } else { point[cell] - self.low[cell] }
    }

    /// Keeps a figure at this or further on.
    pub(super) fn keep(&mut self, cell: usize, way: Way, edge: f64) {
        match way {
            Way::Up => self.low[cell] = self.low[cell].max(edge),
            Way::Down => self.high[cell] = self.high[cell].min(edge),
        }
    }
}

/// Without the dust of floating point.
fn snapped(x: f64) -> f64 {
    let nearest = whole(x);
    if (x - nearest).abs() < TINY * 1e-2 { nearest } else { x }
}
