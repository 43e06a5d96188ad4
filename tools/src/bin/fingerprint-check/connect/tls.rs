//! The handshake itself: it records what the server shows, and never ends early because of it.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use relay_trust::provider;
use rustls::{
    AlertDescription, ClientConfig, ClientConnection, Error as TlsError, PeerIncompatible, ProtocolVersion,
    client::Resumption,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout_at},
};

use super::{
    Failure, hello,
    possession::{Nobody, Recorded, Recorder},
    said,
    wire::printable,
};
use crate::{
    codes::Code,
    evidence::{self, Chain, Connection, Evidence, Possession, Tls},
};

/// Bytes that a server may send before the handshake has come to its end. Certificates are at most 64 KiB of them.
const HANDSHAKE_MAX: usize = 1 << 20;
/// Bytes from the start that are kept, for what rustls does not tell.
const FIRST_MAX: usize = 1024;
/// The name that stands for none: it is not sent.
const NOBODY: &str = "no-name.invalid";

/// A handshake in which the server showed its certificate.
pub struct Seen {
    presented: Vec<CertificateDer<'static>>,
    possession: Possession,
    tls: Tls,
}

impl Seen {
    /// As evidence, with the address that was reached.
    pub fn evidence(self, address: Option<SocketAddr>) -> Result<Evidence, Failure> {
        let chain = Chain::read(self.presented)?;
        Ok(Evidence { chain, connection: Some(Connection { address, tls: self.tls, possession: self.possession }) })
    }
}

/// Shakes hands, says goodbye, and tells what was seen.
pub async fn handshake(
    stream: &mut TcpStream,
    sni: Option<ServerName<'static>>,
    deadline: Instant,
) -> Result<Seen, Failure> {
    let recorded = Arc::new(Recorded::default());
    let mut first = Vec::new();
    let name = sni.clone().or_else(|| ServerName::try_from(NOBODY).ok());
    let config = config(&recorded, sni.is_some());
    let mut connection = name
        .ok_or_else(|| "no name".to_owned())
        .and_then(|name| ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string()))
        .map_err(|error| {
            Failure::lasting(Code::TLS_HANDSHAKE, error, "report this as a defect of fingerprint-check")
        })?;
    let driven = timeout_at(deadline, drive(stream, &mut connection, &mut first)).await;
    let outcome = driven.unwrap_or(Err(Ended::TooSlow));
    if outcome.is_ok() {
        connection.send_close_notify();
        // The server may be gone or deaf already; all there is to see was seen.
        let _ = timeout_at(deadline, flush(stream, &mut connection)).await;
    }
    seen(&connection, &recorded, &first, outcome)
}

fn config(recorded: &Arc<Recorded>, send_name: bool) -> ClientConfig {
    static PROVIDER: OnceLock<Arc<rustls::crypto::CryptoProvider>> = OnceLock::new();
    let provider = Arc::clone(PROVIDER.get_or_init(provider));
    let algorithms = provider.signature_verification_algorithms;
    let builder = ClientConfig::builder_with_provider(provider);
    // The provider has suites and groups for both versions, so this cannot fail.
    let builder = builder.with_protocol_versions(&[&TLS13, &TLS12]).expect("suites for both versions");
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Recorder::new(Arc::clone(recorded), algorithms)))
        .with_client_cert_resolver(Arc::new(Nobody(Arc::clone(recorded))));
    config.enable_sni = send_name;
    config.resumption = Resumption::disabled();
    config.enable_early_data = false;
    // A server without the extended master secret is told about, not refused.
    config.require_ems = false;
    config
}

/// Why a handshake ended before its end.
enum Ended {
    Refused(TlsError),
    Closed,
    Io(std::io::Error),
    TooMuch,
    TooSlow,
}

impl Ended {
    /// Whether the server ended it: by an alert, or by going away.
    const fn is_the_servers(&self) -> bool {
        match self {
            Self::Refused(TlsError::AlertReceived(_)) | Self::Closed | Self::Io(_) => true,
            Self::Refused(_) | Self::TooMuch | Self::TooSlow => false,
        }
    }
}

async fn drive(stream: &mut TcpStream, connection: &mut ClientConnection, first: &mut Vec<u8>) -> Result<(), Ended> {
    let mut buffer = vec![0; 16 * 1024];
    let mut total = 0;
    loop {
        flush(stream, connection).await.map_err(Ended::Io)?;
        if !connection.is_handshaking() {
            return Ok(());
        }
        let count = stream.read(&mut buffer).await.map_err(Ended::Io)?;
        let mut bytes = &buffer[..count];
        if bytes.is_empty() {
            return Err(Ended::Closed);
        }
        total += count;
        if total > HANDSHAKE_MAX {
            return Err(Ended::TooMuch);
        }
        first.extend(bytes.iter().take(FIRST_MAX.saturating_sub(first.len())));
        while !bytes.is_empty() {
            connection.read_tls(&mut bytes).map_err(Ended::Io)?;
            if let Err(error) = connection.process_new_packets() {
                // The alert that says so; the server may be gone.
                let _ = flush(stream, connection).await;
                return Err(Ended::Refused(error));
            }
        }
    }
}

async fn flush(stream: &mut TcpStream, connection: &mut ClientConnection) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut bytes)?;
    }
    stream.write_all(&bytes).await
}

fn seen(
    connection: &ClientConnection,
    recorded: &Recorded,
    first: &[u8],
    outcome: Result<(), Ended>,
) -> Result<Seen, Failure> {
    let (presented, signature) = recorded.take();
    let ended = match (&presented, outcome) {
        (None, Err(ended)) => return Err(failure(&ended, first)),
        (_, Ok(())) => None,
        (_, Err(ended)) => Some(evidence::Ended {
            why: failure(&ended, first).text,
            for_a_certificate: recorded.asked() && ended.is_the_servers(),
        }),
    };
    let (scheme, possession) = match signature {
        Some((scheme, possession)) => (Some(scheme), possession),
        None => (None, Possession::NotProved("the handshake ended before the server had signed anything".to_owned())),
    };
    let version = connection.protocol_version();
    let tls = Tls {
        version: version.unwrap_or(ProtocolVersion::TLSv1_2),
        suite: connection.negotiated_cipher_suite().map(|suite| suite.suite()),
        group: connection.negotiated_key_exchange_group().map(|group| group.name()),
        scheme,
        extended_master_secret: version == Some(ProtocolVersion::TLSv1_3) || hello::extended_master_secret(first),
        ended,
    };
    Ok(Seen { presented: presented.unwrap_or_default(), possession, tls })
}

fn failure(ended: &Ended, first: &[u8]) -> Failure {
    match ended {
        Ended::Refused(error) => refused(error, first),
        Ended::Closed if first.is_empty() => Failure::transient(
            Code::TLS_HANDSHAKE,
            "the server closed the connection without a word after the ClientHello",
            "check that a TLS server listens there, and that it serves the name that was asked for (--sni)",
        ),
        Ended::Closed => Failure::transient(
            Code::TLS_HANDSHAKE,
            "the server closed the connection in the middle of the handshake",
            "look into the server's log",
        ),
        Ended::Io(error) => Failure::transient(
            Code::TLS_HANDSHAKE,
            format!("the connection broke in the handshake: {}", said(error)),
            "check the server and what lies in between",
        ),
        Ended::TooSlow => Failure::transient(
            Code::TIMEOUT,
            "the server did not bring the TLS handshake to its end within --timeout",
            "check that a TLS server listens there, or allow it more time with --timeout",
        ),
        Ended::TooMuch => Failure::lasting(
            Code::TLS_HANDSHAKE,
            format!("the server sent more than {HANDSHAKE_MAX} bytes without an end to the handshake"),
            "check that a TLS server listens there",
        ),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "rustls' enums: what they add is told in rustls' words")]
fn refused(error: &TlsError, first: &[u8]) -> Failure {
    match error {
        TlsError::AlertReceived(alert) => alerted(*alert),
        TlsError::PeerIncompatible(PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig)
        | TlsError::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => Failure::lasting(
            Code::TLS_VERSION,
            "the server speaks nothing newer than TLS 1.1",
            "switch TLS 1.2 or 1.3 on at the server",
        ),
        TlsError::InvalidMessage(_) if !hello::is_tls(first) => not_tls(first),
        other => Failure::lasting(
            Code::TLS_HANDSHAKE,
            format!("the TLS handshake failed: {other}"),
            "check the server's TLS settings: clients need TLS 1.2 or 1.3 with an ECDHE and AEAD suite",
        ),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "rustls' enum: all others share one remedy")]
fn alerted(alert: AlertDescription) -> Failure {
    let (code, means, remedy) = match alert {
        AlertDescription::HandshakeFailure => (
            Code::TLS_HANDSHAKE,
            "it has no suite, group or signature in common with clients that know ECDHE and AEAD only",
            "offer ECDHE with AES-GCM or ChaCha20-Poly1305 on X25519, P-256 or P-384 at the server",
        ),
        AlertDescription::ProtocolVersion => {
            (Code::TLS_VERSION, "it speaks neither TLS 1.2 nor 1.3", "switch TLS 1.2 or 1.3 on at the server")
        }
        AlertDescription::UnrecognisedName => {
            (Code::TLS_NAME, "it does not serve the name that was asked for", "give a name that it serves with --sni")
        }
        AlertDescription::CertificateRequired | AlertDescription::BadCertificate => (
            Code::TLS_HANDSHAKE,
            "it asks for a client certificate, and this program has none",
            "nothing can be seen of it from here; look at it with `fingerprint-check file`",
        ),
        _ => (Code::TLS_HANDSHAKE, "it ended the handshake", "look into the server's log"),
    };
    Failure::lasting(code, format!("the server answered with the alert {alert:?}: {means}"), remedy)
}

/// A server that speaks something else, which its first bytes may name.
fn not_tls(first: &[u8]) -> Failure {
    const HINTS: &[(&[u8], &str, &str)] = &[
        (b"SSH-", "SSH", "give the port of the TLS server"),
        (b"HTTP/", "HTTP in plaintext", "give the port on which it speaks HTTPS"),
        (b"220", "SMTP or FTP in plaintext", "give --starttls smtp if it is a mail server"),
        (b"* OK", "IMAP in plaintext", "give --starttls imap"),
        (b"+OK", "POP3 in plaintext", "give the port on which it speaks TLS from the first byte"),
    ];
    let hint = HINTS.iter().find(|(start, ..)| first.starts_with(start));
    let mysql = first.get(3..5) == Some(&[0, 10]);
    let (what, remedy) = match hint {
        Some((_, what, remedy)) => (format!("it speaks {what}: {:?}", printable(first)), *remedy),
        None if mysql => ("it speaks MySQL".to_owned(), "give --starttls mysql"),
        None => (
            format!("its first bytes are {:?}", printable(&first[..first.len().min(40)])),
            "check the port; protocols that begin in plaintext need --starttls",
        ),
    };
    Failure::lasting(Code::TLS_NOT_TLS, format!("the server does not speak TLS: {what}"), remedy)
}
