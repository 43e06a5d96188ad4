//! Dates and times of day.

/// Whether `year` has 29 February.
const fn leap(year: u64) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The numbers of `YYYY-MM-DD`, or of that and `Thh:mm:ss`; what stands behind is not read.
fn parts(text: &str) -> Option<[u64; 6]> {
    let mut parts = [0; 6];
    for (part, place) in parts.iter_mut().zip([0..4, 5..7, 8..10, 11..13, 14..16, 17..19]) {
        if place.start == 11 && text.len() == 10 {
            break;
        }
        *part = text.get(place)?.parse().ok()?;
    }
    Some(parts)
}

/// Whether there is such a day, and such a time of day.
pub(super) fn is_date(text: &str) -> bool {
    parts(text).is_some_and(|[year, month, day, hour, minute, second]| {
        (1..=12).contains(&month)
            && (1..=days_of_month(year, month)).contains(&day)
            && hour <= 23
            && minute <= 59
            && second <= 59
    })
}

/// Seconds since 1970-01-01T00:00:00Z of a date from then on, counted year by year and month by month.
pub(super) fn unix_seconds(text: &str) -> Option<u64> {
    let [year, month, day, hour, minute, second] = parts(text)?;
    let years: u64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let months: u64 = (1..month).map(|month| days_of_month(year, month)).sum();
    Some((((years + months + day - 1) * 24 + hour) * 60 + minute) * 60 + second)
}

/// `YYYY-MM-DDThh:mm:ss` so many seconds after 1970-01-01T00:00:00Z; `None` behind the year 9999.
pub(super) fn date(seconds: u64) -> Option<String> {
    let mut days = seconds / 86400;
    let mut year = 1970;
    while days >= if leap(year) { 366 } else { 365 } {
        days -= if leap(year) { 366 } else { 365 };
        year += 1;
        if year > 9999 {
            return None;
        }
    }
    let mut month = 1;
    while days >= days_of_month(year, month) {
        days -= days_of_month(year, month);
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    Some(format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}", days + 1))
}
