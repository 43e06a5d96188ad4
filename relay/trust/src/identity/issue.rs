//! Making self-signed certificates.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType, SerialNumber, date_time_ymd,
};
use rustls::sign::CertifiedKey;
use rustls_pki_types::{DnsName, PrivatePkcs8KeyDer};
use zeroize::{Zeroize, Zeroizing};

use crate::crypto::random;
use crate::device_key::DeviceKey;
use crate::identity::{Identity, IdentityError};
use crate::tls;

/// The longest that a server certificate may live, days: Apple's bound for certificates of private roots.
pub const MAX_DAYS: u32 = 825;
/// The most names in one certificate.
pub const MAX_NAMES: usize = 100;
/// Certificates start this much in the past, for peers whose clocks are a little behind.
const BACKDATED: Duration = Duration::from_secs(3600);
/// RFC 5280 appendix A: ub-common-name.
const MAX_COMMON_NAME: usize = 64;

pub(super) fn server(key: &DeviceKey, names: &[String], days: u32) -> Result<Identity, IdentityError> {
    if !(1..=MAX_DAYS).contains(&days) {
        return Err(IdentityError::BadDays { days, limit: MAX_DAYS });
    }
    let mut params = params(names.first().map_or("", String::as_str), days);
    params.subject_alt_names = alternative_names(names)?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    sign(&params, key)
}

pub(super) fn client(key: &DeviceKey, common_name: &str) -> Result<Identity, IdentityError> {
    let mut params = params(common_name, MAX_DAYS);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    sign(&params, key)
}

fn params(common_name: &str, days: u32) -> CertificateParams {
    let mut params = CertificateParams::default();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let start = Duration::from_secs(now.saturating_sub(BACKDATED).as_secs());
    params.not_before = date_time_ymd(1970, 1, 1) + start;
    // Both ends count as valid, hence one second less.
    params.not_after = params.not_before + Duration::from_secs(u64::from(days) * 86_400 - 1);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, short_name(common_name));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.serial_number = Some(serial());
    params
}

/// 127 random bits: positive and at most 20 octets, as RFC 5280 section 4.1.2.2 asks, and never zero.
fn serial() -> SerialNumber {
    let mut bytes = random::<16>();
    bytes[0] = bytes[0] & 0x7f | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn short_name(name: &str) -> String {
    let short: String = name.chars().filter(|c| !c.is_control()).take(MAX_COMMON_NAME).collect();
    if short.is_empty() { "sallyport".to_owned() } else { short }
}

fn alternative_names(names: &[String]) -> Result<Vec<SanType>, IdentityError> {
    if names.is_empty() {
        return Err(IdentityError::NoNames);
    }
    if names.len() > MAX_NAMES {
        return Err(IdentityError::TooManyNames { count: names.len(), limit: MAX_NAMES });
    }
    names.iter().map(|name| alternative_name(name)).collect()
}

fn alternative_name(name: &str) -> Result<SanType, IdentityError> {
    let bad = || IdentityError::BadName { name: name.chars().take(100).collect() };
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(SanType::IpAddress(address));
    }
    // A wildcard stands for one whole label, the leftmost.
    let host = name.strip_prefix("*.").unwrap_or(name);
    let valid = DnsName::try_from(host).map_err(|_| bad())?;
    // `1.2.3` and `1.2.3.4.5` are no host names, though each label alone could be one.
    if host.ends_with('.') || valid.as_ref().bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(bad());
    }
    Ok(SanType::DnsName(name.to_ascii_lowercase().try_into().map_err(|_| bad())?))
}

fn sign(params: &CertificateParams, key: &DeviceKey) -> Result<Identity, IdentityError> {
    let failed = |error: rcgen::Error| IdentityError::Issue(error.to_string());
    let mut der = key.pkcs8_der();
    let pkcs8 = PrivatePkcs8KeyDer::from(der.secret_der());
    let pair = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &PKCS_ECDSA_P256_SHA256);
    der.zeroize();
    let certificate = params.self_signed(&pair.map_err(failed)?).map_err(failed)?;
    let key_der = Zeroizing::new(key.pkcs8_der());
    let signing = tls::shared_provider()
        .key_provider
        .load_private_key(key_der.clone_key())
        .map_err(|error| IdentityError::Issue(error.to_string()))?;
    Identity::assemble(CertifiedKey::new(vec![certificate.der().clone()], signing), key_der)
        .map_err(|error| IdentityError::Issue(error.to_string()))
}
