//! What the process may use and what it uses.

use std::io;

/// The bound on open descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct DescriptorLimit {
    /// What it was.
    pub before: Option<u64>,
    /// What it is; `None`: no bound.
    pub now: Option<u64>,
}

/// Raises the soft bound on open descriptors to the hard one, as far as the operating system lets us: every device is a
/// descriptor, and the usual soft bound of 1,024 is there for programs that use `select`.
///
/// # Errors
/// What the operating system says; the old bound holds then.
#[cfg(unix)]
pub fn raise_descriptor_limit() -> io::Result<DescriptorLimit> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current: before, maximum } = getrlimit(Resource::Nofile);
    if before != maximum {
        setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    }
    Ok(DescriptorLimit { before, now: getrlimit(Resource::Nofile).current })
}

/// There is no such bound here.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn raise_descriptor_limit() -> io::Result<DescriptorLimit> {
    Ok(DescriptorLimit { before: None, now: None })
}

/// Bytes of resident memory; `None` where the operating system does not say (Linux does).
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    // The line counts in kB, so the page size does not matter.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Open descriptors; `None` where the operating system does not say (Linux does).
///
/// It lists a folder with one entry for each, so call it for a reading now and then, not per connection.
#[must_use]
pub fn open_descriptors() -> Option<u64> {
    // The listing itself holds one.
    let entries = std::fs::read_dir("/proc/self/fd").ok()?.count() as u64;
    Some(entries.saturating_sub(1))
}

/// Seconds of processor time that this process has used, in user and kernel mode together; `None` where the operating
/// system does not say.
#[must_use]
pub fn cpu_seconds() -> Option<f64> {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
        #[allow(clippy::cast_precision_loss, reason = "seconds of one process")]
        Some(time.tv_sec as f64 + time.tv_nsec as f64 / 1e9)
    }
    #[cfg(not(target_os = "linux"))]
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_limit_is_raised() {
        let limit = raise_descriptor_limit().unwrap();
        assert!(limit.now >= limit.before || limit.now.is_none());
        assert_eq!(raise_descriptor_limit().unwrap().before, limit.now);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn readings_are_plausible() {
        assert!(resident_bytes().unwrap() > 100_000);
        let before = open_descriptors().unwrap();
        assert!((3..100_000).contains(&before));
        assert!(cpu_seconds().unwrap() > 0.0);
    }
}
