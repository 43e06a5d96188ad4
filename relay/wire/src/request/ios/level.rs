//! The battery level of `UIDevice`: a decimal fraction, read and kept exactly, never as a float.

use alloc::string::{String, ToString};

use crate::{error::Code, request::grammar};

/// `power.level`: -1 where the system does not know it, else 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatteryLevel {
    /// -1.
    Unknown,
    /// The charge in units of 10^-18, [`Self::FULL`] at most: as fine as the field's 20 characters can say.
    Charge(u64),
}

impl BatteryLevel {
    /// The units of a full battery.
    pub const FULL: u64 = 10_u64.pow(Self::DIGITS);
    const DIGITS: u32 = 18;

    /// The level of a JSON number as spelled.
    ///
    /// # Errors
    /// `E_LENGTH` unless 1..20 characters; `E_FORMAT` for an exponent or a minus zero; `E_RANGE` unless exactly -1 or
    /// 0 to 1.
    pub(super) fn parse(spelling: &str) -> Result<Self, Code> {
        grammar::length(spelling, 1, 20)?;
        let (is_negative, magnitude) = spelling.strip_prefix('-').map_or((false, spelling), |rest| (true, rest));
        let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
        // RFC 8259 leaves nothing else that could stand here.
        grammar::format(!magnitude.contains(['e', 'E']))?;
        let is_zero = |digits: &str| digits.bytes().all(|digit| digit == b'0');
        grammar::format(!(is_negative && is_zero(whole) && is_zero(fraction)))?;
        match (is_negative, whole) {
            (true, "1") if is_zero(fraction) => Ok(Self::Unknown),
            (false, "1") if is_zero(fraction) => Ok(Self::Charge(Self::FULL)),
            (false, "0") => {
                let digits = fraction.bytes().chain(core::iter::repeat(b'0')).take(Self::DIGITS as usize);
                Ok(Self::Charge(digits.fold(0, |units, digit| units * 10 + u64::from(digit - b'0'))))
            }
            _ => Err(Code::Range),
        }
    }

    /// The shortest spelling.
    pub(super) fn spell(self) -> String {
        let Self::Charge(units) = self else { return "-1".to_string() };
        let (whole, fraction) = (units / Self::FULL, units % Self::FULL);
        if fraction == 0 {
            return whole.to_string();
        }
        let spelled = alloc::format!("{whole}.{fraction:018}");
        spelled.trim_end_matches('0').to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings() {
        for (spelled, units, shortest) in [
            ("0", 0, "0"),
            ("0.0", 0, "0"),
            ("1", BatteryLevel::FULL, "1"),
            ("1.000000000000000000", BatteryLevel::FULL, "1"),
            ("0.62", 620_000_000_000_000_000, "0.62"),
            ("0.50", 500_000_000_000_000_000, "0.5"),
            ("0.000000000000000001", 1, "0.000000000000000001"),
            ("0.999999999999999999", BatteryLevel::FULL - 1, "0.999999999999999999"),
        ] {
            assert_eq!(BatteryLevel::parse(spelled), Ok(BatteryLevel::Charge(units)), "{spelled}");
            assert_eq!(BatteryLevel::Charge(units).spell(), shortest);
        }
        for spelled in ["-1", "-1.0", "-1.00000000000000000"] {
            assert_eq!(BatteryLevel::parse(spelled), Ok(BatteryLevel::Unknown), "{spelled}");
        }
        assert_eq!(BatteryLevel::Unknown.spell(), "-1");
    }

    #[test]
    fn refusals() {
        for (spelled, code) in [
            ("1e0", Code::Format),
            ("1E0", Code::Format),
            ("0.1e-1", Code::Format),
            ("-0", Code::Format),
            ("-0.0", Code::Format),
            ("-0e1", Code::Format),
            ("-0.000000000000000001", Code::Length),
            ("-0.00000000000000001", Code::Range),
            ("-0.5", Code::Range),
            ("-2", Code::Range),
            ("-1.1", Code::Range),
            ("2", Code::Range),
            ("10", Code::Range),
            ("12345678901234567890", Code::Range),
            ("1.01", Code::Range),
            ("1.000000000000000001", Code::Range),
            ("1.0000000000000000000", Code::Length),
            ("123456789012345678901", Code::Length),
        ] {
            assert_eq!(BatteryLevel::parse(spelled), Err(code), "{spelled}");
        }
    }
}
