//! Lines of few numbers each, laid end to end.

/// Compressed lines: what stands in a line, by position and coefficient.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    starts: Vec<u32>,
    terms: Vec<(u32, i32)>,
}

impl Lines {
    pub(crate) fn of<'a>(lines: impl Iterator<Item = &'a [(usize, i64)]>) -> Self {
        let mut starts = vec![0];
        let mut terms = Vec::new();
        for line in lines {
            terms.extend(line.iter().map(|&(at, coefficient)| {
                (
                    u32::try_from(at).expect("a system has fewer than 2^32 cells"),
                    i32::try_from(coefficient).expect("coefficients were checked to be small"),
                )
            }));
            starts.push(u32::try_from(terms.len()).expect("a system has fewer than 2^32 terms"));
        }
        Self { starts, terms }
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn line(&self, index: usize) -> impl Iterator<Item = (usize, i64)> {
        let (from, to) = (self.starts[index] as usize, self.starts[index + 1] as usize);
        self.terms[from..to].iter().map(|&(at, coefficient)| (at as usize, i64::from(coefficient)))
    }

    /// The same numbers by column.
    pub(crate) fn transposed(&self, columns: usize) -> Self {
        let mut starts = vec![0_u32; columns + 1];
        for &(at, _) in &self.terms {
            starts[at as usize + 1] += 1;
        }
        for column in 0..columns {
            starts[column + 1] += starts[column];
        }
        let mut next = starts.clone();
        let mut terms = vec![(0, 0); self.terms.len()];
        for line in 0..self.len() {
            for position in self.starts[line]..self.starts[line + 1] {
                let (at, coefficient) = self.terms[position as usize];
                let line = u32::try_from(line).expect("a system has fewer than 2^32 relations");
                terms[next[at as usize] as usize] = (line, coefficient);
                next[at as usize] += 1;
            }
        }
        Self { starts, terms }
    }
}
