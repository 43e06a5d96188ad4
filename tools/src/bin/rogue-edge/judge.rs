//! Whether the client did right: from what was seen, what it claims to check, and what it does with the right server.

use serde::Serialize;

use crate::{
    client::Exit,
    seen::{End, Reached, Seen},
    trial::{Declared, Expected, Genuine, Kind, Raw, Trial},
};

/// From here on a huge message counts as taken in: all that there was to send.
const HUGE: u64 = (1 << 24) - 1;

/// What the client does with the right server: what tells acceptance from refusal in clients that say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Habit {
    /// It sends application data.
    Speaks,
    /// It waits for the server to speak.
    Waits,
    /// It completes the handshake and leaves; a command then exits like this.
    Leaves,
}

/// What the control showed.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    /// What the client did.
    pub habit: Habit,
    /// How its command ended.
    pub exit: Option<Exit>,
}

/// What the client did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It ended the connection without a byte for the server.
    Refused,
    /// It went on as with the right server, or sent data.
    Accepted,
    /// It neither refused nor accepted for as long as the trial lasted, or took in all that it was given.
    WentAlong,
    /// It never connected, or not far enough to meet what is wrong.
    NotSeen,
    /// The trial could not be staged.
    LeftOut,
}

impl Outcome {
    /// In words, for reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Accepted => "accepted",
            Self::WentAlong => "went along",
            Self::NotSeen => "not seen",
            Self::LeftOut => "left out",
        }
    }
}

/// Whether that was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It was.
    Right,
    /// It was not.
    Wrong,
    /// Nobody can say: the client was not seen, or the trial was left out.
    NotJudged,
}

/// The judgement of one trial.
#[derive(Clone, Debug, Serialize)]
pub struct Judgement {
    /// What the client had to do.
    pub expected: Expected,
    /// What it did.
    pub outcome: Outcome,
    /// Whether that was right.
    pub verdict: Verdict,
    /// What it did, in words.
    pub how: String,
    /// Why a right answer says little: the client ended before it met what is wrong, or nothing was wrong for it.
    pub note: Option<String>,
}

/// Judges one trial by its connections and by how the command ended.
pub fn judge(
    trial: &Trial,
    declared: Declared,
    control: Option<Control>,
    seen: &[Seen],
    exit: Option<Exit>,
) -> Judgement {
    let hostile: Vec<&Seen> = seen.iter().filter(|seen| !seen.genuine).collect();
    let (expected, note) = expectation(trial, declared, &hostile);
    let (outcome, how) = outcome((trial, expected), control, seen, &hostile, exit);
    let note = match outcome {
        Outcome::Refused => note.or_else(|| not_tried(trial, &hostile)),
        Outcome::Accepted | Outcome::WentAlong | Outcome::NotSeen | Outcome::LeftOut => note,
    };
    let verdict = match (outcome, expected) {
        (Outcome::NotSeen | Outcome::LeftOut, _) => Verdict::NotJudged,
        (Outcome::Refused, Expected::Refuse | Expected::Either)
        | (Outcome::Accepted, Expected::Accept | Expected::Either)
        | (Outcome::WentAlong, Expected::Either) => Verdict::Right,
        (Outcome::Refused, Expected::Accept)
        | (Outcome::Accepted, Expected::Refuse)
        | (Outcome::WentAlong, Expected::Refuse | Expected::Accept) => Verdict::Wrong,
    };
    Judgement { expected, outcome, verdict, how, note }
}

/// A trial that could not be staged.
pub fn left_out(trial: &Trial, declared: Declared, reason: &str) -> Judgement {
    Judgement {
        expected: trial.expected(declared),
        outcome: Outcome::LeftOut,
        verdict: Verdict::NotJudged,
        how: reason.to_owned(),
        note: None,
    }
}

/// What the client had to do, given what it offered.
fn expectation(trial: &Trial, declared: Declared, hostile: &[&Seen]) -> (Expected, Option<String>) {
    let expected = trial.expected(declared);
    let offers = |version| hostile.iter().any(|seen| has(seen, version));
    let some_hello = hostile.iter().any(|seen| seen.hello.is_some());
    match trial.kind {
        Kind::Genuine(Genuine::DowngradeMarker) if some_hello && !offers("TLS 1.3") => {
            (Expected::Either, Some("the client offers no TLS 1.3: nothing was cut out".to_owned()))
        }
        Kind::Genuine(Genuine::ControlTls12) if some_hello && !offers("TLS 1.2") => {
            (Expected::Either, Some("the client offers no TLS 1.2".to_owned()))
        }
        Kind::Foreign(_) | Kind::Genuine(_) | Kind::Reissued(_) | Kind::Rsa(_) | Kind::Raw(_) => {
            let unnoticed = "none of the checks that it claims to make would notice this";
            (expected, (expected == Expected::Either).then(|| unnoticed.to_owned()))
        }
    }
}

fn has(seen: &Seen, version: &str) -> bool {
    seen.hello.as_ref().is_some_and(|hello| hello.versions.contains(&version))
}

/// Why a refusal says nothing of what the trial is about.
fn not_tried(trial: &Trial, hostile: &[&Seen]) -> Option<String> {
    let reached = hostile.iter().map(|seen| seen.reached()).max()?;
    if reached >= Reached::Certificate || needs_no_certificate(trial) {
        return None;
    }
    let server = hostile.iter().find_map(|seen| seen.server.as_deref());
    Some(match server {
        Some(why) => format!("not tried: the two had no TLS in common ({why})"),
        None => "not tried: the client left before it had seen the certificate".to_owned(),
    })
}

fn outcome(
    (trial, expected): (&Trial, Expected),
    control: Option<Control>,
    seen: &[Seen],
    hostile: &[&Seen],
    exit: Option<Exit>,
) -> (Outcome, String) {
    if seen.is_empty() {
        return (
            Outcome::NotSeen,
            "the client never connected; {address} or {host} and {port} in its command say where".to_owned(),
        );
    }
    let Some(furthest) = hostile.iter().copied().max_by_key(|seen| (seen.leaked(), seen.reached(), seen.sent_bytes))
    else {
        return (Outcome::NotSeen, "the client did not come back to meet the changed server".to_owned());
    };
    if let Some(how) = hostile.iter().find_map(|seen| accepted(seen, control, exit)) {
        return (Outcome::Accepted, how);
    }
    // One that broke off before it could know with whom it speaks has refused nobody: it may have crashed.
    if expected != Expected::Accept
        && let Some(how) = broke_off(trial, hostile)
    {
        return (Outcome::NotSeen, how.to_owned());
    }
    if furthest.sent_bytes >= HUGE {
        return (
            Outcome::WentAlong,
            format!("took in all {} MiB, then {}", furthest.sent_bytes >> 20, refused(furthest, trial)),
        );
    }
    if hostile.iter().any(|seen| seen.end == End::Deadline) {
        let seconds = furthest.milliseconds / 1000;
        return (Outcome::WentAlong, format!("was still there after {seconds} s, {}", furthest.reached().as_str()));
    }
    (Outcome::Refused, refused(furthest, trial))
}

/// Why nothing can be said of a client that ended every connection by itself, before there was anything to refuse.
fn broke_off(trial: &Trial, hostile: &[&Seen]) -> Option<&'static str> {
    let left = hostile.iter().all(|seen| seen.alert.is_none() && seen.end != End::Deadline);
    let reached = hostile.iter().map(|seen| seen.reached()).max()?;
    match reached {
        Reached::Connected if left => Some("the client connected, and left before its ClientHello"),
        Reached::ClientHello
            if left && !needs_no_certificate(trial) && hostile.iter().all(|seen| seen.server.is_none()) =>
        {
            Some("the client left, without an alert, before it had seen the certificate")
        }
        Reached::Connected | Reached::ClientHello | Reached::Certificate | Reached::Finished | Reached::Data => None,
    }
}

/// Whether what is wrong shows before the certificate.
fn needs_no_certificate(trial: &Trial) -> bool {
    [Kind::Raw(Raw::Plaintext), Kind::Genuine(Genuine::SlowHandshake)].contains(&trial.kind)
}

/// How the client accepted this server, if it did.
fn accepted(seen: &Seen, control: Option<Control>, exit: Option<Exit>) -> Option<String> {
    if seen.application_bytes > 0 {
        return Some(format!("{} bytes of application data", seen.application_bytes));
    }
    if seen.plain_bytes > 0 {
        return Some(format!("{} bytes outside TLS", seen.plain_bytes));
    }
    if !seen.finished || seen.alert.is_some() {
        return None;
    }
    if seen.waited {
        return Some("completed the handshake and waited for the server".to_owned());
    }
    match control {
        // This is the control: it completed the handshake, and did not complain.
        None if exit.is_none_or(Exit::success) => Some("completed the handshake and left".to_owned()),
        Some(Control { habit: Habit::Leaves, exit: usual }) if same(usual, exit) => {
            Some("completed the handshake and left, as with the right server".to_owned())
        }
        // It left where it otherwise speaks or stays.
        None | Some(_) => None,
    }
}

/// Whether a command ended as well as it does with the right server.
fn same(usual: Option<Exit>, exit: Option<Exit>) -> bool {
    usual.is_none_or(Exit::success) == exit.is_none_or(Exit::success)
}

fn refused(seen: &Seen, trial: &Trial) -> String {
    let by = match (seen.alert, seen.end) {
        (Some(alert), _) => format!("alert {alert}"),
        (None, End::CloseNotify) => "close_notify".to_owned(),
        (None, End::Reset) => "TCP reset".to_owned(),
        (None, End::Closed) => "closed".to_owned(),
        (None, End::ByServer | End::Deadline) => match &seen.server {
            Some(why) => format!("the server could not go on: {why}"),
            None => "no answer".to_owned(),
        },
    };
    let reached = match (trial.kind, seen.reached()) {
        (Kind::Raw(Raw::Plaintext), Reached::ClientHello) => "after the answer",
        (_, reached) => reached.as_str(),
    };
    format!("{by}, {reached}")
}

/// What the control says of the client; `None` if it refused even that.
pub fn habit(seen: &[Seen]) -> Option<Habit> {
    let completed = || seen.iter().filter(|seen| seen.finished && seen.alert.is_none());
    if seen.iter().any(|seen| seen.application_bytes > 0) {
        Some(Habit::Speaks)
    } else if completed().any(|seen| seen.waited) {
        Some(Habit::Waits)
    } else {
        completed().next().map(|_| Habit::Leaves)
    }
}
