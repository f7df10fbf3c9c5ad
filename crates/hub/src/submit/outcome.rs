//! What a submission does to the cells of its slices.

use disclosure::Received;
use wire::document::Outcome;

/// Adds what replacing `before` by `after` does.
pub(super) fn add(total: &mut Outcome, after: &Received, before: Option<&Received>) {
    for (name, published) in &after.cells {
        match before.and_then(|before| before.cells.get(name)) {
            None => total.new += 1,
            Some(same) if same == published => total.unchanged += 1,
            Some(_) => total.changed += 1,
        }
    }
    if let Some(before) = before {
        let gone = before.cells.keys().filter(|name| !after.cells.contains_key(name)).count();
        total.withdrawn += u32::try_from(gone).unwrap_or(u32::MAX);
    }
}
