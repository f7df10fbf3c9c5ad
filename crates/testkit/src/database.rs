//! PostgreSQL for tests, where there is one.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::Need;

/// The variable that holds the URL of a throw-away PostgreSQL; `cargo xtask test` sets it.
pub const POSTGRES_URL: &str = "MAILLAGE_TEST_POSTGRES_URL";

/// A PostgreSQL URL with a schema that nobody else uses, or `None` (said once, see [`Need`]) where [`POSTGRES_URL`] is
/// not set.
pub fn postgres_url() -> Option<String> {
    static SAID: Once = Once::new();
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let Ok(base) = std::env::var(POSTGRES_URL) else {
        SAID.call_once(|| {
            Need::Postgres.absent(format_args!("{POSTGRES_URL} is not set: this suite runs on SQLite only"));
        });
        return None;
    };
    let separator = if base.contains('?') { '&' } else { '?' };
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    // Process ids come back: the address of a stack variable tells two runs on one cluster apart well enough.
    let salt = std::ptr::from_ref(&number) as usize;
    Some(format!("{base}{separator}schema=t{}_{salt:x}_{number}", std::process::id()))
}
