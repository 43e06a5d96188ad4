//! The certificate verifiers that rustls calls during a handshake.
//!
//! Who is trusted differs from one to the next; that the peer has the key of its certificate never does: every handshake
//! signature is checked by the provider's own functions.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError as TlsCertificateError, DigitallySignedStruct, DistinguishedName, Error as TlsError, OtherError,
    PeerMisbehaved, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use crate::certificate::{Fingerprints, fingerprints, p256_point};
use crate::chain::verify_server_chain;
use crate::crypto::sha256;
use crate::pin::PinSet;
use crate::roots::Roots;
use crate::tls;

pub use crate::certificate::peer_spki;
pub use crate::verdict::{LastVerdict, Verdict};

/// The verifier of a device for the edge: the pin AND the chain, in that order, on the leaf certificate alone.
///
/// `roots` of `None` leaves the chain, the dates and the name out; that is for certificates known by their pin alone.
/// The outcome is written to `reason`, which must be this connection's own.
#[must_use]
pub fn edge_verifier(pins: PinSet, roots: Option<Roots>, reason: Arc<LastVerdict>) -> Arc<dyn ServerCertVerifier> {
    Arc::new(PinnedServer { pins: Some(pins), roots, reason, algorithms: algorithms() })
}

/// The verifier for a server that is known by its pin: node and master in tunnels, the edge as a backend sees it.
///
/// The reason of a refusal is in the error: [`refusal`].
#[must_use]
pub fn pinned_verifier(pins: PinSet) -> Arc<dyn ServerCertVerifier> {
    edge_verifier(pins, None, LastVerdict::new())
}

/// The verifier of a backend without a pin for its edge: any certificate, as long as the server has its key.
///
/// It authenticates nobody by itself: the shared-key proof over this connection's exporter does, and must follow before
/// anything else is sent.
#[must_use]
pub fn shared_key_verifier() -> Arc<dyn ServerCertVerifier> {
    Arc::new(PinnedServer { pins: None, roots: None, reason: LastVerdict::new(), algorithms: algorithms() })
}

/// The verdict inside an error of rustls, if one of these verifiers refused the server.
///
/// For a bad handshake signature the error is the provider's; ask the connection's [`LastVerdict`].
#[must_use]
pub fn refusal(error: &TlsError) -> Option<&Verdict> {
    if let TlsError::InvalidCertificate(TlsCertificateError::Other(other)) = error {
        other.0.downcast_ref()
    } else {
        None
    }
}

fn algorithms() -> WebPkiSupportedAlgorithms {
    tls::shared_provider().signature_verification_algorithms
}

#[derive(Debug)]
struct PinnedServer {
    /// `None`: any certificate. Made by [`shared_key_verifier`] only.
    pins: Option<PinSet>,
    roots: Option<Roots>,
    reason: Arc<LastVerdict>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl PinnedServer {
    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Verdict {
        let presented: Fingerprints = match fingerprints(leaf) {
            Ok(presented) => presented,
            Err(error) => return Verdict::Unreadable(error),
        };
        // The pin first: what the chain says about a stranger's certificate does not matter.
        if self.pins.as_ref().is_some_and(|pins| !pins.matches_fingerprints(&presented)) {
            return Verdict::PinMismatch { presented };
        }
        match &self.roots {
            Some(roots) => match verify_server_chain(leaf, intermediates, roots, name, now) {
                Ok(()) => Verdict::Unproved,
                Err(error) => Verdict::Chain(error),
            },
            None => Verdict::Unproved,
        }
    }

    fn record_possession(
        &self,
        outcome: Result<HandshakeSignatureValid, TlsError>,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.reason.set(if outcome.is_ok() { Verdict::Accepted } else { Verdict::Possession });
        outcome
    }
}

impl ServerCertVerifier for PinnedServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let verdict = self.judge(end_entity, intermediates, server_name, now);
        self.reason.set(verdict.clone());
        if verdict.refuses() { Err(refused(verdict)) } else { Ok(ServerCertVerified::assertion()) }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.record_possession(verify_tls12_signature(message, cert, dss, &self.algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        self.record_possession(verify_tls13_signature(message, cert, dss, &self.algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn refused(reason: impl std::error::Error + Send + Sync + 'static) -> TlsError {
    TlsError::InvalidCertificate(TlsCertificateError::Other(OtherError(Arc::new(reason))))
}

/// The key that a device must have in a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedKey {
    /// Any P-256 key: enrolment, where the order inside the tunnel says which device it is and proves the secret.
    AnyP256,
    /// The P-256 key whose `SubjectPublicKeyInfo` has this SHA-256, as the master's grant names it.
    Spki([u8; 32]),
}

/// Why a device's certificate was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeviceKeyRefusal {
    /// Not a certificate.
    #[error("the device's certificate cannot be read")]
    Unreadable,
    /// Another kind of key than P-256.
    #[error("the device's key is not ECDSA P-256")]
    NotP256,
    /// A P-256 key, but not the one in the grant.
    #[error("the device's key is not the one that the grant names")]
    OtherKey,
}

/// The verifier of a backend for the device in one tunnel. Signature checks are delegated; the certificate's names and
/// dates say nothing here, its key is what the master registered.
#[must_use]
pub fn device_key_verifier(expected: ExpectedKey) -> Arc<dyn ClientCertVerifier> {
    Arc::new(DeviceVerifier { expected, algorithms: algorithms() })
}

#[derive(Debug)]
struct DeviceVerifier {
    expected: ExpectedKey,
    algorithms: WebPkiSupportedAlgorithms,
}

impl DeviceVerifier {
    fn judge(&self, certificate: &CertificateDer<'_>) -> Result<(), DeviceKeyRefusal> {
        let spki = peer_spki(certificate).map_err(|_| DeviceKeyRefusal::Unreadable)?;
        if p256_point(&spki).is_none() {
            return Err(DeviceKeyRefusal::NotP256);
        }
        match self.expected {
            ExpectedKey::AnyP256 => Ok(()),
            ExpectedKey::Spki(digest) if sha256(&spki) == digest => Ok(()),
            ExpectedKey::Spki(_) => Err(DeviceKeyRefusal::OtherKey),
        }
    }
}

/// The one signature scheme of a P-256 device key, under TLS 1.2 and 1.3.
const DEVICE_SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP256_SHA256;

fn refuse_other_schemes(dss: &DigitallySignedStruct) -> Result<(), TlsError> {
    if dss.scheme == DEVICE_SCHEME {
        Ok(())
    } else {
        Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
    }
}

impl ClientCertVerifier for DeviceVerifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        self.judge(end_entity).map_err(refused)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        refuse_other_schemes(dss)?;
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        refuse_other_schemes(dss)?;
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![DEVICE_SCHEME]
    }
}
