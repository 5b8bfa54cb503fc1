use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// Tells the time, to the millisecond; a test moves it.
///
/// Everything that decides by time asks a clock, so that "an hour later" is a line in a test.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_ms: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that starts at the machine's time and can be moved ahead by [`Clock::advance`].
    pub fn movable() -> Self {
        Self {
            ahead_ms: Some(Arc::default()),
        }
    }

    /// The time now, in whole milliseconds.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that asks the machine"
    )]
    pub fn now(&self) -> Timestamp {
        let ahead = self
            .ahead_ms
            .as_ref()
            .map_or(0, |ahead| ahead.load(Ordering::Relaxed));
        let now = Timestamp::now().as_millisecond().saturating_add(ahead);
        Timestamp::from_millisecond(now).unwrap_or(Timestamp::MAX)
    }

    /// Moves a movable clock, and all its clones, ahead; the machine's clock stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Some(ahead) = &self.ahead_ms {
            let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
            ahead.fetch_add(by, Ordering::Relaxed);
        }
    }
}

/// ISO 8601 in UTC with milliseconds, as every time on the wire: `2026-01-31T23:59:59.000Z`.
pub fn iso(at: Timestamp) -> String {
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_with_three_digits_and_a_z() {
        let at = Timestamp::from_millisecond(1_767_225_599_040).unwrap();
        assert_eq!(iso(at), "2025-12-31T23:59:59.040Z");
    }

    #[test]
    fn a_clone_of_a_movable_clock_moves_with_it() {
        let clock = Clock::movable();
        let clone = clock.clone();
        let before = clone.now();
        clock.advance(Duration::from_hours(2));
        assert!(clone.now().duration_since(before).as_hours() >= 2);
    }
}
