//! What one connection or one file showed, before anybody judges it.
//!
//! Facts alone: [`crate::verdict`] and [`crate::platforms`] judge them, and neither reads a certificate again.

mod certificate;
mod time;

use std::net::SocketAddr;

use rustls::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};
use rustls_pki_types::CertificateDer;

pub use certificate::{Certificate, Key, KeyReading, SignatureHash, Unreadable, turns};
pub use time::{date, rfc3339};

/// Everything that was seen of one server, or of one file.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// The certificates, as presented.
    pub chain: Chain,
    /// The connection on which they came; `None`: they come from a file.
    pub connection: Option<Connection>,
}

/// The certificates that a server presents: its own first.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The server's own: the only one that a pin names.
    pub leaf: Certificate,
    /// All others in the order in which they came, readable or not.
    pub intermediates: Vec<CertificateDer<'static>>,
    /// Those of them that could be read.
    pub issuers: Vec<Certificate>,
}

impl Chain {
    /// Reads what was presented.
    ///
    /// # Errors
    /// [`Unreadable`] when there is no certificate, or the first one cannot be read.
    pub fn read(presented: Vec<CertificateDer<'static>>) -> Result<Self, Unreadable> {
        let mut presented = presented.into_iter();
        let leaf = Certificate::read(presented.next().ok_or(Unreadable::Nothing)?)?;
        let intermediates: Vec<_> = presented.collect();
        let issuers = intermediates.iter().filter_map(|der| Certificate::read(der.clone()).ok()).collect();
        Ok(Self { leaf, intermediates, issuers })
    }
}

/// What the connection itself showed.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Whom the TCP connection reached; `None` through a proxy.
    pub address: Option<SocketAddr>,
    /// What TLS agreed on.
    pub tls: Tls,
    /// Whether the server proved that it has the key of [`Chain::leaf`].
    pub possession: Possession,
}

/// What the two ends agreed on.
#[derive(Debug, Clone)]
pub struct Tls {
    /// 1.2 or 1.3.
    pub version: ProtocolVersion,
    /// The cipher suite; `None`: the handshake ended too early to know.
    pub suite: Option<CipherSuite>,
    /// The key exchange group.
    pub group: Option<NamedGroup>,
    /// The scheme of the handshake signature.
    pub scheme: Option<SignatureScheme>,
    /// Whether the extended master secret (RFC 7627) is in use; always under TLS 1.3.
    pub extended_master_secret: bool,
    /// Why the handshake did not come to its end though the certificate was seen; `None`: it did.
    pub ended: Option<Ended>,
}

/// A handshake that did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// What happened.
    pub why: String,
    /// The server asked for a client certificate, was given none, and left: what a client with one would not meet.
    pub for_a_certificate: bool,
}

impl Tls {
    /// Why no client gets a connection though the certificate was seen.
    pub fn broken(&self) -> Option<&str> {
        self.ended.as_ref().filter(|ended| !ended.for_a_certificate).map(|ended| ended.why.as_str())
    }

    /// The suite as IANA names it.
    pub fn suite_name(&self) -> Option<String> {
        self.suite.map(|suite| format!("{suite:?}").replace("TLS13_", "TLS_"))
    }

    /// The version as people write it.
    pub fn version_name(&self) -> String {
        if self.version == ProtocolVersion::TLSv1_3 { "TLS 1.3".to_owned() } else { "TLS 1.2".to_owned() }
    }
}

/// Whether the server has the private key of the certificate that it presents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Possession {
    /// The handshake signature is right, checked by the provider that every client of the relay uses.
    Proved,
    /// The signature is right, but that provider refuses a key of this size: a client gets no connection.
    ProvedByWeakKey,
    /// The signature is right, but clients do not read a certificate of this form (version 1, for instance).
    ProvedUnread,
    /// The signature is wrong, or of a kind that nobody here can check.
    NotProved(String),
}

impl Possession {
    /// Why a client would not take it for proved; `None`: it would.
    pub fn doubt(&self) -> Option<&str> {
        match self {
            Self::Proved => None,
            Self::ProvedByWeakKey => Some("the server signed the handshake, but clients refuse RSA keys of this size"),
            Self::ProvedUnread => {
                Some("the server signed the handshake, but clients do not read a certificate of this form")
            }
            Self::NotProved(why) => Some(why),
        }
    }
}
