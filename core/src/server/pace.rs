//! How often progress is told ("Both parties SHOULD implement rate limiting", basic/utilities/progress of each revision).

use super::notify::Progress;
use crate::limits::Limits;

/// Limits how often one call tells its progress, by a clock of the host's.
///
/// A bucket that holds as many notifications as [`Limits::progress_rate`] and is filled again at that rate, per second: a
/// burst of so many passes, and what comes faster than the rate after it is left out. Nothing is lost by that, since the
/// next one says more; the one that says that all is done (`progress` reaches `total`) always passes, once.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    rate: u64,
    /// Thousandths of a notification: what a millisecond adds is `rate` of them.
    left: u64,
    last: Option<u64>,
    done: bool,
}

/// Thousandths of one notification.
const ONE: u64 = 1000;

impl Pace {
    /// For one call.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        let rate = u64::try_from(limits.progress_rate).unwrap_or(u64::MAX).min(u64::from(u32::MAX));
        Pace { rate, left: rate * ONE, last: None, done: false }
    }

    /// Whether to tell it now; `now` is in ms by a clock that does not go back.
    pub fn admits(&mut self, progress: &Progress<'_>, now: u64) -> bool {
        let passed = now.saturating_sub(self.last.unwrap_or(now));
        self.last = Some(now);
        self.left = self.left.saturating_add(passed.saturating_mul(self.rate)).min(self.rate * ONE);
        if self.left >= ONE {
            self.left -= ONE;
        } else if self.done || progress.total.is_none_or(|total| progress.progress < total) {
            return false;
        }
        self.done |= progress.total.is_some_and(|total| progress.progress >= total);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(progress: f64, total: Option<f64>) -> Progress<'static> {
        Progress { progress, total, message: None }
    }

    // proves: S-214
    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let limits = Limits { progress_rate: 4, ..Limits::DEFAULT };
        let mut pace = Pace::new(&limits);
        let mut told =
            |now: u64, count: usize| (0..count).filter(|_| pace.admits(&at(1.0, Some(100.0)), now)).count();
        assert_eq!(told(5_000, 10), 4);
        assert_eq!(told(5_249, 10), 0);
        assert_eq!(told(5_250, 10), 1);
        assert_eq!(told(5_250, 10), 0);
        assert_eq!(told(4_000, 10), 0, "a clock that went back");
        assert_eq!(told(5_000_000, 10), 4, "no more than a burst is saved");
        assert_eq!(told(u64::MAX, 10), 4);
    }

    #[test]
    fn the_end_always_passes_once() {
        let limits = Limits { progress_rate: 1, ..Limits::DEFAULT };
        let mut pace = Pace::new(&limits);
        let seen: [bool; 5] = [
            pace.admits(&at(1.0, Some(3.0)), 0),
            pace.admits(&at(2.0, Some(3.0)), 0),
            pace.admits(&at(3.0, Some(3.0)), 0),
            pace.admits(&at(4.0, Some(3.0)), 0),
            pace.admits(&at(5.0, None), 0),
        ];
        assert_eq!(seen, [true, false, true, false, false]);
        let endless = Limits { progress_rate: usize::MAX, ..Limits::DEFAULT };
        let mut pace = Pace::new(&endless);
        assert!((0..100_000).all(|_| pace.admits(&at(f64::NAN, None), 0)));
    }
}
