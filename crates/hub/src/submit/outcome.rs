//! What a submission does to the cells of its slices.

use disclosure::Received;
use itertools::{EitherOrBoth, Itertools};
use wire::document::Outcome;

/// Adds what replacing `before` by `after` does.
pub(super) fn add(total: &mut Outcome, after: &Received, before: Option<&Received>) {
    let Some(before) = before else {
        total.new += counted(after.cells.len());
        return;
    };
    for pair in before.cells.iter().merge_join_by(&after.cells, |(before, _), (after, _)| before.cmp(after)) {
        match pair {
            EitherOrBoth::Both((_, before), (_, after)) if before == after => total.unchanged += 1,
            EitherOrBoth::Both(..) => total.changed += 1,
            EitherOrBoth::Left(_) => total.withdrawn += 1,
            EitherOrBoth::Right(_) => total.new += 1,
        }
    }
}

fn counted(cells: usize) -> u32 {
    u32::try_from(cells).unwrap_or(u32::MAX)
}
