//! What visible figures allow a hidden one to be.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use disclosure::Received;
use disclosure::attack::{Bounds, bounds};
use methodology::Table;
use model::{IndicatorCode, Key, Slice, SubmissionId};
use statistics::Interval;

/// Intervals of documents already solved; documents never change.
#[derive(Default)]
pub(crate) struct Solved(Mutex<HashMap<(SubmissionId, Slice), Arc<Bounds>>>);

const KEPT: usize = 4_000;

impl Solved {
    /// What the figures of `received` allow for one cell, in units of its measure. Long the first time: runs off the
    /// event loop.
    ///
    /// Only the current figures are used, not those that were sent before: whoever compares reads these. The interval
    /// holds the truth either way.
    pub(crate) fn interval(
        &self,
        submission: SubmissionId,
        received: &Received,
        table: &Table,
        cell: (&IndicatorCode, &Key),
    ) -> Interval {
        // What is not solved is not claimed: figures are counts and amounts, never negative.
        let open = Interval::between(0, None).unwrap_or(Interval::ZERO);
        let name = (submission, received.slice.clone());
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&name).cloned();
        let solved = known.or_else(|| {
            let solved = Arc::new(bounds(table.scheme(), &[received]).ok()?);
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() >= KEPT {
                kept.clear();
            }
            kept.insert(name, Arc::clone(&solved));
            Some(solved)
        });
        let found = solved.and_then(|solved| solved.cells.get(&(cell.0.clone(), cell.1.clone())).copied());
        found.and_then(|found| Interval::between(found.low, found.high)).unwrap_or(open)
    }
}
