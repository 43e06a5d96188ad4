//! What processes use.

use std::time::Instant;

use tests::relay::Part;

/// Seconds of processor time that process `id` has used so far (proc(5): fields 14 and 15, in 1/100 s).
pub fn cpu_of(id: u32) -> f64 {
    let read = || {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
        let user: f64 = fields.next()?.parse().ok()?;
        let system: f64 = fields.next()?.parse().ok()?;
        Some((user + system) / 100.0)
    };
    read().unwrap_or(f64::NAN)
}

/// Seconds of processor time that this process (devices and services) has used so far.
fn cpu_own() -> f64 {
    relay_runtime::resources::cpu_seconds().unwrap_or(f64::NAN)
}

/// Measures several processes over the same time.
pub struct Meter {
    ids: Vec<u32>,
    before: Vec<f64>,
    own: f64,
    started: Instant,
}

/// What was used.
pub struct Used {
    /// Seconds on the clock.
    pub wall: f64,
    /// Seconds of processor time of each process, in the order they were given.
    pub cpu: Vec<f64>,
    /// The same of this process.
    pub own: f64,
}

impl Meter {
    /// Starts now.
    pub fn start(ids: &[u32]) -> Self {
        let before = ids.iter().map(|id| cpu_of(*id)).collect();
        Self { ids: ids.to_vec(), before, own: cpu_own(), started: Instant::now() }
    }

    /// What was used since the start.
    pub fn stop(&self) -> Used {
        let cpu = self.ids.iter().zip(&self.before).map(|(id, before)| cpu_of(*id) - before).collect();
        Used { wall: self.started.elapsed().as_secs_f64(), cpu, own: cpu_own() - self.own }
    }
}

/// Resident memory of a part in bytes.
#[allow(clippy::cast_precision_loss, reason = "bytes of memory")]
pub fn resident(part: &Part) -> f64 {
    part.process().resident_bytes().map_or(f64::NAN, |bytes| bytes as f64)
}
