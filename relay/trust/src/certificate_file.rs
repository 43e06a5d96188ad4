//! Certificates in whatever encoding somebody has them: PEM, DER, PKCS#7 (`.p7b`) in either.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::{PemObject, SectionKind};
use zeroize::Zeroizing;

use crate::certificate;
use crate::pem::{self, PemError};

/// The most certificates that are read from one file. A distribution's bundle of roots has some 150.
pub const MAX_CERTIFICATES: usize = 1000;

/// How a file holds its certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertificateEncoding {
    /// One certificate or several, as text (RFC 7468).
    Pem,
    /// One certificate, binary.
    Der,
    /// PKCS#7 (RFC 2315, RFC 5652) as text.
    Pkcs7Pem,
    /// PKCS#7, binary.
    Pkcs7Der,
}

impl CertificateEncoding {
    /// Its name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pem => "PEM",
            Self::Der => "DER",
            Self::Pkcs7Pem => "PKCS#7 (PEM)",
            Self::Pkcs7Der => "PKCS#7 (DER)",
        }
    }

    /// Whether the order of the certificates in the file means anything. In PKCS#7 they are a set.
    #[must_use]
    pub const fn is_ordered(self) -> bool {
        match self {
            Self::Pem | Self::Der => true,
            Self::Pkcs7Pem | Self::Pkcs7Der => false,
        }
    }
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFile {
    /// How it held them.
    pub encoding: CertificateEncoding,
    /// The certificates in the order of the file; at least one, at most [`MAX_CERTIFICATES`]. In DER they are readable,
    /// otherwise whoever uses them finds out.
    pub certificates: Vec<CertificateDer<'static>>,
    /// Whether a private key lies in the same file; it is not kept.
    pub has_key: bool,
}

/// Why no certificates could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateFileError {
    /// Nothing in it.
    #[error("the file is empty; give a certificate in PEM, DER or PKCS#7")]
    Empty,
    /// A key, and nothing else.
    #[error(
        "the file holds a private key and no certificate; give the certificate's file, and keep the key to yourself"
    )]
    Key,
    /// Text, but not PEM as it should be.
    #[error(transparent)]
    Pem(#[from] PemError),
    /// A text in UTF-16, as PowerShell's `>` writes it.
    #[error("the file is text in UTF-16; save it as ASCII or UTF-8 (PowerShell: `Out-File -Encoding ascii`)")]
    Utf16,
    /// A file of keys and certificates under a password.
    #[error(
        "the file is PKCS#12 (.p12, .pfx); take the certificates out with `openssl pkcs12 -nokeys -in FILE -out NEW`"
    )]
    Pkcs12,
    /// PKCS#7 with lengths that only BER allows.
    #[error("the file is in BER, not DER; convert it with `openssl pkcs7 -inform DER -print_certs -in FILE -out NEW`")]
    Ber,
    /// PKCS#7 that is not what RFC 5652 says.
    #[error("the PKCS#7 file is damaged ({0}); export it again")]
    Pkcs7(&'static str),
    /// PKCS#7 with signatures or nothing, but no certificates.
    #[error("the PKCS#7 file holds no certificates; export it again, with the certificates")]
    Pkcs7Empty,
    /// Binary, and no certificate.
    #[error("the file is neither PEM nor a certificate in DER nor PKCS#7 ({0}); give one of these")]
    Unknown(String),
    /// More than [`MAX_CERTIFICATES`].
    #[error("there are more than {MAX_CERTIFICATES} certificates in it; give those of one server")]
    TooMany,
}

/// Reads the certificates in these bytes, whatever the encoding.
///
/// # Errors
/// [`CertificateFileError`], with what to do.
pub fn read_certificates(bytes: &[u8]) -> Result<CertificateFile, CertificateFileError> {
    let (encoding, certificates, has_key) = match bytes {
        [] => return Err(CertificateFileError::Empty),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(CertificateFileError::Utf16),
        [0x30, 0x80, ..] => return Err(CertificateFileError::Ber),
        [0x30, ..] => {
            let (encoding, certificates) = of_der(bytes)?;
            (encoding, certificates, false)
        }
        text if text.iter().all(u8::is_ascii_whitespace) => return Err(CertificateFileError::Empty),
        text => of_text(text)?,
    };
    if certificates.len() > MAX_CERTIFICATES {
        return Err(CertificateFileError::TooMany);
    }
    Ok(CertificateFile { encoding, certificates, has_key })
}

type Read = (CertificateEncoding, Vec<CertificateDer<'static>>);

fn of_der(bytes: &[u8]) -> Result<Read, CertificateFileError> {
    match content_type(bytes) {
        Some(Content::SignedData(data)) => Ok((CertificateEncoding::Pkcs7Der, of_signed_data(data)?)),
        Some(Content::Pkcs12) => Err(CertificateFileError::Pkcs12),
        None => match certificate::parse(bytes) {
            Ok(_) => Ok((CertificateEncoding::Der, vec![CertificateDer::from(bytes).into_owned()])),
            Err(error) => Err(CertificateFileError::Unknown(error.to_string())),
        },
    }
}

fn of_text(text: &[u8]) -> Result<(CertificateEncoding, Vec<CertificateDer<'static>>, bool), CertificateFileError> {
    let (mut found, mut has_key, mut other) = (Vec::new(), false, None);
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text) {
        let (kind, der) = section.map_err(|error| PemError::of(&error))?;
        match kind {
            SectionKind::Certificate => found.push(der),
            SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey => {
                drop(Zeroizing::new(der));
                has_key = true;
            }
            kind @ (SectionKind::PublicKey | SectionKind::Crl | SectionKind::Csr | _) => other = Some(kind),
        }
    }
    let pkcs7 = if found.is_empty() { pkcs7_section(text)? } else { None };
    if let Some(der) = pkcs7.or_else(|| found.first().filter(|der| is_signed_data(der)).cloned()) {
        return match content_type(&der) {
            Some(Content::SignedData(data)) => Ok((CertificateEncoding::Pkcs7Pem, of_signed_data(data)?, has_key)),
            Some(Content::Pkcs12) => Err(CertificateFileError::Pkcs12),
            None if der.starts_with(&[0x30, 0x80]) => Err(CertificateFileError::Ber),
            None => Err(CertificateFileError::Pkcs7("it is no SignedData")),
        };
    }
    if !found.is_empty() {
        let certificates = found.into_iter().map(CertificateDer::from).collect();
        return Ok((CertificateEncoding::Pem, certificates, has_key));
    }
    Err(match other {
        _ if has_key || pem::encrypted(text) => CertificateFileError::Key,
        Some(kind) => PemError::OtherKind { found: pem::name(kind), expected: "a certificate" }.into(),
        None if text.iter().any(|byte| matches!(byte, 0..=8 | 14..=31)) => {
            CertificateFileError::Unknown("it is binary".to_owned())
        }
        None => PemError::Nothing { expected: "a certificate" }.into(),
    })
}

fn is_signed_data(der: &[u8]) -> bool {
    matches!(content_type(der), Some(Content::SignedData(_)))
}

/// The first section labelled `PKCS7` or `CMS`, decoded. Such sections are unknown to the reader of PEM for TLS.
fn pkcs7_section(text: &[u8]) -> Result<Option<Vec<u8>>, CertificateFileError> {
    for label in ["PKCS7", "CMS", "PKCS #7 SIGNED DATA"] {
        let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
        let Some(start) = position(text, begin.as_bytes()) else { continue };
        let body = &text[start + begin.len()..];
        let Some(length) = position(body, end.as_bytes()) else {
            return Err(CertificateFileError::Pkcs7("its END line is missing"));
        };
        let digits: Vec<u8> = body[..length].iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
        let decoded = STANDARD.decode(digits).map_err(|_| CertificateFileError::Pkcs7("it is not base64"))?;
        return Ok(Some(decoded));
    }
    Ok(None)
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// What lies at the top of a DER file that is no certificate.
enum Content<'a> {
    /// The inside of `SignedData`.
    SignedData(&'a [u8]),
    Pkcs12,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const OBJECT_IDENTIFIER: u8 = 0x06;
const CONTEXT_0: u8 = 0xa0;

/// `id-signedData` (RFC 5652 section 5.1).
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// `id-data`, which PKCS#12 wraps its contents in.
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];

fn content_type(der: &[u8]) -> Option<Content<'_>> {
    let (whole, rest) = element(der, SEQUENCE)?;
    if let Some((oid, inside)) = element(whole, OBJECT_IDENTIFIER) {
        let (data, behind) = element(inside, CONTEXT_0)?;
        let (data, more) = element(data, SEQUENCE)?;
        let exact = behind.is_empty() && more.is_empty() && rest.is_empty();
        return (oid == SIGNED_DATA && exact).then_some(Content::SignedData(data));
    }
    // PFX: a version, then a ContentInfo (RFC 7292 section 4).
    let (version, inside) = element(whole, INTEGER)?;
    let (info, _) = element(inside, SEQUENCE)?;
    let (oid, _) = element(info, OBJECT_IDENTIFIER)?;
    (version == [3] && [DATA, SIGNED_DATA].contains(&oid)).then_some(Content::Pkcs12)
}

/// The certificates of a `SignedData` (RFC 5652 section 5.1). Certificates of other kinds than X.509 are left out.
fn of_signed_data(data: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateFileError> {
    const DAMAGED: CertificateFileError = CertificateFileError::Pkcs7("it is no SignedData");
    let (_, data) = element(data, INTEGER).ok_or(DAMAGED)?;
    let (_, data) = element(data, SET).ok_or(DAMAGED)?;
    let (_, data) = element(data, SEQUENCE).ok_or(DAMAGED)?;
    let Some((mut set, _)) = element(data, CONTEXT_0) else { return Err(CertificateFileError::Pkcs7Empty) };
    let mut certificates = Vec::new();
    while let Some(tag) = set.first() {
        let (_, rest) = element(set, *tag).ok_or(CertificateFileError::Pkcs7("a certificate in it is cut short"))?;
        let (whole, rest) = (&set[..set.len() - rest.len()], rest);
        if *tag == SEQUENCE {
            certificates.push(CertificateDer::from(whole).into_owned());
        }
        if certificates.len() > MAX_CERTIFICATES {
            return Err(CertificateFileError::TooMany);
        }
        set = rest;
    }
    if certificates.is_empty() { Err(CertificateFileError::Pkcs7Empty) } else { Ok(certificates) }
}

/// The content of the first element, which must have this tag and the shortest encoding of its length, and what follows.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = der.strip_prefix(&[tag])?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x0f))?;
            let length = bytes.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
            let shortest = if bytes.len() == 1 { length > 0x7f } else { bytes[0] != 0 };
            (shortest.then_some(length)?, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;

    /// DER of one element.
    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        let head = if content.len() < 0x80 {
            vec![tag, length[1]]
        } else if content.len() < 0x100 {
            vec![tag, 0x81, length[1]]
        } else {
            vec![tag, 0x82, length[0], length[1]]
        };
        [head, content.to_vec()].concat()
    }

    /// What `openssl crl2pkcs7 -nocrl` writes.
    fn pkcs7(certificates: &[&[u8]]) -> Vec<u8> {
        let inner = der(SEQUENCE, &der(OBJECT_IDENTIFIER, DATA));
        let signed = [der(INTEGER, &[1]), der(SET, &[]), inner, der(CONTEXT_0, &certificates.concat()), der(SET, &[])];
        let data = der(CONTEXT_0, &der(SEQUENCE, &signed.concat()));
        der(SEQUENCE, &[der(OBJECT_IDENTIFIER, SIGNED_DATA), data].concat())
    }

    fn made() -> Identity {
        Identity::self_signed(&["localhost".to_owned()], 1).unwrap()
    }

    fn armoured(label: &str, der: &[u8]) -> String {
        pem::encode(label, der).to_string()
    }

    #[test]
    fn one_certificate_in_every_encoding() {
        let identity = made();
        let leaf = identity.leaf();
        let p7 = pkcs7(&[leaf]);
        for (bytes, encoding) in [
            (leaf.to_vec(), CertificateEncoding::Der),
            (identity.chain_pem().into_bytes(), CertificateEncoding::Pem),
            (p7.clone(), CertificateEncoding::Pkcs7Der),
            (armoured("PKCS7", &p7).into_bytes(), CertificateEncoding::Pkcs7Pem),
            (armoured("CMS", &p7).into_bytes(), CertificateEncoding::Pkcs7Pem),
            // As some certification authorities label it.
            (armoured("CERTIFICATE", &p7).into_bytes(), CertificateEncoding::Pkcs7Pem),
        ] {
            let file = read_certificates(&bytes).unwrap();
            assert_eq!(file, CertificateFile { encoding, certificates: vec![leaf.clone()], has_key: false });
        }
    }

    #[test]
    fn a_key_beside_the_certificate_is_passed_over() {
        let identity = made();
        let text = format!("{}{}", &*identity.key_pem(), identity.chain_pem());
        let file = read_certificates(text.as_bytes()).unwrap();
        assert!(file.has_key && file.certificates == identity.chain());
        let alone = read_certificates(identity.key_pem().as_bytes());
        assert_eq!(alone, Err(CertificateFileError::Key));
    }

    #[test]
    fn several_are_read_in_their_order_and_bounded() {
        let (first, second) = (made(), made());
        let file = read_certificates(format!("{}\n{}", second.chain_pem(), first.chain_pem()).as_bytes()).unwrap();
        assert_eq!(file.certificates, [second.leaf().clone(), first.leaf().clone()]);
        let file = read_certificates(&pkcs7(&[first.leaf(), second.leaf()])).unwrap();
        assert_eq!(file.certificates.len(), 2);
        let many = first.chain_pem().repeat(MAX_CERTIFICATES + 1);
        assert_eq!(read_certificates(many.as_bytes()), Err(CertificateFileError::TooMany));
    }

    #[test]
    fn what_is_something_else_is_named() {
        let identity = made();
        let p7 = pkcs7(&[identity.leaf()]);
        let pfx = der(SEQUENCE, &[der(INTEGER, &[3]), der(SEQUENCE, &der(OBJECT_IDENTIFIER, DATA))].concat());
        let damaged =
            der(SEQUENCE, &[der(OBJECT_IDENTIFIER, SIGNED_DATA), der(CONTEXT_0, &der(SEQUENCE, &[]))].concat());
        let mut cut = identity.leaf().to_vec();
        cut.pop();
        for (bytes, words) in [
            (Vec::new(), "is empty"),
            (b" \r\n".to_vec(), "is empty"),
            (b"\xff\xfe-\x00-\x00".to_vec(), "UTF-16"),
            (pfx, "PKCS#12"),
            (vec![0x30, 0x80, 0x06, 0x09], "BER"),
            (damaged, "damaged"),
            (pkcs7(&[]), "holds no certificates"),
            (armoured("PKCS7", &p7).replace("-----END", "-----AND").into_bytes(), "END line"),
            (armoured("PKCS7", &p7).replace("\nM", "\n?").into_bytes(), "not base64"),
            (cut, "neither PEM"),
            ([identity.leaf().to_vec(), vec![0]].concat(), "1 bytes follow"),
            (b"\x7fELF\x02\x01\x01".to_vec(), "it is binary"),
            (b"hello".to_vec(), "begins with `-----BEGIN`"),
            (armoured("CERTIFICATE REQUEST", &p7).into_bytes(), "signing request"),
            (armoured("ENCRYPTED PRIVATE KEY", &p7).into_bytes(), "private key"),
        ] {
            let error = read_certificates(&bytes).unwrap_err().to_string();
            assert!(error.contains(words), "{words}: {error}");
        }
    }
}
