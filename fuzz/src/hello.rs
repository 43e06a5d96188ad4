//! The edge's choice by ClientHello is the one that a second reader of the same bytes makes.
//!
//! An input is a byte that says how the stream is cut, and the stream: a ClientHello in its records and what stands behind it.

use relay_edge::route::Route;
use relay_runtime::listen::{ClientHello, ClientHelloReader, HelloError};

use crate::{frames::names::claimed, run::finding};

pub(crate) mod layout;
mod mutate;
mod seeds;

pub use mutate::mutate;
pub use seeds::seeds;

use layout::{ALPN, Message, Read, SERVER_NAME, SIGNATURE_ALGORITHMS, TAKEN_MAX, host_name, protocols};

const ORACLE: &str = "hello_route";

/// What a connection is, in the oracle's own words.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Choice {
    Device,
    Control,
    Data,
    Tunnel(Option<[u8; 16]>),
    Other,
}

/// What the edge's reader made of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Part,
    NotTls { at: usize },
    TooLarge,
    Broken,
    Hello { choice: Choice, taken: usize },
}

/// The edge's choice by ClientHello is the one that a second reader of the same bytes makes.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn oracle(data: &[u8]) {
    let Some((cut, stream)) = data.split_first() else { return };
    let whole = deliver(stream, usize::MAX);
    let pieces = deliver(stream, 1 + usize::from(*cut % 67));
    if whole != pieces {
        finding(ORACLE, "in pieces it is something else than whole", format_args!("{whole:?}\n{pieces:?}"));
    }
    judge(stream, &whole);
}

fn wrong(edge: &Outcome, text: &str, detail: &impl std::fmt::Debug) {
    let word = match edge {
        Outcome::Part => "a beginning",
        Outcome::NotTls { .. } => "not TLS",
        Outcome::TooLarge => "too large",
        Outcome::Broken => "broken",
        Outcome::Hello { choice, .. } => match choice {
            Choice::Device => "a device",
            Choice::Control => "a control connection",
            Choice::Data => "a data connection",
            Choice::Tunnel(Some(_)) => "a tunnel with a token",
            Choice::Tunnel(None) => "a tunnel without a token",
            Choice::Other => "none of ours",
        },
    };
    finding(ORACLE, format_args!("the edge says {word}, the text says {text}"), format_args!("{edge:?}\n{detail:?}"));
}

/// Gives the edge's reader what it wants, at most `most` bytes at a time, and looks that it never wants what lies behind the
/// record under way.
fn deliver(stream: &[u8], most: usize) -> Outcome {
    let mut reader = ClientHelloReader::default();
    let mut taken = 0;
    loop {
        let wants = reader.wants();
        let ours = layout::read(&stream[..taken]);
        if ours != (Read::Part { wants }) {
            finding(ORACLE, "it wants other bytes than those of the record", format_args!("{wants}, {ours:?}"));
        }
        let piece = wants.min(most).min(stream.len() - taken);
        if piece == 0 {
            return Outcome::Part;
        }
        let result = reader.take(&stream[taken..taken + piece]);
        taken += piece;
        match result {
            Ok(None) => {}
            Ok(Some(hello)) => {
                if hello.recorded() != &stream[..taken] {
                    finding(ORACLE, "what was recorded is not what came", format_args!("{:?}", hello.recorded()));
                }
                return Outcome::Hello { choice: choice(&hello), taken };
            }
            Err(HelloError::NotTls { at, byte }) => {
                if stream.get(at) != Some(&byte) {
                    finding(ORACLE, "it names another byte than the one that came", (at, byte).0);
                }
                return Outcome::NotTls { at };
            }
            Err(HelloError::TooLarge) => return Outcome::TooLarge,
            Err(HelloError::Broken(_)) => {
                // RFC 8446, section 6: an alert record, fatal; or nothing, where the library has none for what came.
                if !matches!(reader.alert(), [] | [21, 3, _, 0, 2, 2, _]) {
                    finding(
                        ORACLE,
                        "a broken hello is not answered with an alert",
                        format_args!("{:?}", reader.alert()),
                    );
                }
                return Outcome::Broken;
            }
            Err(HelloError::Ended(_) | HelloError::TimedOut(_) | HelloError::Io(_)) => {
                finding(ORACLE, "reading without a connection fails like one", taken);
                return Outcome::Part;
            }
        }
    }
}

fn choice(hello: &ClientHello) -> Choice {
    match Route::of(hello.alpn(), hello.server_name()) {
        Route::Device => Choice::Device,
        Route::Control => Choice::Control,
        Route::Data => Choice::Data,
        Route::Tunnel(token) => Choice::Tunnel(token.map(|token| *token.bytes())),
        Route::Other => Choice::Other,
    }
}

fn judge(stream: &[u8], edge: &Outcome) {
    let (message, end) = match (layout::read(stream), edge) {
        (Read::Message { message, end }, _) => (message, end),
        (Read::Part { .. }, Outcome::Part) | (Read::TooLarge, Outcome::TooLarge) => return,
        (Read::NotTls { at: expected }, Outcome::NotTls { at }) if *at == expected => return,
        (ours, _) => return wrong(edge, "something else about the records", &ours),
    };
    let parsed = Message::parse(&message).filter(in_order);
    let Outcome::Hello { choice, taken } = edge else {
        if *edge != Outcome::Broken {
            return wrong(edge, "all records are there", &message);
        }
        // A TLS library may refuse for more reasons than these; not if there is nothing in it but what is read here.
        if let Some(hello) = parsed.filter(is_plain) {
            wrong(edge, "it is in order", &hello);
        }
        return;
    };
    if *taken != end || end > TAKEN_MAX {
        finding(ORACLE, "bytes behind the ClientHello were taken", format_args!("{taken} instead of {end}"));
    }
    match parsed {
        None => wrong(edge, "it is broken", &message),
        Some(hello) if *choice != expected(&hello) => wrong(edge, "another choice", &(expected(&hello), &hello)),
        Some(_) => {}
    }
}

/// What any reader must refuse.
fn in_order(hello: &Message) -> bool {
    let kinds: Vec<u16> = hello.extensions.iter().flatten().map(|(kind, _)| *kind).collect();
    let twice = kinds.iter().enumerate().any(|(place, kind)| kinds[..place].contains(kind));
    let fits = hello.session.len() <= 32 && hello.suites.len().is_multiple_of(2) && hello.compressions.contains(&0);
    let names = hello.extension(ALPN).is_none_or(|extension| protocols(extension).is_some());
    let host = hello.extension(SERVER_NAME).is_none_or(|extension| host_name(extension).is_some());
    fits && names && host && !twice
}

/// Whether a reader has nothing else to complain of.
fn is_plain(hello: &Message) -> bool {
    let ours = |kind: u16| matches!(kind, SERVER_NAME | SIGNATURE_ALGORITHMS | ALPN);
    // RFC 6066: a host name; that of a tunnel is one.
    let host = hello.extension(SERVER_NAME).and_then(host_name);
    let host = host.is_none_or(|name| String::from_utf8(name).is_ok_and(|name| claimed(&name).is_some()));
    let schemes = hello.extension(SIGNATURE_ALGORITHMS) == Some(&[0, 2, 4, 3]);
    schemes && host && !hello.suites.is_empty() && hello.extensions.iter().flatten().all(|(kind, _)| ours(*kind))
}

/// SPEC §2.3.2 and §7.2.2: the first protocol of ours that is offered; the token of the server name, in which case means
/// nothing (RFC 6066, section 3).
fn expected(hello: &Message) -> Choice {
    let offered = hello.extension(ALPN).and_then(protocols).unwrap_or_default();
    let host = hello.extension(SERVER_NAME).and_then(host_name).and_then(|name| String::from_utf8(name).ok());
    let token = host.and_then(|name| claimed(&name.to_ascii_lowercase()));
    let choose = |name: &Vec<u8>| match std::str::from_utf8(name).ok()?.strip_prefix("sallyport/")? {
        "device" => Some(Choice::Device),
        "control" => Some(Choice::Control),
        "data" => Some(Choice::Data),
        "tunnel" => Some(Choice::Tunnel(token)),
        _ => None,
    };
    offered.iter().find_map(choose).unwrap_or(Choice::Other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{churn::churn, targets::HELLO_ROUTE};

    #[test]
    fn both_readers_agree() {
        churn(&HELLO_ROUTE, 20_000, 2_048);
    }

    #[test]
    fn seeds_reach_every_choice() {
        let outcomes: Vec<Outcome> = seeds().iter().map(|seed| deliver(&seed[1..], usize::MAX)).collect();
        let choices = [Choice::Device, Choice::Control, Choice::Data, Choice::Tunnel(None), Choice::Other];
        for expected in choices {
            let found =
                outcomes.iter().any(|outcome| matches!(outcome, Outcome::Hello { choice, .. } if *choice == expected));
            assert!(found, "{expected:?}");
        }
        let token = |outcome: &Outcome| matches!(outcome, Outcome::Hello { choice: Choice::Tunnel(Some(_)), .. });
        assert!(outcomes.iter().any(token));
        for expected in [Outcome::Part, Outcome::TooLarge, Outcome::Broken, Outcome::NotTls { at: 0 }] {
            assert!(outcomes.contains(&expected), "{expected:?}");
        }
    }
}
