//! Time that stands still until a test moves it.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use model::{Clock, Timestamp};

/// A clock that moves only when told. Share it in an `Arc` between the test and what it tests.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `start`.
    pub fn at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.as_micros()))
    }

    /// Moves forward by `duration`.
    pub fn advance(&self, duration: Duration) {
        self.set(self.now().plus(duration));
    }

    /// Moves to `instant`, forward or back.
    pub fn set(&self, instant: Timestamp) {
        self.0.store(instant.as_micros(), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    /// 2026-01-05T08:00:00Z, a Monday.
    fn default() -> Self {
        Self::at(Timestamp::from_micros(1_767_600_000_000_000))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_moves_only_when_told() {
        let clock = ManualClock::default();
        assert_eq!(clock.now().to_string(), "2026-01-05T08:00:00Z");
        assert_eq!(clock.now(), clock.now());
        clock.advance(Duration::from_mins(1));
        assert_eq!(clock.now().to_string(), "2026-01-05T08:01:00Z");
    }
}
