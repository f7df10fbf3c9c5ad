//! Where a test may let the process die: before and after everything that outlives it.
//!
//! Transactions come here by themselves (begin, each statement, commit); whoever writes a file says so with [`point`].
//! One fail point, [`FAIL_POINT`], serves all places: a test counts its way through them and so needs no list that
//! could lack one. Compiled to nothing unless `fail/failpoints` is on, which only the end-to-end tests do.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The name to give to `fail::cfg_callback`.
pub const FAIL_POINT: &str = "write";

static LAST: Mutex<String> = Mutex::new(String::new());

/// Something durable is about to happen, or has just happened, at `place`.
pub fn point(place: &str) {
    if fail::has_failpoints() {
        place.clone_into(&mut last_place());
        fail::fail_point!(FAIL_POINT);
    }
}

/// The place that was passed last, for whoever is called back: fail points carry no argument.
pub fn last() -> String {
    last_place().clone()
}

/// `INSERT INTO submission`: what the statement does to which table, and nothing that it holds.
pub(crate) fn statement(sql: &str) {
    if fail::has_failpoints() {
        point(&sql.split_whitespace().take(3).collect::<Vec<_>>().join(" "));
    }
}

fn last_place() -> MutexGuard<'static, String> {
    LAST.lock().unwrap_or_else(PoisonError::into_inner)
}
