//! What tests share: a clock that moves only when told, entropy that repeats itself, a database of one's own.
//!
//! Development only. A product crate that needs something from here needs an argument instead.

mod clock;
mod database;
mod entropy;
mod need;

pub use clock::ManualClock;
pub use database::{POSTGRES_URL, postgres_url};
pub use entropy::SeededEntropy;
pub use need::{NOT_RUN, Need, REQUIRE};
