//! Whether the chain leads to a root, by the library that every client of the relay uses.

use std::slice;

use relay_trust::{ChainError, Roots, verify_path};

use super::{ChainAnswer, Finding, NamedRoots, Questions, strength};
use crate::{
    codes::Code,
    evidence::{Certificate, Chain},
};

pub fn judge(chain: &Chain, sets: &[NamedRoots], at: i64) -> Vec<ChainAnswer> {
    if sets.is_empty() {
        let finding = Finding::not_asked(Code::CHAIN_NOT_ASKED, "no roots were given");
        return vec![ChainAnswer { roots: "none".to_owned(), answer: finding.into() }];
    }
    sets.iter().map(|set| ChainAnswer { roots: set.name.clone(), answer: by(chain, set, at).into() }).collect()
}

fn by(chain: &Chain, set: &NamedRoots, at: i64) -> Finding {
    let Certificate { der, not_before, not_after, .. } = &chain.leaf;
    // Whether the server's own certificate is valid is another question; the chain is judged in its lifetime.
    let when = if not_before <= not_after { at.clamp(*not_before, *not_after) } else { at };
    let apart = if when == at { "" } else { ", its dates apart" };
    match verify_path(der, &chain.intermediates, &set.roots, Questions::unix_time(when)) {
        Ok(()) => Finding::ok(Code::CHAIN_OK, format!("it leads to a root{apart}")),
        Err(ChainError::BadSignature) if signed_by_itself(&chain.leaf, when) => Finding::fail(
            Code::CHAIN_SELF_SIGNED,
            "it is self-signed and not among the roots, which have another of its name",
            SELF_SIGNED_REMEDY,
        ),
        Err(error) => refusal(chain, &error),
    }
}

/// What to do about a self-signed certificate that is no root.
const SELF_SIGNED_REMEDY: &str =
    "if clients have it as their root, give its file with --roots; otherwise take a certificate of an authority";

/// Whether its own key signed it. `CN=localhost` is on many a certificate, and Debian's ssl-cert puts one among the roots.
fn signed_by_itself(leaf: &Certificate, when: i64) -> bool {
    let itself = || Roots::from_der(slice::from_ref(&leaf.der));
    leaf.self_issued
        && itself().is_ok_and(|root| verify_path(&leaf.der, &[], &root, Questions::unix_time(when)).is_ok())
}

#[expect(clippy::wildcard_enum_match_arm, reason = "relay_trust's enum may grow: what it adds is refused too")]
fn refusal(chain: &Chain, error: &ChainError) -> Finding {
    let (code, text, remedy) = match error {
        ChainError::UnknownIssuer => return unknown_issuer(chain),
        ChainError::CaAsServer => (
            Code::CHAIN_CA_AS_SERVER,
            "the server's own certificate says CA:TRUE, so it may not identify a server".to_owned(),
            "reissue with CA:FALSE (openssl: -addext basicConstraints=critical,CA:FALSE)",
        ),
        ChainError::IssuerIsNoCa => (
            Code::CHAIN_ISSUER_IS_NO_CA,
            "a certificate of the chain was issued by one that is no certification authority".to_owned(),
            "reissue the chain from an authority",
        ),
        ChainError::WrongPurpose => (
            Code::CHAIN_PURPOSE,
            "its extended key usage does not list serverAuth".to_owned(),
            "reissue with the extended key usage serverAuth",
        ),
        // The library does not compute with such keys, and so says of every signature that it is wrong.
        ChainError::BadSignature if short_rsa(chain) => (
            Code::CHAIN_WEAK,
            "the chain is signed with an RSA key of less than 2,048 bits".to_owned(),
            "reissue it with ECDSA P-256 and SHA-256",
        ),
        ChainError::BadSignature => (
            Code::CHAIN_SIGNATURE,
            "it is not signed by the root of its issuer's name".to_owned(),
            "update the roots if the root was replaced; otherwise the certificate was altered",
        ),
        ChainError::WeakSignature => (
            Code::CHAIN_WEAK,
            "the chain is signed with an algorithm or key that is no longer accepted".to_owned(),
            "reissue it with ECDSA P-256 and SHA-256",
        ),
        ChainError::Malformed(reason) => {
            (Code::CHAIN_MALFORMED, format!("clients do not read it: {reason}"), "reissue it with a current tool")
        }
        ChainError::Expired { .. } | ChainError::NotYetValid { .. } => (
            Code::CHAIN_EXPIRED,
            "an issuer of the chain is not valid at this time".to_owned(),
            "send a current intermediate certificate",
        ),
        ChainError::Revoked(reason) | ChainError::Other(reason) => {
            (Code::CHAIN_REFUSED, format!("the chain was refused: {reason}"), "reissue the chain")
        }
        other => (Code::CHAIN_REFUSED, format!("the chain was refused: {other}"), "reissue the chain"),
    };
    Finding::fail(code, text, remedy)
}

/// Whether a key that signed part of the chain is RSA and too short: an issuer's, or that of a certificate of its own.
fn short_rsa(chain: &Chain) -> bool {
    let own = Some(&chain.leaf).filter(|leaf| leaf.self_issued);
    own.into_iter().chain(&chain.issuers).any(|signer| strength::is_short(&signer.key))
}

fn unknown_issuer(chain: &Chain) -> Finding {
    let leaf = &chain.leaf;
    if leaf.self_issued {
        return Finding::fail(Code::CHAIN_SELF_SIGNED, "it is self-signed and not among the roots", SELF_SIGNED_REMEDY);
    }
    if chain.intermediates.is_empty() {
        return Finding::fail(
            Code::CHAIN_INCOMPLETE,
            format!(
                "the server sends no intermediate certificate, and no root issued it; its issuer is {}",
                leaf.issuer
            ),
            "configure the full chain at the server: its own certificate first, then the intermediates",
        );
    }
    let last = chain.issuers.last().unwrap_or(leaf);
    Finding::fail(
        Code::CHAIN_UNKNOWN_ISSUER,
        format!("none of the roots issued the chain; it ends at {}", last.issuer),
        "give clients that authority's root, or take a certificate from one that they know",
    )
}

#[cfg(test)]
mod tests {
    use relay_trust::Identity;

    use super::*;
    use crate::verdict::Level;

    #[test]
    fn a_root_of_the_same_name_does_not_make_a_self_signed_certificate_an_altered_one() {
        let made = || Identity::self_signed(&["localhost".to_owned()], 30).unwrap().leaf().clone();
        let (root, other) = (made(), made());
        let set = |root| NamedRoots {
            name: "a.pem".to_owned(),
            roots: Roots::from_der(slice::from_ref(root)).unwrap(),
            named: Vec::new(),
        };
        let chain = Chain::read(vec![other.clone()]).unwrap();
        let at = chain.leaf.not_before + 60;
        let found = by(&chain, &set(&root), at);
        assert_eq!((found.level, found.code), (Level::Fail, Code::CHAIN_SELF_SIGNED), "{}", found.text);
        assert_eq!(by(&chain, &set(&other), at).code, Code::CHAIN_OK);
        // Its own signature spoiled, it is one that was altered.
        let mut bytes = other.to_vec();
        *bytes.last_mut().unwrap() ^= 1;
        let altered = Chain::read(vec![bytes.into()]).unwrap();
        assert_eq!(by(&altered, &set(&root), at).code, Code::CHAIN_SIGNATURE);
    }
}
