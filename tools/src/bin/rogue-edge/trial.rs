//! The trials: what each presents, what a correct client does, and which real mistake it reproduces. Data, and how it is read.

use serde::Serialize;

mod certificates;
mod handshakes;
mod pins;

/// What a client must check in order to notice what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// What every TLS client does, whatever it trusts: possession, Finished, versions, strength.
    Tls,
    /// Compares the whole certificate with a pin.
    LeafPin,
    /// Compares the certificate's key with a pin.
    SpkiPin,
    /// The chain to a root, with dates, names and what extensions say.
    Chain,
}

/// What a trial does on the wire, by what it needs; each is staged in `world/stage.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Without the key of the certificate that the client knows.
    Foreign(Foreign),
    /// With that key: the known server itself, or one that is to be told from it.
    Genuine(Genuine),
    /// With that key, in a certificate that something is wrong with.
    Reissued(Reissued),
    /// With an RSA key of its own.
    Rsa(Rsa),
    /// Not TLS, or not much of it.
    Raw(Raw),
}

/// Without the key of the certificate that the client knows. Each is described by its trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the trial says it")]
pub enum Foreign {
    Possession,
    PossessionTls12,
    OtherKey,
    PinnedAppended,
    SelfSigned,
    UnknownRoot,
    EmptyChain,
    GarbageCertificate,
}

/// With that key: the known server itself, or one that is to be told from it. Each is described by its trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the trial says it")]
pub enum Genuine {
    Control,
    ControlTls12,
    SameKey,
    ReEncoded,
    SignatureRewritten,
    PinnedKeyUnknownRoot,
    ChangedOnReconnect,
    ChangedOnResumption,
    IntermediateMissing,
    DowngradeMarker,
    BadFinishedTls12,
    BadFinishedTls13,
    SlowHandshake,
}

/// With that key, in a certificate that something is wrong with. Each is described by its trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the trial says it")]
pub enum Reissued {
    Expired,
    NotYetValid,
    WrongName,
    CommonNameOnly,
    NulInName,
    CaTrue,
    ClientUsageOnly,
    Sha1Signature,
    Md5Signature,
    UnknownCriticalExtension,
    NameConstraints,
    PathLength,
    LeafAsIssuer,
    BadSignature,
}

/// With an RSA key of its own. Each is described by its trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the trial says it")]
pub enum Rsa {
    Rsa1024,
    Md5Handshake,
    Tls10,
    Tls11,
}

/// Not TLS, or not much of it. Each is described by its trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the trial says it")]
pub enum Raw {
    Plaintext,
    HugeChain,
}

/// What a client of some kind has to do in a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// Refuse, without a byte of application data.
    Refuse,
    /// Accept.
    Accept,
    /// It declares none of the checks that would tell: either is right.
    Either,
}

/// One trial.
#[derive(Debug)]
pub struct Trial {
    /// What `--trial` takes.
    pub name: &'static str,
    /// What the server presents, in one line.
    pub presents: &'static str,
    /// What it does on the wire.
    pub kind: Kind,
    /// Any of these checks notices it; none: nothing is wrong, and the client must accept.
    pub noticed_by: &'static [Check],
    /// What a correct client does, and why.
    pub correct: &'static str,
    /// The mistake of real clients that it reproduces.
    pub mistake: &'static str,
    /// Where that is known from.
    pub source: &'static str,
}

/// What the client under test pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ClientPins {
    /// The SHA-256 of the certificate.
    Leaf,
    /// The SHA-256 of its key (curl, OkHttp, RFC 7469); or the key as first seen.
    Spki,
    /// Nothing: it trusts every certificate of its roots.
    None,
}

/// Whether the client under test checks chain, dates and name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum ClientChain {
    /// It does, or should.
    Checked,
    /// By design it looks at the pin alone.
    Ignored,
}

/// What the client under test claims to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Declared {
    /// What it pins.
    pub pins: ClientPins,
    /// Whether it checks the chain.
    pub chain: ClientChain,
}

impl Declared {
    /// Whether a client of this kind makes `check`.
    #[must_use]
    pub fn makes(self, check: Check) -> bool {
        match check {
            Check::Tls => true,
            // Whoever compares keys has nothing to say of the rest of the certificate.
            Check::LeafPin => self.pins == ClientPins::Leaf,
            // Another key makes another certificate too.
            Check::SpkiPin => self.pins != ClientPins::None,
            Check::Chain => self.chain == ClientChain::Checked,
        }
    }
}

impl Trial {
    /// What a client that makes the `declared` checks has to do.
    #[must_use]
    pub fn expected(&self, declared: Declared) -> Expected {
        match self.kind {
            Kind::Genuine(Genuine::Control | Genuine::ControlTls12) => Expected::Accept,
            // Nothing in these is wrong but for those who pinned the certificate itself.
            Kind::Genuine(Genuine::SameKey | Genuine::SignatureRewritten) if declared.pins != ClientPins::Leaf => {
                Expected::Accept
            }
            Kind::Foreign(_) | Kind::Genuine(_) | Kind::Reissued(_) | Kind::Rsa(_) | Kind::Raw(_) => {
                let noticed = self.noticed_by.iter().any(|check| declared.makes(*check));
                if noticed { Expected::Refuse } else { Expected::Either }
            }
        }
    }

    /// Of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<&'static Self> {
        all().find(|trial| trial.name == name)
    }
}

/// Every trial, the control first.
pub fn all() -> impl Iterator<Item = &'static Trial> {
    pins::TRIALS.iter().chain(certificates::TRIALS).chain(handshakes::TRIALS)
}

/// The control: every run begins with it, because the others are judged against what the client does there.
pub const CONTROL: &Trial = &pins::TRIALS[0];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_texts_complete() {
        let names: BTreeSet<_> = all().map(|trial| trial.name).collect();
        assert_eq!(names.len(), all().count());
        assert!(names.len() >= 25);
        for trial in all() {
            for text in [trial.presents, trial.correct, trial.mistake, trial.source] {
                assert!(text.len() >= 8 && !text.contains("  "), "{}: {text:?}", trial.name);
            }
        }
        assert_eq!(CONTROL.kind, Kind::Genuine(Genuine::Control));
    }

    #[test]
    fn what_is_expected_follows_from_what_the_client_declares() {
        let expected = |name: &str, pins, chain| Trial::by_name(name).unwrap().expected(Declared { pins, chain });
        use ClientChain::{Checked, Ignored};
        use ClientPins::{Leaf, None, Spki};
        for chain in [Checked, Ignored] {
            assert_eq!(expected("same-key", Leaf, chain), Expected::Refuse);
            assert_eq!(expected("same-key", Spki, chain), Expected::Accept);
            for pins in [Leaf, Spki, None] {
                assert_eq!(expected("control", pins, chain), Expected::Accept);
                assert_eq!(expected("possession", pins, chain), Expected::Refuse);
            }
        }
        assert_eq!(expected("expired", Spki, Checked), Expected::Refuse);
        assert_eq!(expected("expired", Spki, Ignored), Expected::Either);
        assert_eq!(expected("other-key", None, Checked), Expected::Either);
        assert_eq!(expected("self-signed", None, Checked), Expected::Refuse);
        assert_eq!(expected("self-signed", Leaf, Ignored), Expected::Refuse);
    }
}
