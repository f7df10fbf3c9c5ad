//! Which cells must be hidden, by themselves and beside others.

use std::collections::HashSet;

use super::super::{Criterion, Facts, Misfit, Need, owners};
use super::{Builder, Known};
use crate::alone::{alone, spread};

impl Builder<'_> {
    pub(super) fn rules(&mut self) -> Result<(), Misfit> {
        let request = self.request;
        for cells in &self.present {
            for &cell in cells {
                let known = &mut self.known[cell as usize];
                for criterion in request.criteria {
                    let lacking = |lacking: super::super::criterion::Lacking| Misfit::Lacking {
                        place: known.place,
                        column: lacking.0,
                    };
                    if let Some(need) = criterion.asks(&known.facts, request.zeros).map_err(lacking)? {
                        known.ask(need.and(Need::width(request.width)));
                    }
                }
            }
        }
        for criterion in request.criteria {
            match criterion {
                Criterion::OneCategory { dimension } => {
                    let place = request.dimensions.iter().position(|known| known.name == *dimension);
                    let place = place.ok_or_else(|| Misfit::Dimension(dimension.clone()))?;
                    self.one_category(place);
                }
                Criterion::Difference { least } => {
                    self.small_differences(*least)?;
                    self.small_rests(*least)?;
                }
                Criterion::Threshold { least } => self.small_rests(*least)?,
                Criterion::Contributors { .. } | Criterion::Dominance { .. } | Criterion::Precision { .. } => {}
            }
        }
        Ok(())
    }

    pub(super) fn one_category(&mut self, dimension: usize) {
        let mut spread = Vec::new();
        for sum in self.sums.iter().filter(|sum| sum.dimension == dimension && !sum.place.earlier) {
            let nobody = |cell: u32| self.known[cell as usize].facts.nobody();
            let mut takers = sum.parts.iter().copied().filter(|&part| !nobody(part));
            if let (Some(all), None, true) = (takers.next(), takers.next(), sum.parts.len() > 1) {
                spread.extend(sum.parts.iter().copied().filter(|&part| nobody(part)));
                // It must be possible that somebody is in another category.
                let need = Need { below: self.request.one, ..Need::width(self.request.width) };
                self.known[all as usize].ask(need);
            }
        }
        // A zero is only uncertain if zeros above, below and beside it are not shown on principle.
        let mut over = vec![Vec::new(); self.known.len()];
        for (index, sum) in self.sums.iter().enumerate() {
            for &cell in std::iter::once(&sum.total).chain(&sum.parts) {
                over[cell as usize].push(index);
            }
        }
        while let Some(cell) = spread.pop() {
            let known = &self.known[cell as usize];
            if known.value != 0 || std::mem::replace(&mut self.undecided[cell as usize], true) {
                continue;
            }
            for &sum in &over[cell as usize] {
                let sum = &self.sums[sum];
                if self.known[sum.total as usize].value == 0 {
                    spread.push(sum.total);
                    spread.extend(&sum.parts);
                }
            }
        }
    }

    pub(super) fn small_differences(&mut self, least: u32) -> Result<(), Misfit> {
        let mut found = HashSet::new();
        for sum in self.sums.iter().filter(|sum| !sum.place.earlier && sum.parts.len() > 2) {
            let known = |cell: u32| &self.known[cell as usize];
            for &part in &sum.parts {
                let others = || sum.parts.iter().copied().filter(|&other| other != part);
                let contributors = others().map(|other| known(other).facts.contributors).sum::<Option<u64>>();
                let value = known(sum.total).value - known(part).value;
                let facts = Facts { value, contributors, ..known(sum.total).facts };
                let asked = Criterion::Threshold { least }
                    .asks(&facts, self.request.zeros)
                    .map_err(|lacking| Misfit::Lacking { place: sum.place, column: lacking.0 })?;
                if asked.is_some() && found.insert((sum.total, part)) {
                    let low = others().map(|other| known(other).low).fold(0, i64::saturating_add);
                    self.differences.push((value, low, sum.total, part));
                }
            }
        }
        Ok(())
    }

    /// What a whole has beyond its part: those who are in the denominator and not in the numerator.
    pub(super) fn small_rests(&mut self, least: u32) -> Result<(), Misfit> {
        for &(place, whole, part) in self.within.iter().filter(|(place, ..)| !place.earlier) {
            let (whole_known, part_known) = (&self.known[whole as usize], &self.known[part as usize]);
            let contributors = |known: &Known| known.facts.contributors;
            let contributors = contributors(whole_known).zip(contributors(part_known));
            let contributors = contributors.map(|(whole, part)| whole.saturating_sub(part));
            let value = whole_known.value - part_known.value;
            let facts = Facts { value, contributors, ..whole_known.facts };
            let asked = Criterion::Threshold { least }
                .asks(&facts, self.request.zeros)
                .map_err(|lacking| Misfit::Lacking { place, column: lacking.0 })?;
            let known = self.differences.iter().any(|&(_, _, own, other)| (own, other) == (whole, part));
            if asked.is_some() && !known {
                self.differences.push((value, 0, whole, part));
            }
        }
        Ok(())
    }

    /// Who contributes a whole cell knows that every total above holds at least that: protection below a total cannot
    /// reach further down, and asking for more would refuse ordinary tables. Protection above is what the rules for
    /// amounts are about; below they only ask for the same by symmetry.
    pub(super) fn bound_below(&mut self) {
        let mut above = vec![Vec::new(); self.known.len()];
        for sum in &self.sums {
            for &part in &sum.parts {
                above[part as usize].push(sum.total as usize);
            }
        }
        for cell in 0..self.known.len() {
            let Known { value: own, owner: Some(_), .. } = self.known[cell] else { continue };
            let mut reached = HashSet::new();
            let mut next = above[cell].clone();
            while let Some(total) = next.pop() {
                if !reached.insert(total) {
                    continue;
                }
                next.extend(&above[total]);
                let known = &mut self.known[total];
                let most = (known.value - own).max(self.request.one);
                if let Some(need) = &mut known.need {
                    need.below = need.below.min(most);
                }
            }
        }
    }

    /// A total is no less than the least that its parts can be together.
    pub(super) fn add_lows(&mut self) {
        let mut more = self.known.iter().any(|known| known.low > 0);
        while std::mem::take(&mut more) {
            for sum in &self.sums {
                let parts = sum.parts.iter().map(|&part| self.known[part as usize].low).fold(0, i64::saturating_add);
                let total = &mut self.known[sum.total as usize];
                let low = parts.min(total.value);
                if low > total.low {
                    total.low = low;
                    more = true;
                }
            }
        }
    }

    pub(super) fn alone(&mut self) {
        let single = |cell: usize| self.known[cell].facts.alone();
        let taken: HashSet<u32> = self.known.iter().filter_map(|known| known.owner).collect();
        let mut numbers = alone(self.known.len(), owners::parts(&self.sums), &single, &taken);
        for (number, known) in numbers.iter_mut().zip(&self.known) {
            *number = known.owner.filter(|_| number.is_some()).or(*number);
        }
        spread(&mut numbers, &owners::parts(&self.sums), &|cell| self.known[cell].value == 0);
        for (known, number) in self.known.iter_mut().zip(numbers) {
            known.owner = known.owner.or(number);
        }
    }
}
