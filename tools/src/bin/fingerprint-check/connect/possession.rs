//! The verifier that rustls calls: it records the chain and whether the server has its key, and refuses nothing.
//!
//! Nothing is ever sent over such a connection, so nothing can leak; what was recorded is judged afterwards, all of it.

use std::sync::{Arc, Mutex, PoisonError};

use relay_trust::sha256;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPublicKey, traits::SignatureScheme as RsaScheme};
use rustls::{
    DigitallySignedStruct, Error as TlsError, SignatureScheme,
    client::{
        ResolvesClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_parser::{
    prelude::{FromDer, X509Certificate},
    public_key::PublicKey,
};

use crate::evidence::Possession;

/// Bits of an RSA modulus at most: more would let a server choose how long this program computes.
const RSA_BITS_MAX: usize = 16_384;

/// What one handshake showed.
#[derive(Debug, Default)]
pub struct Recorded(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    presented: Option<Vec<CertificateDer<'static>>>,
    signature: Option<(SignatureScheme, Possession)>,
    asked: bool,
}

impl Recorded {
    /// The certificates, leaf first, and the handshake signature. Either may not have come.
    pub fn take(&self) -> (Option<Vec<CertificateDer<'static>>>, Option<(SignatureScheme, Possession)>) {
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (inside.presented.take(), inside.signature.take())
    }

    /// Whether the server asked for a client certificate.
    pub fn asked(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).asked
    }

    fn note(&self, note: impl FnOnce(&mut Inside)) {
        note(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Has no certificate for a server that asks for one, and writes down that it did.
#[derive(Debug)]
pub struct Nobody(pub Arc<Recorded>);

impl ResolvesClientCert for Nobody {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.note(|inside| inside.asked = true);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// The verifier of one connection.
#[derive(Debug)]
pub struct Recorder {
    recorded: Arc<Recorded>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Recorder {
    /// One that writes to `recorded` and checks signatures with `algorithms`.
    pub const fn new(recorded: Arc<Recorded>, algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self { recorded, algorithms }
    }

    fn record(
        &self,
        checked: Result<HandshakeSignatureValid, TlsError>,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> HandshakeSignatureValid {
        let possession = match checked {
            Ok(_) => Possession::Proved,
            Err(error) => by_weak_key(&self.algorithms, message, certificate, signed, &error),
        };
        self.recorded.note(|inside| inside.signature = Some((signed.scheme, possession)));
        HandshakeSignatureValid::assertion()
    }
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let all = std::iter::once(end_entity).chain(intermediates).map(|der| der.clone().into_owned());
        self.recorded.note(|inside| inside.presented = Some(all.collect()));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(self.record(verify_tls12_signature(message, cert, dss, &self.algorithms), message, cert, dss))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        Ok(self.record(verify_tls13_signature(message, cert, dss, &self.algorithms), message, cert, dss))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// What the provider refused may still be proof, with a key or a certificate that no client takes.
fn by_weak_key(
    algorithms: &WebPkiSupportedAlgorithms,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    error: &TlsError,
) -> Possession {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        return Possession::NotProved("the certificate cannot be read".to_owned());
    };
    let spki = parsed.public_key();
    // A certificate that webpki does not read (version 1): the same algorithms on the bare key.
    let bare = SubjectPublicKeyInfoDer::from(spki.raw);
    let known = algorithms.mapping.iter().find(|(scheme, _)| *scheme == signed.scheme).map_or(&[][..], |(_, all)| *all);
    let holds = |key: &webpki::RawPublicKeyEntity<'_>| {
        known.iter().any(|algorithm| key.verify_signature(*algorithm, message, signed.signature()).is_ok())
    };
    if webpki::RawPublicKeyEntity::try_from(&bare).is_ok_and(|key| holds(&key)) {
        return Possession::ProvedUnread;
    }
    if let Ok(PublicKey::RSA(rsa)) = spki.parsed() {
        let key = RsaPublicKey::new_with_max_size(
            BigUint::from_bytes_be(rsa.modulus),
            BigUint::from_bytes_be(rsa.exponent),
            RSA_BITS_MAX,
        );
        if key.is_ok_and(|key| rsa_holds(&key, message, signed)) {
            return Possession::ProvedByWeakKey;
        }
    }
    Possession::NotProved(format!("the handshake signature does not fit the key of the certificate ({error})"))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "rustls' enum: the others are no RSA schemes that were offered")]
fn rsa_holds(key: &RsaPublicKey, message: &[u8], signed: &DigitallySignedStruct) -> bool {
    let signature = signed.signature();
    let pkcs1 = |padding: Pkcs1v15Sign, hashed: &[u8]| padding.verify(key, hashed, signature).is_ok();
    let pss = |padding: Pss, hashed: &[u8]| padding.verify(key, hashed, signature).is_ok();
    match signed.scheme {
        SignatureScheme::RSA_PKCS1_SHA256 => pkcs1(Pkcs1v15Sign::new::<Sha256>(), &sha256(message)),
        SignatureScheme::RSA_PKCS1_SHA384 => pkcs1(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(message)),
        SignatureScheme::RSA_PKCS1_SHA512 => pkcs1(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(message)),
        SignatureScheme::RSA_PSS_SHA256 => pss(Pss::new::<Sha256>(), &sha256(message)),
        SignatureScheme::RSA_PSS_SHA384 => pss(Pss::new::<Sha384>(), &Sha384::digest(message)),
        SignatureScheme::RSA_PSS_SHA512 => pss(Pss::new::<Sha512>(), &Sha512::digest(message)),
        _ => false,
    }
}
