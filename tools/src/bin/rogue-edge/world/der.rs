//! As much DER as it takes to spoil a certificate: a certificate is a sequence of what is signed, how, and the signature.

/// The order of the group of P-256 (FIPS 186-5, D.1.2.3).
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
const INTEGER: u8 = 0x02;

/// One element: where its content begins, and where it ends.
struct Element {
    content: usize,
    end: usize,
}

/// The element with this tag at the start of `bytes`; `None` if there is none, or its length is not DER.
fn element(bytes: &[u8], tag: u8) -> Option<Element> {
    if *bytes.first()? != tag {
        return None;
    }
    let first = usize::from(*bytes.get(1)?);
    let (content, length) = match first {
        0..=0x7f => (2, first),
        0x81..=0x83 => {
            let content = 2 + (first - 0x80);
            let length = bytes.get(2..content)?.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (content, length)
        }
        _ => return None,
    };
    let end = content.checked_add(length)?;
    (end <= bytes.len()).then_some(Element { content, end })
}

/// An element with this tag and content.
#[allow(clippy::cast_possible_truncation, reason = "each byte of a length, cut on purpose")]
fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = vec![tag];
    match length {
        0..0x80 => out.push(length as u8),
        0x80..0x100 => out.extend([0x81, length as u8]),
        0x100..0x1_0000 => out.extend([0x82, (length >> 8) as u8, length as u8]),
        _ => out.extend([0x83, (length >> 16) as u8, (length >> 8) as u8, length as u8]),
    }
    out.extend_from_slice(content);
    out
}

/// A certificate, taken apart.
pub struct Parts {
    /// What is signed.
    pub signed: Vec<u8>,
    /// The algorithm, as it is named outside.
    pub algorithm: Vec<u8>,
    /// The signature's bytes.
    pub signature: Vec<u8>,
}

impl Parts {
    /// Takes a certificate apart.
    pub fn of(certificate: &[u8]) -> Option<Self> {
        let outer = element(certificate, SEQUENCE)?;
        let body = certificate.get(outer.content..outer.end)?;
        let signed = element(body, SEQUENCE)?;
        let rest = &body[signed.end..];
        let algorithm = element(rest, SEQUENCE)?;
        let tail = &rest[algorithm.end..];
        let signature = element(tail, BIT_STRING)?;
        Some(Self {
            signed: body[..signed.end].to_vec(),
            algorithm: rest[..algorithm.end].to_vec(),
            // The first byte counts unused bits: none.
            signature: tail.get(signature.content + 1..signature.end)?.to_vec(),
        })
    }

    /// Puts it together again.
    pub fn certificate(&self) -> Vec<u8> {
        let bits = [&[0], self.signature.as_slice()].concat();
        write(SEQUENCE, &[self.signed.as_slice(), &self.algorithm, &write(BIT_STRING, &bits)].concat())
    }
}

/// The same certificate with one byte too many in its outermost length: BER, not DER.
pub fn with_long_length(certificate: &[u8]) -> Option<Vec<u8>> {
    let outer = element(certificate, SEQUENCE)?;
    let content = certificate.get(outer.content..outer.end)?;
    let length = u32::try_from(content.len()).ok().filter(|length| *length < 1 << 24)?;
    Some([&[SEQUENCE, 0x84], length.to_be_bytes().as_slice(), content].concat())
}

/// The same certificate with its ECDSA P-256 signature (r, s) as (r, n - s), which verifies just as well; `None` for a
/// signature of another kind.
pub fn with_rewritten_signature(certificate: &[u8]) -> Option<Vec<u8>> {
    let mut parts = Parts::of(certificate)?;
    let outer = element(&parts.signature, SEQUENCE).filter(|outer| outer.end == parts.signature.len())?;
    let body = &parts.signature[outer.content..];
    let r = element(body, INTEGER)?;
    let tail = &body[r.end..];
    let s = element(tail, INTEGER)?;
    let number = tail.get(s.content..s.end)?;
    let number = number.strip_prefix(&[0]).unwrap_or(number);
    let mut wide = [0; 32];
    wide.get_mut(32usize.checked_sub(number.len())?..)?.copy_from_slice(number);
    let other = integer(&subtract(&P256_ORDER, &wide)?);
    parts.signature = write(SEQUENCE, &[&body[..r.end], &other].concat());
    Some(parts.certificate())
}

/// `left - right`; `None` below zero.
fn subtract(left: &[u8; 32], right: &[u8; 32]) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    let mut borrow = false;
    for place in (0..32).rev() {
        let (first, under) = left[place].overflowing_sub(right[place]);
        let (second, again) = first.overflowing_sub(u8::from(borrow));
        out[place] = second;
        borrow = under || again;
    }
    (!borrow).then_some(out)
}

/// A positive INTEGER of these big-endian bytes.
fn integer(bytes: &[u8; 32]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(31);
    let digits = &bytes[start..];
    let content = if digits[0] & 0x80 == 0 { digits.to_vec() } else { [&[0], digits].concat() };
    write(INTEGER, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> Vec<u8> {
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn taken_apart_and_put_together_it_is_the_same() {
        let certificate = certificate();
        assert_eq!(Parts::of(&certificate).unwrap().certificate(), certificate);
        for cut in 0..certificate.len() {
            assert!(Parts::of(&certificate[..cut]).is_none(), "{cut}");
        }
        assert_eq!(with_long_length(&certificate).unwrap().len(), certificate.len() + 2);
    }

    #[test]
    fn a_rewritten_signature_still_verifies_and_is_its_own_inverse() {
        use rustls::server::ParsedCertificate;
        for _ in 0..20 {
            let certificate = certificate();
            let other = with_rewritten_signature(&certificate).unwrap();
            assert_ne!(other, certificate);
            assert_eq!(with_rewritten_signature(&other).unwrap(), certificate);
            let mut roots = rustls::RootCertStore::empty();
            roots.add(certificate.clone().into()).unwrap();
            let other = other.into();
            let verified = rustls::client::verify_server_cert_signed_by_trust_anchor(
                &ParsedCertificate::try_from(&other).unwrap(),
                &roots,
                &[],
                rustls_pki_types::UnixTime::now(),
                rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.all,
            );
            verified.unwrap();
        }
    }
}
