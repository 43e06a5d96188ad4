//! The options of `run`.

use std::{num::NonZeroU32, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{DeploymentArgs, EdgeArgs};

const EXAMPLES: &str = "\
Examples:
  client-sim run                                    600 devices against an embedded relay
  client-sim run --devices 5000 --bytes 0 --hold 60s
                                                    many connections, held open and idle for a minute
  client-sim run --format json --report fleet.html  the figures as JSON and as a page
  client-sim run --edge edge.example.com:443 --pin spki:… --roots edge.crt \\
      --master-pin spki:… --node node-a --mass-secret-file mass.secret
                                                    the same fleet against a real edge

Exit codes: 0 every device got what it should; 1 not every one did, or the run could not go on; 2 wrong usage.";

/// The options of `run`.
#[derive(Args, Clone, Debug)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    /// The edge (without it: a relay embedded in this process).
    #[command(flatten)]
    pub edge: EdgeArgs,
    /// The deployment.
    #[command(flatten)]
    pub deployment: DeploymentArgs,
    /// How many devices, over the six platforms in equal parts.
    #[arg(long, default_value = "600", value_name = "N", value_parser = devices)]
    pub devices: NonZeroU32,
    /// Bytes that each device backs up and restores (`1MiB`, `64KiB`, `0`: no transfer).
    #[arg(long, default_value = "1MiB", value_name = "BYTES", value_parser = super::run::bytes)]
    pub bytes: u64,
    /// Decides devices, faults, arrivals and contents. Ids follow from it, and an enrolled id is refused a second time
    /// [default: 1 for the embedded relay, drawn at random for a real edge].
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// The time over which devices arrive [default: 25 ms per device].
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub ramp: Option<Duration>,
    /// Devices at work at one time; further ones wait, and their latency from the intended start counts the wait.
    #[arg(long, default_value = "64", value_name = "N", value_parser = super::at_least_one)]
    pub concurrency: NonZeroU32,
    /// Keep every served device connected this long after its work, pinging as its platform does.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub hold: Option<Duration>,
    /// The form of the result on standard output.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Also write a self-contained HTML page.
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
}

/// The form of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// Devices in a run at most: the schedule of all of them is made before the first one starts.
const DEVICES_MAX: u32 = 1_000_000;

/// A number of devices.
fn devices(text: &str) -> Result<NonZeroU32, String> {
    let number = text.parse().ok().filter(|number: &NonZeroU32| number.get() <= DEVICES_MAX);
    number.ok_or_else(|| format!("give a whole number, at least 1 and at most {DEVICES_MAX}"))
}

/// A number of bytes with an optional unit: `1048576`, `64KiB`, `1MiB`, `2GiB`, `1MB`.
///
/// # Errors
/// A text that says what is accepted.
pub fn bytes(text: &str) -> Result<u64, String> {
    let refusal = || format!("{text:?} is no size; give a number with B, KiB, MiB, GiB, KB, MB or GB, such as 1MiB");
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| refusal())?;
    let factor = match unit.trim_start() {
        "" | "B" => 1,
        "KiB" | "K" => 1 << 10,
        "MiB" | "M" => 1 << 20,
        "GiB" | "G" => 1 << 30,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(refusal()),
    };
    number.checked_mul(factor).ok_or_else(refusal)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes() {
        assert_eq!(bytes("0"), Ok(0));
        assert_eq!(bytes("1MiB"), Ok(1 << 20));
        assert_eq!(bytes("64 KiB"), Ok(65_536));
        assert_eq!(bytes("3GB"), Ok(3_000_000_000));
        for wrong in ["", "MiB", "1.5MiB", "-1", "1TiB", "99999999999GiB"] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }
}
