//! Why a tunnel did not come about.

use std::io;

use relay_wire::ids::ServiceName;

/// Why a tunnel did not reach a service; the grant's own reasons are [`crate::grants::GrantRefusal`]'s.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There are as many tunnels as there may be.
    TunnelLimit,
    /// The data connection broke before it was handed over.
    HandOver(io::Error),
    /// The device did not prove the key that the grant names.
    WrongKey(io::Error),
    /// TLS failed for another reason.
    Handshake(io::Error),
    /// TLS and preface were not there in time.
    Timeout,
    /// The preface is none.
    BadPreface,
    /// The device went away before it named a service.
    Gone(io::Error),
    /// The grant does not allow the service, or it is not offered here.
    NotAllowed(ServiceName),
    /// The upstream does not accept connections.
    Unreachable(ServiceName, io::Error),
    /// The device was revoked meanwhile.
    Revoked,
}

impl Refusal {
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::TunnelLimit => "tunnel-limit",
            Self::HandOver(_) => "hand-over",
            Self::WrongKey(_) => "wrong-key",
            Self::Handshake(_) => "handshake",
            Self::Timeout => "timeout",
            Self::BadPreface => "bad-preface",
            Self::Gone(_) => "gone",
            Self::NotAllowed(_) => "not-allowed",
            Self::Unreachable(..) => "unreachable",
            Self::Revoked => "revoked",
        }
    }

    /// What the log says beside the reason.
    pub(super) fn detail(&self) -> String {
        match self {
            Self::HandOver(error) | Self::WrongKey(error) | Self::Handshake(error) | Self::Gone(error) => {
                error.to_string()
            }
            Self::NotAllowed(service) => format!("service {service}"),
            Self::Unreachable(service, error) => format!("service {service}: {error}"),
            Self::TunnelLimit | Self::Timeout | Self::BadPreface | Self::Revoked => String::new(),
        }
    }
}

/// Tells a device without the right key from a connection that broke.
pub(super) fn of_handshake(error: io::Error) -> Refusal {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(
            rustls::Error::InvalidCertificate(_)
            | rustls::Error::NoCertificatesPresented
            | rustls::Error::PeerMisbehaved(rustls::PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme),
        ) => Refusal::WrongKey(error),
        Some(_) | None => Refusal::Handshake(error),
    }
}
