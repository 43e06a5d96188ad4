//! A TLS 1.0 and 1.1 server (RFC 2246, RFC 4346) by hand, because no library of this project speaks them: RSA key exchange,
//! AES-CBC, HMAC-SHA1. It completes the handshake, so that what a client leaks in it can be counted.

mod keys;
mod records;

use std::time::Duration;

use super::{
    Old, OldVersion,
    hello::{ClientHello, version_name},
    raw::{length, message, server_hello},
    wire::Wire,
};
use crate::seen::{End, Seen, alert_name};

use keys::{Master, Suite};
use records::{ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, Heard, Records};

/// As with later versions.
const SILENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(250);
/// Application data is read up to here.
const DATA_MAX: u64 = 16 << 20;
/// Handshake messages of a client fit in here.
const HANDSHAKE_MAX: usize = 64 * 1024;

const CERTIFICATE: u8 = 11;
const SERVER_HELLO_DONE: u8 = 14;
const CLIENT_KEY_EXCHANGE: u8 = 16;
const FINISHED: u8 = 20;
const FATAL: u8 = 2;
const CLOSE_NOTIFY: u8 = 0;
const PROTOCOL_VERSION: u8 = 70;
const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n";

impl OldVersion {
    /// Its number in records.
    const fn number(self) -> u16 {
        match self {
            Self::Tls10 => 0x0301,
            Self::Tls11 => 0x0302,
        }
    }
}

/// Why a handshake got no further.
enum Stuck {
    /// The client ended it.
    Ended(End),
    /// What it said made no sense.
    Senseless(&'static str),
}

/// Serves one connection whose ClientHello is in `received`.
pub fn serve(wire: &mut Wire, old: &Old, hello: &ClientHello, received: &[u8], seen: &mut Seen) {
    let mut records = Records::new(wire, old.version);
    if hello.version < old.version.number() {
        seen.server = Some(format!("the client offers {} at most", version_name(hello.version)));
        records.send(ALERT, &[FATAL, PROTOCOL_VERSION]);
        return;
    }
    // Beginning with the client's next record, its hello has been read.
    records.skip(received, hello.message.len());
    match handshake(&mut records, old, hello, seen) {
        Ok(()) => {
            seen.finished = true;
            seen.end = conversation(&mut records, seen);
        }
        Err(Stuck::Ended(end)) => seen.end = end,
        Err(Stuck::Senseless(what)) => seen.server = Some(what.to_owned()),
    }
}

fn handshake(records: &mut Records<'_>, old: &Old, hello: &ClientHello, seen: &mut Seen) -> Result<(), Stuck> {
    let suite = Suite::choose(&hello.suites);
    let mut transcript = hello.message.clone();
    let server_hello = server_hello(old.version.number(), suite.number(), hello);
    let server_random: [u8; 32] = server_hello[6..38].try_into().map_err(|_| Stuck::Senseless("no random"))?;
    let mut chain = Vec::new();
    for certificate in &old.chain {
        chain.extend(length(certificate.len()));
        chain.extend_from_slice(certificate);
    }
    let chain = [length(chain.len()).as_slice(), &chain].concat();
    let flight = [server_hello, message(CERTIFICATE, &chain), message(SERVER_HELLO_DONE, &[])].concat();
    transcript.extend_from_slice(&flight);
    seen.version = Some(version_name(old.version.number()));
    seen.certificate_sent = records.send(HANDSHAKE, &flight);

    let exchange = next_message(records, CLIENT_KEY_EXCHANGE, seen)?;
    transcript.extend_from_slice(&exchange);
    let premaster = exchange.get(6..).and_then(|encrypted| old.key.decrypt(encrypted));
    let premaster = premaster.ok_or(Stuck::Senseless("the client's key exchange cannot be decrypted"))?;
    let master = Master::new(&premaster, &hello.random, &server_random);
    match next(records, seen)? {
        (CHANGE_CIPHER_SPEC, _) => {}
        _ => return Err(Stuck::Senseless("no ChangeCipherSpec")),
    }
    let (client, server) = master.halves(suite, &hello.random, &server_random);
    records.decrypt_with(client);
    let finished = next_message(records, FINISHED, seen)?;
    if finished.get(4..) != Some(&master.verify_data(b"client finished", &transcript)) {
        return Err(Stuck::Senseless("the client's Finished is wrong"));
    }
    transcript.extend_from_slice(&finished);
    records.send(CHANGE_CIPHER_SPEC, &[1]);
    records.encrypt_with(server);
    records.send(HANDSHAKE, &message(FINISHED, &master.verify_data(b"server finished", &transcript)));
    Ok(())
}

/// The next record that is no alert.
fn next(records: &mut Records<'_>, seen: &mut Seen) -> Result<(u8, Vec<u8>), Stuck> {
    match records.next(None) {
        Heard::Record(ALERT, body) => Err(Stuck::Ended(alerted(&body, seen))),
        Heard::Record(kind, body) => Ok((kind, body)),
        Heard::Senseless(what) => Err(Stuck::Senseless(what)),
        Heard::Quiet => Err(Stuck::Ended(End::ByServer)),
        Heard::Gone(end) => Err(Stuck::Ended(end)),
    }
}

/// The next handshake message, which must be of this kind.
fn next_message(records: &mut Records<'_>, kind: u8, seen: &mut Seen) -> Result<Vec<u8>, Stuck> {
    let mut whole = Vec::new();
    loop {
        let (record, body) = next(records, seen)?;
        if record != HANDSHAKE || whole.len() > HANDSHAKE_MAX {
            return Err(Stuck::Senseless("another record where a handshake message was due"));
        }
        whole.extend(body);
        let [found, a, b, c, ..] = whole.as_slice() else { continue };
        let due = 4 + (usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c));
        if *found != kind {
            return Err(Stuck::Senseless("another handshake message than was due"));
        }
        if whole.len() >= due {
            whole.truncate(due);
            return Ok(whole);
        }
    }
}

/// An alert of the client's.
fn alerted(body: &[u8], seen: &mut Seen) -> End {
    match body {
        [_, CLOSE_NOTIFY] => End::CloseNotify,
        [_, code] => {
            seen.alert = Some(alert_name(*code));
            End::ByServer
        }
        _ => End::ByServer,
    }
}

/// What comes after the handshake.
fn conversation(records: &mut Records<'_>, seen: &mut Seen) -> End {
    let mut request = Vec::new();
    loop {
        let quiet = if seen.application_bytes == 0 { SILENCE } else { PAUSE };
        match records.next(Some(quiet)) {
            Heard::Record(APPLICATION_DATA, body) => {
                seen.application(&body);
                request.extend(body.iter().take(16usize.saturating_sub(request.len())));
                if seen.application_bytes >= DATA_MAX {
                    return End::ByServer;
                }
            }
            Heard::Record(ALERT, body) => return alerted(&body, seen),
            Heard::Record(..) => {}
            Heard::Senseless(what) => {
                seen.server = Some(what.to_owned());
                return End::ByServer;
            }
            Heard::Quiet => {
                seen.waited = seen.application_bytes == 0;
                if request.starts_with(b"GET ") || request.starts_with(b"POST ") {
                    records.send(APPLICATION_DATA, ANSWER);
                }
                records.send(ALERT, &[1, CLOSE_NOTIFY]);
                return End::ByServer;
            }
            Heard::Gone(end) => return end,
        }
    }
}

#[cfg(test)]
mod tests;
