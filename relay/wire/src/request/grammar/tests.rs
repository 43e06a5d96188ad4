//! The shared grammars by themselves: their ends, and the inverses of what they read.

use super::*;
use crate::time::WallTime;
use alloc::format;

fn code<T>(result: Result<T, Code>) -> Option<Code> {
    result.err()
}

#[test]
fn lengths_count_code_points() {
    assert_eq!(length("\u{1F600}\u{1F600}", 2, 2), Ok(()));
    assert_eq!(length("é", 2, 2), Err(Code::Length));
    assert_eq!(length("", 0, 0), Ok(()));
    assert_eq!(length("abc", 1, 2), Err(Code::Length));
}

#[test]
fn labels_and_users() {
    for good in ["a", "A-1", "0", "a--b"] {
        assert!(is_label(good.as_bytes()), "{good}");
    }
    for bad in ["", "-", "-a", "a-", "a_b", "a.b"] {
        assert!(!is_label(bad.as_bytes()), "{bad}");
    }
    assert_eq!(user("ana.lopez@example.com"), Ok(()));
    assert_eq!(user("a+b%c'd@x.y.zz"), Ok(()));
    for bad in ["ana@example", "@example.com", "a@b@c.de", "a@.de.fg", "a@b..de", "a@b.c1", "a@-b.cde", "é@example.com"]
    {
        assert_eq!(user(bad), Err(Code::Format), "{bad}");
    }
    assert_eq!(code(node("Node")), Some(Code::Format));
    assert_eq!(code(node(&"a".repeat(64))), Some(Code::Length));
}

#[test]
fn locales() {
    for good in ["en-US", "gsw-CH", "zh-Hant-TW", "es-419"] {
        assert!(is_bcp(good), "{good}");
    }
    for bad in ["en", "en-us", "en-USA", "en-Latn", "en-A12", "en-1234", "e-US", "engl-US", "en-Lat-US", "en-US-"] {
        assert!(!is_bcp(bad), "{bad}");
    }
    for good in ["en_US", "zh-Hans_CN", "es_419", "de_DE@calendar=gregorian;currency=EUR"] {
        assert_eq!(apple_locale(good), Ok(()), "{good}");
    }
    for bad in ["en-US", "en_US@", "en_US@a", "en_US@a=", "en_US@a=b;", "en_US;a=b", "en_US@A=b", "en_US@a=b@c=d"] {
        assert_eq!(apple_locale(bad), Err(Code::Format), "{bad}");
    }
}

#[test]
fn base64_has_one_form() {
    assert!(nonce_base64("eDd7UldXtJRCf4kBT5fXmQ==").is_ok());
    for bad in
        ["eDd7UldXtJRCf4kBT5fXmR==", "eDd7UldXtJRCf4kBT5fXmQ=A", "eDd7UldXtJRCf4kBT5fXm===", "AAAAAAAAAAAAAAAAAAAAAA=="]
    {
        assert_eq!(code(nonce_base64(bad)), Some(Code::Format), "{bad}");
    }
    assert_eq!(code(nonce_base64("eDd7UldXtJRCf4kBT5fXmQ")), Some(Code::Length));
    let proof = core::array::from_fn(|at| u8::try_from(at * 7 % 256).unwrap());
    assert_eq!(device_proof(&device_text(&proof)), Ok(proof));
    let mut text = String::new();
    push_base64(&[0xFB; 20], &mut text);
    assert_eq!(base64_20(&text), Ok([0xFB; 20]));
}

#[test]
fn dates_and_their_inverse() {
    let mut day = 0;
    for year in 1970..2110 {
        for (month, days) in
            [31, if year % 4 == 0 && year != 2100 { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
                .into_iter()
                .enumerate()
                .map(|(at, days)| (at + 1, days))
        {
            for of_month in 1..=days {
                let text = format!("{year:04}-{month:02}-{of_month:02}");
                assert_eq!(date(text.as_bytes()), Ok(day), "{text}");
                day += 1;
            }
            assert_eq!(date(format!("{year:04}-{month:02}-{:02}", days + 1).as_bytes()), Err(Code::Format));
        }
    }
    for ticks in [WallTime::MIN.ticks(), 17_787_510_001_250_000, WallTime::END.ticks() - 1] {
        let time = WallTime::from_ticks(ticks);
        let mut text = String::new();
        push_date_time(time, 7, &mut text);
        assert_eq!(date_time(&text, 7), Ok(time), "{text}");
    }
    assert_eq!(code(date_time("0000-01-01T00:00:00Z", 0)), Some(Code::Range));
    assert_eq!(code(date_time("2026-02-30T00:00:00Z", 0)), Some(Code::Format));
    assert_eq!(code(date_time("2026-02-28T24:00:00Z", 0)), Some(Code::Format));
    assert_eq!(code(date_time("2026-02-28T00:00:60Z", 0)), Some(Code::Format));
    assert_eq!(code(date_time("2026-02-28T00:00:00.1Z", 0)), Some(Code::Length));
    assert_eq!(code(date_time("2099-12-31T23:59:59.999Z", 3)), None);
}

#[test]
fn apple_builds() {
    assert_eq!(apple_build("23F79"), Ok(23));
    assert_eq!(apple_build("20H2026a"), Ok(20));
    for bad in ["23f79", "23F079", "33F79", "23F79A", "23F7 9", "23F123456"] {
        assert_eq!(code(apple_build(bad)), Some(Code::Format), "{bad}");
    }
    assert_eq!(code(apple_build("23F")), Some(Code::Length));
}
