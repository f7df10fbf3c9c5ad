//! Which of the whole tables on the way are kept: those that go further than all before.

use super::{Halt, Reach, Search};
use crate::intervals::parts::narrow;

impl Search<'_> {
    /// Keeps the table of this moment if it is whole, allowed and goes beyond what is known; only in the cells of
    /// `column` if the table before was looked at.
    pub(super) fn note(&mut self, column: Option<usize>) -> Result<(), Halt> {
        if !self.walk.whole() || self.walk.faulty() {
            return Ok(());
        }
        if self.tables.first.is_empty() {
            let figures = self.walk.figures().iter();
            let table: Option<Vec<i64>> = figures.map(|at| at.whole()).collect();
            let table = table.filter(|table| self.agrees(table)).ok_or(Halt)?;
            for (cell, &attained) in table.iter().enumerate() {
                self.least[cell] = Reach { attained, by: 0 };
                self.most[cell] = Reach { attained, by: 0 };
            }
            self.tables.first = table;
        }
        self.kept = None;
        if let Some(column) = column {
            let (free, terms) = self.walk.body(column);
            let changed: Vec<u32> = std::iter::once(free).chain(terms.iter().map(|&(cell, _)| cell)).collect();
            for cell in changed {
                self.compare(cell)?;
            }
        } else {
            self.walk.spend(self.low.len() as u64 / 4)?;
            for cell in 0..narrow(self.low.len()) {
                self.compare(cell)?;
            }
        }
        // Looked at, even if it was not worth keeping.
        self.kept.get_or_insert(usize::MAX);
        Ok(())
    }

    fn compare(&mut self, cell: u32) -> Result<(), Halt> {
        let index = cell as usize;
        if !self.asked[index] {
            return Ok(());
        }
        let figure = self.walk.at(cell).whole().ok_or(Halt)?;
        if figure < self.least[index].attained {
            let by = self.keep()?;
            self.least[index] = Reach { attained: figure, by };
        }
        if figure > self.most[index].attained {
            let by = self.keep()?;
            self.most[index] = Reach { attained: figure, by };
        }
        Ok(())
    }

    /// The place of this moment's table among those kept.
    fn keep(&mut self) -> Result<usize, Halt> {
        if let Some(place) = self.kept.filter(|&place| place != usize::MAX) {
            return Ok(place);
        }
        if self.tables.others.len() > 4 * self.low.len() + 64 {
            self.forget();
        }
        let figures: Option<Vec<i64>> = self.walk.figures().iter().map(|at| at.whole()).collect();
        // What is kept is a proof: looked at once more, from the equations alone.
        let table = figures.filter(|table| self.agrees(table)).ok_or(Halt)?;
        let differs = table.iter().zip(&self.tables.first).enumerate().filter(|(_, (now, first))| now != first);
        let other: Vec<(u32, i64)> = differs.map(|(cell, (&now, _))| (narrow(cell), now)).collect();
        self.walk.spend(self.low.len() as u64)?;
        self.tables.others.push(other);
        let place = self.tables.others.len();
        self.kept = Some(place);
        Ok(place)
    }

    fn agrees(&self, table: &[i64]) -> bool {
        let allowed = table
            .iter()
            .enumerate()
            .all(|(cell, &figure)| figure >= self.low[cell] && self.high[cell].is_none_or(|high| figure <= high));
        let product = |&(cell, value): &(u32, i64)| i128::from(value) * i128::from(table[cell as usize]);
        allowed
            && self
                .part
                .equations
                .iter()
                .all(|equation| equation.terms.iter().map(product).sum::<i128>() == i128::from(equation.sum))
    }

    /// Drops tables that nothing rests on.
    pub(super) fn forget(&mut self) {
        let mut used = vec![false; self.tables.others.len() + 1];
        for (cell, &asked) in self.asked.iter().enumerate() {
            if asked {
                used[self.least[cell].by] = true;
                used[self.most[cell].by] = true;
            }
        }
        used[0] = true;
        let mut place = vec![0; used.len()];
        let mut kept = 0;
        for (index, &used) in used.iter().enumerate() {
            place[index] = kept;
            kept += usize::from(used);
        }
        let mut index = 0;
        self.tables.others.retain(|_| {
            index += 1;
            used[index]
        });
        for reach in self.least.iter_mut().chain(&mut self.most) {
            // Cells that were not asked about rest on nothing.
            reach.by = place[reach.by];
        }
        self.kept = None;
    }
}
