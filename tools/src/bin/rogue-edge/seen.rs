//! What the hostile side saw of one connection, before anything is judged.

use serde::Serialize;

/// The largest beginning of leaked bytes that a report shows.
const BEGINNING: usize = 48;

/// One connection.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Seen {
    /// The place of the connection in its trial, from 1.
    pub number: u32,
    /// It met the right server: the first half of a trial in which the server changes.
    pub genuine: bool,
    /// What the client offered; `None` if no ClientHello came.
    pub hello: Option<Offer>,
    /// The version that was agreed on.
    pub version: Option<&'static str>,
    /// The server's certificate went out (under TLS 1.3: to a client that could read it).
    pub certificate_sent: bool,
    /// The client completed the handshake: its Finished came, and was right.
    pub finished: bool,
    /// The alert that the client sent, apart from close_notify.
    pub alert: Option<&'static str>,
    /// Application data that came, decrypted, in bytes.
    pub application_bytes: u64,
    /// Bytes outside TLS that came.
    pub plain_bytes: u64,
    /// How what came begins, printable.
    pub begins: String,
    /// After the handshake the client kept the connection and said nothing.
    pub waited: bool,
    /// How the connection ended.
    pub end: End,
    /// Why the server itself could not go on.
    pub server: Option<String>,
    /// Bytes that the server sent.
    pub sent_bytes: u64,
    /// From accept to end, in milliseconds.
    pub milliseconds: u64,
}

/// What a ClientHello offered.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Offer {
    /// The name asked for.
    pub server_name: Option<String>,
    /// The protocols (ALPN).
    pub alpn: Vec<String>,
    /// The TLS versions.
    pub versions: Vec<&'static str>,
    /// It offered to resume a session.
    pub resumption: bool,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The client said close_notify.
    CloseNotify,
    /// The client closed the TCP connection without a word.
    Closed,
    /// The client reset it.
    Reset,
    /// The server ended it, because there was nothing left to see.
    #[default]
    ByServer,
    /// The trial's time was over.
    Deadline,
}

/// How far a connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reached {
    /// TCP only.
    Connected,
    /// A ClientHello came, and no certificate went out.
    ClientHello,
    /// The certificate went out; the client did not complete the handshake.
    Certificate,
    /// The client completed the handshake and sent nothing.
    Finished,
    /// Application data, or bytes outside TLS, came.
    Data,
}

impl Reached {
    /// In words, for reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::ClientHello => "ClientHello only",
            Self::Certificate => "after the certificate",
            Self::Finished => "after Finished",
            Self::Data => "application data",
        }
    }
}

impl Seen {
    /// How far it came.
    #[must_use]
    pub const fn reached(&self) -> Reached {
        if self.leaked() > 0 {
            Reached::Data
        } else if self.finished {
            Reached::Finished
        } else if self.certificate_sent {
            Reached::Certificate
        } else if self.hello.is_some() {
            Reached::ClientHello
        } else {
            Reached::Connected
        }
    }

    /// Bytes of the client's that the server could read.
    #[must_use]
    pub const fn leaked(&self) -> u64 {
        self.application_bytes + self.plain_bytes
    }

    /// Counts application data.
    pub fn application(&mut self, bytes: &[u8]) {
        self.application_bytes += bytes.len() as u64;
        self.begin(bytes);
    }

    /// Counts bytes outside TLS, which begin like this.
    pub fn plain(&mut self, beginning: &[u8], count: u64) {
        self.plain_bytes += count;
        self.begin(beginning);
    }

    fn begin(&mut self, bytes: &[u8]) {
        let room = BEGINNING.saturating_sub(self.begins.chars().count());
        self.begins.extend(bytes.iter().take(room).map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '·',
        }));
    }
}

/// The name of an alert as RFC 8446 section 6 writes it.
#[must_use]
pub const fn alert_name(code: u8) -> &'static str {
    match code {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        21 => "decryption_failed",
        22 => "record_overflow",
        30 => "decompression_failure",
        40 => "handshake_failure",
        41 => "no_certificate",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        60 => "export_restriction",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        100 => "no_renegotiation",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "an unknown alert",
    }
}
