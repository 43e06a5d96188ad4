//! The processor time that this process has used, the embedded relay's apart from the simulator's.
//!
//! Threads are told apart by the name their runtime gave them. Where the kernel does not say (not Linux), nothing is
//! reported rather than something wrong.

use std::{fs, time::Duration};

/// The name of the threads on which the embedded relay runs.
pub const RELAY_THREADS: &str = "relay-lab";

/// Processor time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// Of the simulator.
    pub simulator: Duration,
    /// Of the embedded relay.
    pub relay: Duration,
}

impl Cpu {
    /// What this process has used so far; `None` where it cannot be known.
    #[must_use]
    pub fn now() -> Option<Self> {
        let mut cpu = Self::default();
        for thread in fs::read_dir("/proc/self/task").ok()?.flatten() {
            // A thread may end between the listing and the reading; what it used is then lost to both sides.
            let Ok(stat) = fs::read_to_string(thread.path().join("stat")) else { continue };
            let (name, used) = parse(&stat)?;
            if name == RELAY_THREADS { cpu.relay += used } else { cpu.simulator += used }
        }
        Some(cpu)
    }

    /// What was used since `earlier`.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            simulator: self.simulator.saturating_sub(earlier.simulator),
            relay: self.relay.saturating_sub(earlier.relay),
        }
    }
}

/// Name and time of one thread (proc(5): fields 2, 14 and 15; the kernel counts user-visible time in 1/100 s).
fn parse(stat: &str) -> Option<(&str, Duration)> {
    let (_, rest) = stat.split_once('(')?;
    let (name, rest) = rest.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some((name, Duration::from_millis((user + system) * 10)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_thread_whose_name_has_brackets() {
        let stat = "77 (a) (b) S 1 77 77 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 3 0 100 1000 100";
        assert_eq!(parse(stat), Some(("a) (b", Duration::from_secs(3))));
        assert_eq!(parse("77 (x"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn knows_itself() {
        assert!(Cpu::now().is_some());
    }
}
