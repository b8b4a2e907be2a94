//! A server's processes as the kernel counts them: CPU time and memory of the whole tree.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that ends with this value.
pub struct Server(pub Child);

impl Server {
    /// Starts it; with pipes for standard input and output, or on its own.
    pub fn start(command: &[String], piped: bool) -> Server {
        let stdio = || if piped { Stdio::piped() } else { Stdio::null() };
        let (program, arguments) = command.split_first().expect("a command");
        let child = Command::new(program).args(arguments).stdin(stdio()).stdout(stdio()).spawn();
        Server(child.unwrap_or_else(|error| panic!("{program}: {error}")))
    }

    /// Waits until somebody listens on that port, 20 s at most; not for one that has ended.
    pub fn listening(&mut self, port: u16) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while let Err(error) = TcpStream::connect(("127.0.0.1", port)) {
            if let Ok(Some(status)) = self.0.try_wait() {
                panic!("the server ended: {status}");
            }
            assert!(Instant::now() < deadline, "port {port}: {error}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// CPU time of all its processes so far, in nanoseconds.
    pub fn cpu(&self) -> u64 {
        tree(self.0.id()).into_iter().map(cpu).sum()
    }

    /// Resident memory of all its processes, in KiB.
    pub fn resident(&self) -> u64 {
        let of = |pid: u32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0)
        };
        tree(self.0.id()).into_iter().map(of).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of input ends a server on pipes; the others, and their workers, are ended by signal.
        drop(self.0.stdin.take());
        let pids = tree(self.0.id());
        let deadline = Instant::now() + Duration::from_millis(if self.0.stdout.is_some() { 1500 } else { 0 });
        while Instant::now() < deadline && matches!(self.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        if matches!(self.0.try_wait(), Ok(None)) {
            let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
            let _ = Command::new("kill").arg("-KILL").args(&pids).stderr(Stdio::null()).status();
        }
        let _ = self.0.wait();
    }
}

/// A process and all that descend from it.
fn tree(root: u32) -> Vec<u32> {
    let mut all = vec![root];
    let mut at = 0;
    while let Some(pid) = all.get(at) {
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let children: Vec<u32> = tasks
            .filter_map(|task| fs::read_to_string(task.path().join("children")).ok())
            .flat_map(|text| text.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<u32>>())
            .collect();
        all.extend(children);
        at += 1;
    }
    all
}

/// By the scheduler's clock, which counts nanoseconds, or by the accounting of ended threads too, whichever is more.
fn cpu(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let exact: u64 = tasks
        .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .sum();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // After the name in parentheses, which may hold anything; utime and stime in hundredths of a second.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 =
        fields.get(11..13).into_iter().flatten().filter_map(|text| text.parse::<u64>().ok()).sum();
    exact.max((ticks * 10_000_000).saturating_sub(20_000_000))
}
