//! Dates of the Gregorian calendar and times of day: the pattern and the calendar give `E_FORMAT`, TIME gives `E_RANGE`.

use alloc::string::String;
use core::fmt::Write as _;

use super::{format, length};
use crate::{error::Code, time::WallTime};

const SECONDS_PER_DAY: i64 = 86_400;

/// `E_RANGE` unless a request may carry this time (TIME).
pub(crate) const fn in_range(time: WallTime) -> Result<WallTime, Code> {
    if time.is_in_range() { Ok(time) } else { Err(Code::Range) }
}

/// `YYYY-MM-DD`, whose length has been judged, as days since 1970-01-01.
pub(crate) fn date(text: &[u8]) -> Result<i64, Code> {
    let [y @ .., b'-', m1, m2, b'-', d1, d2] = text else { return Err(Code::Format) };
    format(y.len() == 4)?;
    let year = digits(y)?;
    let month = digits(&[*m1, *m2])?;
    let day = digits(&[*d1, *d2])?;
    format((1..=12).contains(&month) && day >= 1 && day <= days_in(year, month))?;
    Ok(days_from_civil(year, month, day))
}

/// `YYYY-MM-DDThh:mm:ssZ` with a dot and `fraction` digits (7 at most) before the `Z` if `fraction` is not 0: its length,
/// its pattern, the calendar, TIME.
pub(crate) fn date_time(text: &str, fraction: usize) -> Result<WallTime, Code> {
    let characters = if fraction == 0 { 20 } else { 21 + fraction };
    length(text, characters, characters)?;
    let (day, time) = text.as_bytes().split_at_checked(10).ok_or(Code::Format)?;
    let [b'T', h1, h2, b':', m1, m2, b':', s1, s2, rest @ .., b'Z'] = time else { return Err(Code::Format) };
    let part = match (fraction, rest) {
        (0, []) => 0,
        (1.., [b'.', part @ ..]) if part.len() == fraction => digits(part)?,
        _ => return Err(Code::Format),
    };
    let days = date(day)?;
    let (hour, minute, second) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?, digits(&[*s1, *s2])?);
    format(hour <= 23 && minute <= 59 && second <= 59)?;
    let seconds = days * SECONDS_PER_DAY + hour * 3_600 + minute * 60 + second;
    let tick_part = (fraction..7).fold(part, |value, _| value * 10);
    // Before 1970 there is no `WallTime`, and TIME begins later.
    let ticks =
        u64::try_from(seconds * WallTime::TICKS_PER_SECOND.cast_signed() + tick_part).map_err(|_| Code::Range)?;
    in_range(WallTime::from_ticks(ticks))
}

/// Appends what [`date_time`] reads, finer parts cut off.
pub(crate) fn push_date_time(time: WallTime, fraction: usize, out: &mut String) {
    let seconds = time.unix_seconds();
    let (year, month, day) = civil_from_days(seconds / SECONDS_PER_DAY.cast_unsigned());
    let of_day = seconds % SECONDS_PER_DAY.cast_unsigned();
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    // Writing to a `String` does not fail.
    let _ = write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if fraction > 0 {
        let part = (fraction..7).fold(time.ticks() % WallTime::TICKS_PER_SECOND, |value, _| value / 10);
        let _ = write!(out, ".{part:0fraction$}");
    }
    out.push('Z');
}

fn digits(text: &[u8]) -> Result<i64, Code> {
    format(text.iter().all(u8::is_ascii_digit))?;
    Ok(text.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0')))
}

const fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date, counting years from March so that the leap day comes last.
pub(crate) const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`] from 1970 on.
pub(crate) const fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}
