//! Files of certificates in every encoding: what is read is what a second reader finds, and is the same in each of them.
//!
//! The second reader walks DER element by element, and takes PEM only where it is as RFC 7468 writes it.

use data_encoding::BASE64;
use fastrand::Rng;
use relay_trust::{CertificateEncoding, CertificateFile, CertificateFileError, MAX_CERTIFICATES, read_certificates};

use super::{
    pem_of, seeds as certificates, shown,
    tree::{self, Node},
    view::{self, Element},
};
use crate::{finding, run::bounded};

/// The name of this oracle in findings.
const ORACLE: &str = "certificate_files";
/// Memory that reading may hold: per byte of input, and beside it.
const MEMORY_FACTOR: usize = 64;
const MEMORY_ALLOWANCE: usize = 16 << 10;

/// `id-signedData`, `id-data`.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];

/// Files of certificates hold what a second reader finds in them, whatever the encoding.
pub fn oracle(data: &[u8]) {
    let read = bounded(ORACLE, data.len(), MEMORY_FACTOR, MEMORY_ALLOWANCE, || read_certificates(data));
    let second = second(data);
    match (read, second) {
        (Err(error), None) => shown(&error.to_string()),
        (Err(CertificateFileError::TooMany), Some(_)) => {}
        (Err(error), Some(found)) => {
            finding(ORACLE, format_args!("refused, and the second reader finds some: {error}"), found.len());
        }
        (Ok(file), found) => {
            if found
                .is_some_and(|found| !found.iter().map(Vec::as_slice).eq(file.certificates.iter().map(|der| &**der)))
            {
                finding(ORACLE, "other certificates than the second reader's", format_args!("{file:?}"));
            }
            same_in_every_encoding(data, &file);
        }
    }
}

fn same_in_every_encoding(data: &[u8], file: &CertificateFile) {
    let certificates: Vec<&[u8]> = file.certificates.iter().map(|der| &**der).collect();
    if certificates.is_empty() || certificates.len() > MAX_CERTIFICATES {
        return finding(ORACLE, "none, or more than the bound", certificates.len());
    }
    if file.encoding == CertificateEncoding::Der && certificates != [data] {
        finding(ORACLE, "DER: another certificate than the file", "");
    }
    // A PKCS#7 in a section labelled CERTIFICATE is read as what it is, so such a section cannot be written as another.
    if certificates.iter().any(|der| signed_data(der).is_some()) {
        return;
    }
    let pem: String = certificates.iter().map(|der| pem_of(der)).collect();
    // In PKCS#7 only what is one element each can be told from its neighbour.
    let whole = |der: &&[u8]| view::all(der).is_some_and(|all| matches!(all.as_slice(), [one] if one.tag == 0x30));
    let mut written = vec![(CertificateEncoding::Pem, pem.into_bytes())];
    if certificates.iter().all(whole) {
        let p7 = pkcs7(&certificates);
        written.push((CertificateEncoding::Pkcs7Pem, armoured("PKCS7", &p7).into_bytes()));
        written.push((CertificateEncoding::Pkcs7Der, p7));
    }
    for (encoding, bytes) in written {
        let again = read_certificates(&bytes);
        let same = again
            .as_ref()
            .is_ok_and(|again| again.encoding == encoding && again.certificates == file.certificates && !again.has_key);
        if !same {
            finding(ORACLE, format_args!("not the same as {}", encoding.name()), format_args!("{again:?}"));
        }
    }
}

/// What the file must hold, where the second reader is sure; `None` where it is not.
fn second(data: &[u8]) -> Option<Vec<Vec<u8>>> {
    if data.starts_with(&[0x30]) {
        return signed_data(data);
    }
    strict_pem(std::str::from_utf8(data).ok()?)
}

/// The certificates of a PKCS#7 file in DER; `None` if there are none.
fn signed_data(data: &[u8]) -> Option<Vec<Vec<u8>>> {
    let [info]: [Element<'_>; 1] = view::all(data)?.try_into().ok()?;
    let [oid, wrapped]: [Element<'_>; 2] = view::all(info.content)?.try_into().ok()?;
    let [signed]: [Element<'_>; 1] = view::all(wrapped.content)?.try_into().ok()?;
    let parts = view::all(signed.content)?;
    let tags: Vec<u8> = parts.iter().map(|part| part.tag).collect();
    let expected =
        [info.tag, oid.tag, wrapped.tag, signed.tag] == [0x30, 0x06, 0xa0, 0x30] && oid.content == SIGNED_DATA;
    if !expected || !tags.starts_with(&[0x02, 0x31, 0x30, 0xa0]) {
        return None;
    }
    let certificates: Vec<Vec<u8>> =
        view::all(parts[3].content)?.iter().filter(|one| one.tag == 0x30).map(|one| one.whole.to_vec()).collect();
    (!certificates.is_empty()).then_some(certificates)
}

/// Sections of certificates alone, each as an encoder writes it.
fn strict_pem(text: &str) -> Option<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (body, behind) =
            rest.strip_prefix("-----BEGIN CERTIFICATE-----\n")?.split_once("-----END CERTIFICATE-----\n")?;
        let der = BASE64.decode(body.replace('\n', "").as_bytes()).ok()?;
        if pem_of(&der) != rest[..rest.len() - behind.len()] || names_signed_data(&der) {
            return None;
        }
        found.push(der);
        rest = behind;
    }
    (!found.is_empty()).then_some(found)
}

/// Whether it begins as PKCS#7 does, whatever follows.
fn names_signed_data(der: &[u8]) -> bool {
    der.windows(SIGNED_DATA.len()).take(16).any(|window| window == SIGNED_DATA)
}

fn armoured(label: &str, der: &[u8]) -> String {
    pem_of(der).replace("CERTIFICATE", label)
}

/// What `openssl crl2pkcs7 -nocrl` writes.
fn pkcs7(certificates: &[&[u8]]) -> Vec<u8> {
    let raw = |der: &&[u8]| tree::read(der).unwrap_or_default();
    let inner = Node::nodes(0x30, [Node::bytes(0x06, DATA)]);
    let set: Vec<Node> = certificates.iter().flat_map(raw).collect();
    let signed = Node::nodes(
        0x30,
        [Node::bytes(0x02, [1]), Node::nodes(0x31, []), inner, Node::nodes(0xa0, set), Node::nodes(0x31, [])],
    );
    tree::write(&[Node::nodes(0x30, [Node::bytes(0x06, SIGNED_DATA), Node::nodes(0xa0, [signed])])])
}

/// Real inputs to begin with: the same certificates in every encoding, and what people take for one.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let (one, two) = ([certificates::SERVER], [certificates::ISSUED, certificates::AUTHORITY]);
    let mut all = vec![certificates::SERVER.to_vec(), certificates::VERSION1.to_vec()];
    for certificates in [&one[..], &two[..]] {
        let p7 = pkcs7(certificates);
        all.push(certificates.iter().map(|der| pem_of(der)).collect::<String>().into_bytes());
        for label in ["PKCS7", "CMS", "CERTIFICATE"] {
            all.push(armoured(label, &p7).into_bytes());
        }
        all.push(p7);
    }
    let pfx = [Node::nodes(0x30, [Node::bytes(0x02, [3]), Node::nodes(0x30, [Node::bytes(0x06, DATA)])])];
    all.push(tree::write(&pfx));
    all.push(pkcs7(&[]));
    all.push([b"subject=CN = edge\r\n", pem_of(certificates::SERVER).replace('\n', "\r\n").as_bytes()].concat());
    all.push(
        format!("{}-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", pem_of(certificates::SERVER))
            .into_bytes(),
    );
    all.extend([&b""[..], b"\n", b"\xff\xfe-\0-\0", b"\x30\x80\x06\x09"].map(<[u8]>::to_vec));
    all
}

/// Another encoding of a few certificates, or the elements of the input changed, then perhaps armoured.
pub fn mutate(input: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    let mut bytes = if chance.u8(..3) == 0 {
        let some: Vec<&[u8]> =
            (0..1 + chance.usize(..3)).map(|_| certificates::ALL[chance.usize(..certificates::ALL.len())]).collect();
        pkcs7(&some)
    } else {
        input.to_vec()
    };
    if let Some(changed) = super::mutate(&bytes, max_len, chance) {
        bytes = changed;
    }
    match chance.u8(..8) {
        0 => bytes = armoured(["PKCS7", "CMS", "CERTIFICATE", "X509 CRL"][chance.usize(..4)], &bytes).into_bytes(),
        1 => bytes.push([b'\n', 0, b'-'][chance.usize(..3)]),
        2 => bytes.truncate(chance.usize(..=bytes.len())),
        _ => {}
    }
    (bytes.len() <= max_len).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::targets::CERTIFICATE_FILES;

    #[test]
    fn seeds_and_mutants_hold_and_reach_every_encoding() {
        let seeds = seeds();
        let mut chance = Rng::with_seed(1);
        let mut seen = BTreeSet::new();
        for round in 0..6_000 {
            let seed = chance.choice(&seeds).expect("a seed");
            let data = if round < seeds.len() {
                seeds[round].clone()
            } else {
                mutate(seed, 4096, &mut chance).unwrap_or_else(|| seed.clone())
            };
            crate::run::judge(&CERTIFICATE_FILES, &data).unwrap_or_else(|(class, detail)| {
                panic!("{class}: {detail}\n{}", data_encoding::HEXLOWER.encode(&data))
            });
            seen.insert(read_certificates(&data).map_or_else(
                |error| format!("{error:?}").split(['(', ' ']).next().unwrap_or_default().to_owned(),
                |file| file.encoding.name().to_owned(),
            ));
        }
        for wanted in
            ["PEM", "DER", "PKCS#7 (PEM)", "PKCS#7 (DER)", "Empty", "Utf16", "Pkcs12", "Ber", "Pkcs7", "Pkcs7Empty"]
        {
            assert!(seen.contains(wanted), "{wanted} of {seen:?}");
        }
    }
}
