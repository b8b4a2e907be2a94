//! What is said of one kind of request: one line of JSON.

use std::time::Duration;

use crate::messages::Request;

/// How long a server is asked.
#[derive(Clone, Copy)]
pub struct Times {
    /// Before the first kind of request is measured.
    pub warm: Duration,
    /// For each kind; half of it goes by before, uncounted.
    pub each: Duration,
}

impl Times {
    /// How long that kind is asked uncounted, and then counted.
    pub fn of(self, request: &Request, first: bool) -> (Duration, Duration) {
        let each = self.each * request.weight();
        (each / 2 + if first { self.warm } else { Duration::ZERO }, each)
    }
}

/// The measurements of one run.
pub struct Report {
    pub requests: u64,
    pub took: Duration,
    /// CPU time of the server's processes meanwhile, in nanoseconds.
    pub cpu: u64,
    pub latencies: Vec<Duration>,
    /// Resident memory afterwards, in KiB.
    pub resident: u64,
}

impl Report {
    /// Prints it as what that kind of request costs.
    pub fn print(mut self, request: &Request) {
        self.latencies.sort_unstable();
        let at = |share: f64| {
            let index =
                ((self.latencies.len() as f64 * share) as usize).min(self.latencies.len().saturating_sub(1));
            self.latencies.get(index).copied().unwrap_or_default().as_secs_f64() * 1e6
        };
        println!(
            r#"{{"request":"{}","requests":{},"cpu_us":{:.3},"per_second":{:.1},"p50_us":{:.1},"p99_us":{:.1},"resident_kib":{}}}"#,
            request.kind,
            self.requests,
            self.cpu as f64 / 1e3 / self.requests.max(1) as f64,
            self.requests as f64 / self.took.as_secs_f64(),
            at(0.5),
            at(0.99),
            self.resident
        );
    }
}
