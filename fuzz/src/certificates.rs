//! Our reader of a certificate and webpki's agree on key and names, or refuse.
//!
//! Three views of the same bytes: what `relay-trust` says, what webpki says (which verifies signatures), and a reader of our
//! own (`view`) that walks the elements. The verifiers and findings of `relay-trust` are held against the two others.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64;
use relay_trust::{
    ChainError, ExpectedKey, Finding, Fingerprints, Identity, IdentityError, LastVerdict, Pin, PinKind, PinSet, Roots,
    Verdict, device_key_verifier, edge_verifier, fingerprints, peer_spki, verify_server_chain,
};
use rustls_pki_types::{CertificateDer, UnixTime};
use view::View;

use crate::{finding, run::bounded};

pub mod files;
mod fragments;
mod mutate;
mod names;
mod seeds;
mod tree;
mod view;

pub use mutate::mutate;
pub use seeds::seeds;

/// The name of this oracle in findings.
const ORACLE: &str = "certificate_views";
/// Memory that reading may hold: per byte of input, and beside it. An extension of ten bytes costs x509-parser some 200.
const MEMORY_FACTOR: usize = 64;
const MEMORY_ALLOWANCE: usize = 16 << 10;
/// A moment at which the seeds of long life are valid.
const NOW: u64 = 1_900_000_000;

/// A root that has issued nothing: with it every chain ends at `UnknownIssuer`, unless something else is wrong before.
static STRANGER: LazyLock<Roots> = LazyLock::new(|| roots(seeds::STRANGER));

fn roots(der: &[u8]) -> Roots {
    Roots::from_der(&[CertificateDer::from(der)]).unwrap_or_else(|error| panic!("a certificate of the seeds: {error}"))
}

/// Our reader of a certificate and webpki's agree on key and names, or refuse.
pub fn oracle(data: &[u8]) {
    if data.starts_with(b"-----") {
        pem(data);
        return;
    }
    let read = bounded(ORACLE, data.len(), MEMORY_FACTOR, MEMORY_ALLOWANCE, || (peer_spki(data), fingerprints(data)));
    let der = CertificateDer::from(data);
    let webpki = webpki::EndEntityCert::try_from(&der);
    let ours = match (&webpki, read) {
        (_, (Err(error), Err(_))) => {
            shown(&error.to_string());
            None
        }
        (Ok(webpki), (Ok(spki), Ok(prints))) => Some((webpki, spki, prints)),
        (Err(error), (Ok(_), Ok(_))) => return finding(ORACLE, "read, and webpki refuses", error),
        (_, (spki, prints)) => {
            return finding(ORACLE, "key and fingerprints differ", format_args!("{spki:?} {prints:?}"));
        }
    };
    let Some((webpki, spki, prints)) = ours else {
        nobody(&der);
        return;
    };
    let Some(view) = view::of(data) else {
        return finding(
            ORACLE,
            "read, and the third reader refuses",
            format_args!("{webpki:?}", webpki = webpki.subject()),
        );
    };
    keys(&der, webpki, &view, &spki, &prints);
    verifiers(&der, &spki, &prints);
    names::agree(webpki, &view);
    findings(&der, webpki, &view);
    identity(data, &view);
}

/// An error is fit to be shown: bounded, and without what a terminal would obey.
fn shown(text: &str) {
    if text.chars().count() > 2_000 || text.chars().any(char::is_control) {
        finding(ORACLE, "a text that cannot be shown", format_args!("{text:?}"));
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().unwrap_or_default()
}

fn keys(
    der: &CertificateDer<'_>,
    webpki: &webpki::EndEntityCert<'_>,
    view: &View<'_>,
    spki: &[u8],
    prints: &Fingerprints,
) {
    let verifying = webpki.subject_public_key_info();
    if verifying.as_ref() != spki || view.spki != spki {
        let detail = format_args!("{spki:02x?}, webpki {verifying:02x?}, third {:02x?}", view.spki);
        finding(ORACLE, "another key than the one that verifies", detail);
    }
    if *prints != (Fingerprints { leaf: sha256(der), spki: sha256(spki) }) {
        finding(ORACLE, "fingerprints that are not the digests", format_args!("{prints:02x?}"));
    }
}

/// A certificate that cannot be read is nobody's: no verifier takes it, whatever is expected.
fn nobody(der: &CertificateDer<'_>) {
    let digest = sha256(der);
    let reason = LastVerdict::new();
    let verifier = edge_verifier(Pin::new(PinKind::Leaf, digest).into(), None, Arc::clone(&reason));
    let taken = verifier.verify_server_cert(der, &[], &names::localhost(), &[], time(NOW)).is_ok();
    if taken || !matches!(reason.get(), Verdict::Unreadable(_)) || !reason.halts() {
        finding(ORACLE, "a server with a certificate that cannot be read", format_args!("{:?}", reason.get()));
    }
    if device_key_verifier(ExpectedKey::AnyP256).verify_client_cert(der, &[], time(NOW)).is_ok() {
        finding(ORACLE, "a device with a certificate that cannot be read", "");
    }
    if Pin::new(PinKind::Leaf, digest).matches(der) {
        finding(ORACLE, "a pin matches what is no certificate", "");
    }
}

fn time(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))
}

/// The verifiers take the certificate exactly where a comparison of the digests does.
fn verifiers(der: &CertificateDer<'_>, spki: &[u8], prints: &Fingerprints) {
    let p256 = view::is_p256(spki);
    let mut near = prints.spki;
    // Another place with every certificate.
    near[usize::from(prints.leaf[0]) % 32] ^= 1 << (prints.leaf[1] % 8);
    for (expected, key, taken) in [
        ("any P-256 key", ExpectedKey::AnyP256, p256),
        ("its own key", ExpectedKey::Spki(sha256(spki)), p256),
        ("another key", ExpectedKey::Spki(near), false),
        ("its certificate", ExpectedKey::Spki(prints.leaf), false),
    ] {
        let found = device_key_verifier(key).verify_client_cert(der, &[], time(NOW)).is_ok();
        if found != taken {
            finding(ORACLE, format_args!("a device, {expected} expected: {found}"), format_args!("{spki:02x?}"));
        }
    }
    let pins = [
        (Pin::new(PinKind::Leaf, prints.leaf), true),
        (Pin::new(PinKind::Spki, prints.spki), true),
        (Pin::new(PinKind::Spki, prints.leaf), false),
        (Pin::new(PinKind::Leaf, prints.spki), false),
        (Pin::new(PinKind::Spki, near), false),
    ];
    for (pin, taken) in pins {
        let reason = LastVerdict::new();
        let verifier = edge_verifier(PinSet::from(pin), None, Arc::clone(&reason));
        let found = verifier.verify_server_cert(der, &[], &names::localhost(), &[], time(NOW)).is_ok();
        let verdict = reason.get();
        let told =
            if taken { verdict == Verdict::Unproved } else { verdict == Verdict::PinMismatch { presented: *prints } };
        if found != taken || pin.matches(der) != taken || !told {
            finding(ORACLE, format_args!("a pinned server: {found}"), format_args!("{pin} {verdict:?}"));
        }
    }
}

/// What an administrator is told is what a device will say: at one moment, at the end of its validity, and after it.
fn findings(der: &CertificateDer<'_>, webpki: &webpki::EndEntityCert<'_>, view: &View<'_>) {
    for at in view.not_after.map_or([NOW; 3], |end| [NOW, end, end + 1]) {
        let found = Finding::of(der, time(at));
        found.iter().for_each(|finding| shown(&finding.to_string()));
        let verdict = verify_server_chain(der, &[], &STRANGER, &names::localhost(), time(at));
        if !explains(&found, &verdict) {
            let class = match &verdict {
                Ok(()) => "findings: devices accept what nobody has issued".to_owned(),
                Err(error) => format!("findings: devices say {}", kind(error)),
            };
            finding(ORACLE, class, format_args!("{found:?} at {at}: {verdict:?}"));
        }
        let unreadable = found.contains(&Finding::Unreadable { extension: "subjectAltName" });
        if !unreadable && names::any_fits(webpki, view) == found.contains(&Finding::NoNames) {
            finding(ORACLE, "findings: whether any name fits", format_args!("{found:?}, {view:?}"));
        }
    }
    itself(der, webpki, view);
}

/// Whether the findings say what the verification of a chain to a stranger said. A part that cannot be read is reason
/// enough to warn, though some readers come to an end before it.
fn explains(found: &[Finding], verdict: &Result<(), ChainError>) -> bool {
    let unreadable = |finding: &Finding| matches!(finding, Finding::Unreadable { .. });
    let refuse = |finding: &Finding| finding.devices_refuse() && *finding != Finding::NoNames && !unreadable(finding);
    let has = |wanted: fn(&Finding) -> bool| found.iter().any(|finding| wanted(finding) || unreadable(finding));
    match verdict {
        Ok(()) => false,
        Err(ChainError::UnknownIssuer) => !found.iter().any(refuse),
        Err(ChainError::Expired { .. }) => has(|finding| matches!(finding, Finding::Expired { .. })),
        Err(ChainError::NotYetValid { .. }) => has(|finding| matches!(finding, Finding::NotYetValid { .. })),
        Err(ChainError::CaAsServer) => has(|finding| *finding == Finding::CaTrue),
        Err(ChainError::WrongPurpose) => has(|finding| *finding == Finding::NotForServers),
        Err(_) => found.iter().any(|finding| refuse(finding) || unreadable(finding)),
    }
}

/// A chain's error without what it holds.
fn kind(error: &ChainError) -> String {
    format!("{error:?}").split(['(', '{']).next().unwrap_or_default().trim().to_owned()
}

/// A certificate as its own root, where the signature is one that a seed has: then the names decide, and the findings.
fn itself(der: &CertificateDer<'_>, webpki: &webpki::EndEntityCert<'_>, view: &View<'_>) {
    if !seeds::SIGNED.contains(view.signed) {
        return;
    }
    let Ok(roots) = Roots::from_der(std::slice::from_ref(der)) else { return };
    let refused =
        Finding::of(der, time(NOW)).iter().any(|finding| finding.devices_refuse() && *finding != Finding::NoNames);
    for name in names::candidates(view) {
        let chain = verify_server_chain(der, &[], &roots, &name, time(NOW));
        let fits = webpki.verify_is_valid_for_subject_name(&name).is_ok();
        let told = match &chain {
            Ok(()) => fits && !refused,
            Err(ChainError::WrongName { .. }) => !fits,
            Err(ChainError::BadSignature | ChainError::UnknownIssuer) => true,
            Err(_) => refused,
        };
        if !told {
            finding(ORACLE, "a chain of one", format_args!("{name:?} {chain:?} fits {fits} refused {refused}"));
        }
    }
}

/// The certificate as an administrator's file, with the key of the seeds.
fn identity(data: &[u8], view: &View<'_>) {
    let spki = view.spki;
    let own = spki == seeds::P256_SPKI.as_slice();
    // Reading a key takes longer than all the rest.
    if !own && data.last().is_none_or(|byte| byte % 16 != 0) {
        return;
    }
    let text = pem_of(data);
    match Identity::from_pem(text.as_bytes(), seeds::P256_KEY) {
        Ok(identity) => {
            if !own || **identity.leaf() != *data || identity.spki() != spki {
                finding(ORACLE, "an identity with the key of another", text);
            } else if view.not_after.is_some() && identity.expires_at() != view.not_after {
                finding(
                    ORACLE,
                    "an identity that ends at another time",
                    format_args!("{:?}\n{text}", identity.expires_at()),
                );
            }
        }
        Err(IdentityError::Mismatch { .. } | IdentityError::Key { .. }) if !own => {}
        Err(error) => finding(ORACLE, "an identity is refused", error),
    }
}

fn pem_of(der: &[u8]) -> String {
    let lines: Vec<String> =
        BASE64.encode(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// An administrator's file as it is: an identity, with what it writes read as the same, or an error that can be shown.
fn pem(text: &[u8]) {
    let read =
        bounded(ORACLE, text.len(), MEMORY_FACTOR, MEMORY_ALLOWANCE, || Identity::from_pem(text, seeds::P256_KEY));
    match read {
        Err(error) => shown(&error.to_string()),
        Ok(identity) => {
            let written = identity.chain_pem();
            let again = Identity::from_pem(written.as_bytes(), identity.key_pem().as_bytes());
            if !again.is_ok_and(|again| again.chain() == identity.chain())
                || identity.spki() != seeds::P256_SPKI.as_slice()
            {
                finding(ORACLE, "an identity is not read as it was written", written);
            }
        }
    }
}

#[cfg(test)]
mod tests;
