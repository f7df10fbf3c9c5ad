//! Whether the rows of a commune are as the author of its pack says.

use methodology::Relation;
use model::IndicatorCode;

use super::figures::Figures;

impl Figures<'_> {
    /// Whether some row breaks it. Rows are compared, not units: a household may have rows in two indicators that exclude
    /// each other.
    pub(super) fn broken(&self, claim: &Relation) -> bool {
        match claim {
            Relation::Within(part, whole) | Relation::Bound(part, whole) => {
                self.differ(part, whole, |part, whole| part && !whole)
            }
            Relation::Same(a, b) => self.differ(a, b, |a, b| a != b),
            Relation::Apart(a, b) => self.differ(a, b, |a, b| a && b),
            Relation::Overlap(..) => false,
            Relation::Partition { whole, parts } => {
                let mut times = vec![0_usize; self.kinds()];
                for part in parts {
                    times.iter_mut().zip(self.counting(part)).for_each(|(times, counts)| *times += usize::from(counts));
                }
                self.counting(whole).into_iter().zip(times).any(|(whole, times)| times != usize::from(whole))
            }
        }
    }

    fn differ(&self, a: &IndicatorCode, b: &IndicatorCode, broken: fn(bool, bool) -> bool) -> bool {
        self.counting(a).into_iter().zip(self.counting(b)).any(|(a, b)| broken(a, b))
    }

    /// Per kind of rows that the file has: whether it counts.
    fn counting(&self, indicator: &IndicatorCode) -> Vec<bool> {
        let mut counts = vec![false; self.kinds()];
        for measure in self.measures().iter().filter(|measure| measure.indicator == *indicator) {
            self.kinds_of(measure).for_each(|kind| counts[kind] = true);
        }
        counts
    }
}
