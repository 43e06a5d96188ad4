//! Whether the certificate is valid, and for how long.

use super::{Answer, Finding, Questions};
use crate::{
    codes::Code,
    evidence::{Certificate, Chain, date},
};

/// Of UTC.
pub const SECONDS_A_DAY: i64 = 86_400;

pub fn judge(chain: &Chain, questions: &Questions<'_>) -> Answer {
    let mut findings = vec![own(&chain.leaf, questions)];
    findings.extend(chain.issuers.iter().filter_map(|issuer| along(issuer, chain.leaf.not_after, questions)));
    Answer::of(findings, || Finding::ok(Code::TIME_OK, "it is valid"))
}

fn own(leaf: &Certificate, questions: &Questions<'_>) -> Finding {
    let (at, start, end) = (questions.at, leaf.not_before, leaf.not_after);
    if at > end {
        return Finding::fail(
            Code::TIME_EXPIRED,
            format!("it expired on {}, {} ago", date(end), days((at - end) / SECONDS_A_DAY)),
            "reissue it, with the same key if clients have SPKI pins",
        );
    }
    if at < start {
        return Finding::fail(
            Code::TIME_NOT_YET,
            format!("it is valid from {}, {} from now", date(start), days((start - at) / SECONDS_A_DAY)),
            "check the clocks of the server, of its issuer and of this machine",
        );
    }
    let left = (end - at) / SECONDS_A_DAY;
    let text = format!("it expires on {}, {} left", date(end), days(left));
    let remedy = "reissue it, with the same key if clients have SPKI pins";
    if left < i64::from(questions.crit_days) {
        Finding::fail(Code::TIME_CRITICAL, text, remedy)
    } else if left < i64::from(questions.warn_days) {
        Finding::warn(Code::TIME_SOON, text, remedy)
    } else {
        Finding::ok(Code::TIME_OK, text)
    }
}

/// A certificate that is sent along and ends before the server's own does, soon.
fn along(issuer: &Certificate, own_end: i64, questions: &Questions<'_>) -> Option<Finding> {
    let end = issuer.not_after;
    let left = (end - questions.at).div_euclid(SECONDS_A_DAY);
    (end < own_end && left < i64::from(questions.warn_days)).then(|| {
        let when = if end < questions.at { "expired" } else { "expires" };
        Finding::warn(
            Code::TIME_ISSUER,
            format!("{}, which is sent along, {when} on {}", issuer.subject, date(end)),
            "send a current intermediate certificate",
        )
    })
}

fn days(count: i64) -> String {
    if count == 1 { "1 day".to_owned() } else { format!("{count} days") }
}
