//! Points in time as people and machines read them.

/// Days and seconds of the day, of seconds since 1970 in UTC.
const fn split(seconds: i64) -> (i64, i64) {
    (seconds.div_euclid(86_400), seconds.rem_euclid(86_400))
}

/// Year, month and day in the Gregorian calendar, of days since 1970-01-01.
const fn civil(days: i64) -> (i64, i64, i64) {
    // Years that begin in March, so that the leap day is the last one; eras of 400 such years have 146,097 days.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// `2026-11-22`, of seconds since 1970 in UTC.
pub fn date(seconds: i64) -> String {
    let (year, month, day) = civil(split(seconds).0);
    format!("{year:04}-{month:02}-{day:02}")
}

/// `2026-11-22T23:50:01Z` (RFC 3339), of seconds since 1970 in UTC.
pub fn rfc3339(seconds: i64) -> String {
    let of_day = split(seconds).1;
    format!("{}T{:02}:{:02}:{:02}Z", date(seconds), of_day / 3600, of_day / 60 % 60, of_day % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_dates() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc3339(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59Z");
        assert_eq!(date(253_402_300_799), "9999-12-31");
        assert_eq!(date(1_709_164_800), "2024-02-29");
    }
}
