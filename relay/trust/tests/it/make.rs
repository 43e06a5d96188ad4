//! Certificates that the crate itself would never make.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    SignatureAlgorithm, date_time_ymd,
};
use relay_trust::{Identity, provider, write_secret_file};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime};

/// A certificate and its key, in the forms that tests want.
pub struct Made {
    pub chain: Vec<CertificateDer<'static>>,
    pub key: KeyPair,
}

impl Made {
    pub fn leaf(&self) -> &CertificateDer<'static> {
        &self.chain[0]
    }

    pub fn certified(&self) -> Arc<CertifiedKey> {
        with_key(self.chain.clone(), &self.key)
    }

    /// As an identity, through files as an administrator would have them.
    pub fn identity(&self) -> Identity {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
        write_pem(&chain, &self.chain);
        write_secret_file(&key, &self.key.serialize_pem()).expect("the key is written");
        Identity::load(&chain, &key).expect("an identity")
    }
}

pub fn write_pem(path: &Path, chain: &[CertificateDer<'_>]) {
    let text: String = chain.iter().map(|der| pem("CERTIFICATE", der)).collect();
    std::fs::write(path, text).expect("the chain is written");
}

pub fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// A chain with a key that need not belong to it.
pub fn with_key(chain: Vec<CertificateDer<'static>>, key: &KeyPair) -> Arc<CertifiedKey> {
    let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let signing = provider().key_provider.load_private_key(der).expect("a signing key");
    Arc::new(CertifiedKey::new(chain, signing))
}

/// The parameters of an ordinary server certificate for `name`, valid from 2020 to 2100.
pub fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

pub fn self_signed(params: &CertificateParams, algorithm: &'static SignatureAlgorithm) -> Made {
    let key = KeyPair::generate_for(algorithm).expect("a key");
    let certificate = params.self_signed(&key).expect("a certificate");
    Made { chain: vec![certificate.der().clone()], key }
}

/// A certification authority, and a server certificate that it issued; the chain ends with the authority's own.
pub fn issued(params: &CertificateParams) -> (CertificateDer<'static>, Made) {
    let mut authority = CertificateParams::new(Vec::new()).expect("no names");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.not_before = date_time_ymd(2020, 1, 1);
    authority.not_after = date_time_ymd(2100, 1, 1);
    let root_key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let root = authority.self_signed(&root_key).expect("a root").der().clone();
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
    let leaf = params.signed_by(&key, &Issuer::new(authority, root_key)).expect("a leaf").der().clone();
    (root.clone(), Made { chain: vec![leaf, root], key })
}

/// A clock that stands still, `days` from now.
#[derive(Debug)]
pub struct DaysFromNow(pub u64);

impl TimeProvider for DaysFromNow {
    fn current_time(&self) -> Option<UnixTime> {
        let now = Duration::from_secs(UnixTime::now().as_secs());
        Some(UnixTime::since_unix_epoch(now + Duration::from_secs(self.0 * 86_400)))
    }
}
