//! What the server does in each trial, and what the client is told to trust in it.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    NameConstraints,
};
use rustls::sign::SigningKey;
use rustls_pki_types::CertificateDer;

use super::{
    Authority, Keys, LIFETIME, OFF, World, authority, common_name, dates, der, i64_of, issue, leaf_params, not_wished,
    rsa_keys::{Handshakes, Hash, RsaKey},
};
use crate::{
    error::Error,
    server::{Act, Old, OldVersion, Seam, Tls, Versions},
    trial::{Foreign, Genuine, Kind, Raw, Reissued, Rsa},
};

/// What the client is to meet.
pub struct Staged {
    /// The certificate whose pins the client holds.
    pub pinned: CertificateDer<'static>,
    /// What it meets until it has accepted once; `None`: the same as later.
    pub first: Option<Act>,
    /// What it meets.
    pub act: Act,
}

/// Whether a trial can be staged.
pub enum Staging {
    /// It can.
    Ready(Box<Staged>),
    /// It cannot, and why.
    LeftOut(&'static str),
}

/// The trial needs the key of the pinned certificate.
const NO_KEY: Staging = Staging::LeftOut("it needs the key of the pinned certificate: give --pin-key");
/// The trial needs a certificate signed with ECDSA P-256.
const NO_ECDSA: Staging = Staging::LeftOut("the pinned certificate is not signed with ECDSA P-256");
/// The private enterprise number that RFC 5612 sets aside for examples.
const UNKNOWN_EXTENSION: &[u64] = &[1, 3, 6, 1, 4, 1, 32473, 1];

impl World {
    /// Prepares one trial.
    ///
    /// # Errors
    /// A library that could not make a certificate.
    pub fn stage(&self, kind: Kind) -> Result<Staging, Error> {
        match (kind, &self.genuine.key) {
            (Kind::Foreign(kind), _) => self.stage_foreign(kind),
            (Kind::Raw(Raw::Plaintext), _) => Ok(ready(self.pinned().clone(), Act::Plaintext)),
            (Kind::Raw(Raw::HugeChain), _) => Ok(ready(self.pinned().clone(), Act::HugeChain)),
            (Kind::Rsa(kind), _) => self.stage_rsa(kind),
            (Kind::Genuine(_) | Kind::Reissued(_), None) => Ok(NO_KEY),
            (Kind::Genuine(kind), Some(keys)) => self.stage_genuine(kind, keys),
            (Kind::Reissued(kind), Some(keys)) => self.stage_reissued(kind, keys),
        }
    }

    fn stage_foreign(&self, kind: Foreign) -> Result<Staging, Error> {
        let attacker = || Arc::clone(&self.attacker.signing);
        let stolen = || Tls::new(self.genuine.chain.clone(), attacker());
        let act = match kind {
            Foreign::Possession => stolen(),
            Foreign::PossessionTls12 => stolen().with(Versions::Only12),
            Foreign::OtherKey => self.impostor()?,
            Foreign::PinnedAppended => {
                let mut act = self.impostor()?;
                act.chain.push(self.pinned().clone());
                act
            }
            Foreign::SelfSigned => {
                let made = leaf_params(&self.names)?.self_signed(&self.attacker.issuing);
                let leaf = made.map_err(Error::making("a certificate"))?.der().clone();
                Tls::new(vec![leaf], attacker())
            }
            Foreign::UnknownRoot => {
                let leaf = issue(&leaf_params(&self.names)?, &self.attacker.issuing, &self.foreign)?;
                Tls::new(vec![leaf, self.foreign.der().clone()], attacker())
            }
            Foreign::EmptyChain => Tls::new(Vec::new(), attacker()),
            Foreign::GarbageCertificate => Tls::new(vec![CertificateDer::from(vec![0x30; 300])], attacker()),
        };
        Ok(self.known(act))
    }

    /// The client holds the pins of the certificate that it knows.
    fn known(&self, act: Tls) -> Staging {
        ready(self.pinned().clone(), Act::Tls(act))
    }

    /// A trusted certificate for the right names with the attacker's key.
    fn impostor(&self) -> Result<Tls, Error> {
        let leaf = issue(&leaf_params(&self.names)?, &self.attacker.issuing, &self.intermediate)?;
        Ok(Tls::new(vec![leaf, self.intermediate.der().clone()], Arc::clone(&self.attacker.signing)))
    }

    /// Trials with the known server's own key, and its own certificate or one that is to be told from it.
    fn stage_genuine(&self, kind: Genuine, keys: &Keys) -> Result<Staging, Error> {
        let right = || Tls::new(self.genuine.chain.clone(), Arc::clone(&keys.signing));
        let with_leaf = |leaf: Vec<u8>| {
            let mut act = right();
            act.chain[0] = CertificateDer::from(leaf);
            act
        };
        let then = |first: Tls| -> Result<Staging, Error> {
            let act = Act::Tls(self.impostor()?);
            Ok(Staging::Ready(Box::new(Staged { pinned: self.pinned().clone(), first: Some(Act::Tls(first)), act })))
        };
        Ok(match kind {
            Genuine::ControlTls12 => self.known(right().with(Versions::Only12)),
            Genuine::SameKey => {
                let leaf = issue(&leaf_params(&self.names)?, &keys.issuing, &self.intermediate)?;
                self.known(Tls::new(vec![leaf, self.intermediate.der().clone()], Arc::clone(&keys.signing)))
            }
            Genuine::ReEncoded => match der::with_long_length(self.pinned()) {
                Some(leaf) => self.known(with_leaf(leaf)),
                None => Staging::LeftOut("the pinned certificate cannot be taken apart"),
            },
            Genuine::SignatureRewritten => match der::with_rewritten_signature(self.pinned()) {
                Some(leaf) => self.known(with_leaf(leaf)),
                None => NO_ECDSA,
            },
            Genuine::PinnedKeyUnknownRoot => {
                let mut params = leaf_params(&self.names)?;
                // Under the subject of the pinned certificate it would be issued by that one, where it is its own root.
                params.distinguished_name = common_name("rogue-edge nobody");
                let made = params.self_signed(&keys.issuing);
                let leaf = made.map_err(Error::making("a certificate"))?.der().clone();
                self.known(Tls::new(vec![leaf], Arc::clone(&keys.signing)))
            }
            Genuine::ChangedOnReconnect => then(right())?,
            Genuine::ChangedOnResumption => then(Tls { tickets: true, ..right() })?,
            Genuine::IntermediateMissing if self.genuine.chain.len() > 1 => {
                let mut act = right();
                act.chain.truncate(1);
                self.known(act)
            }
            Genuine::IntermediateMissing => Staging::LeftOut("the pinned certificate has no intermediate"),
            Genuine::DowngradeMarker => {
                self.known(Tls { seam: Seam::DowngradeMarker, ..right().with(Versions::Only12) })
            }
            Genuine::BadFinishedTls12 => self.known(Tls { seam: Seam::BadFinished, ..right().with(Versions::Only12) }),
            Genuine::BadFinishedTls13 => self.known(Tls { seam: Seam::BadFinished, ..right().with(Versions::Only13) }),
            Genuine::SlowHandshake => self.known(Tls { slow: true, ..right() }),
            Genuine::Control => self.known(right()),
        })
    }

    /// Trials with the pinned key in a certificate that something is wrong with; its own pins are the client's.
    fn stage_reissued(&self, kind: Reissued, keys: &Keys) -> Result<Staging, Error> {
        let signing = || Arc::clone(&keys.signing);
        let changed = |change: &dyn Fn(&mut CertificateParams)| -> Result<Staging, Error> {
            let mut params = leaf_params(&self.names)?;
            change(&mut params);
            let leaf = issue(&params, &keys.issuing, &self.intermediate)?;
            Ok(presented(vec![leaf, self.intermediate.der().clone()], signing()))
        };
        let below = |chain: &[&Authority]| -> Result<Staging, Error> {
            let leaf = issue(&leaf_params(&self.names)?, &keys.issuing, chain[0])?;
            let above = chain.iter().map(|authority| authority.der().clone());
            Ok(presented([leaf].into_iter().chain(above).collect(), signing()))
        };
        match kind {
            Reissued::Expired => changed(&|params| dates(params, -i64_of(OFF) - i64_of(LIFETIME), -i64_of(OFF))),
            Reissued::NotYetValid => changed(&|params| dates(params, i64_of(OFF), i64_of(OFF) + i64_of(LIFETIME))),
            Reissued::CommonNameOnly => changed(&|params| params.subject_alt_names.clear()),
            Reissued::ClientUsageOnly => {
                changed(&|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth])
            }
            Reissued::UnknownCriticalExtension => changed(&|params| {
                let mut extension = CustomExtension::from_oid_content(UNKNOWN_EXTENSION, vec![0x05, 0x00]);
                extension.set_criticality(true);
                params.custom_extensions.push(extension);
            }),
            Reissued::WrongName => self.named("wrong.example", keys),
            Reissued::NulInName => self.named(&format!("{}\0.wrong.example", self.name), keys),
            Reissued::CaTrue => match &self.ca_true {
                Some(leaf) => Ok(presented(vec![leaf.clone()], signing())),
                None => Err(not_wished("the CA:TRUE certificate")),
            },
            Reissued::Sha1Signature => self.weakly_signed(Hash::Sha1, keys),
            Reissued::Md5Signature => self.weakly_signed(Hash::Md5, keys),
            Reissued::NameConstraints => {
                let constrained = authority("rogue-edge constrained", Some(&self.root), |params| {
                    let permitted_subtrees = vec![GeneralSubtree::DnsName("permitted.example".to_owned())];
                    params.name_constraints =
                        Some(NameConstraints { permitted_subtrees, excluded_subtrees: Vec::new() });
                })?;
                below(&[&constrained])
            }
            Reissued::PathLength => {
                let last = authority("rogue-edge last", Some(&self.root), |params| {
                    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
                })?;
                let beyond = authority("rogue-edge beyond the last", Some(&last), |_| ())?;
                below(&[&beyond, &last])
            }
            Reissued::LeafAsIssuer => {
                let ordinary = authority("ordinary.example", Some(&self.intermediate), |params| {
                    params.is_ca = IsCa::ExplicitNoCa;
                })?;
                below(&[&ordinary, &self.intermediate])
            }
            Reissued::BadSignature => {
                let leaf = issue(&leaf_params(&self.names)?, &keys.issuing, &self.intermediate)?;
                let mut bytes = leaf.to_vec();
                if let Some(last) = bytes.last_mut() {
                    *last ^= 1;
                }
                Ok(presented(vec![bytes.into(), self.intermediate.der().clone()], signing()))
            }
        }
    }

    /// The pinned key under this one name.
    fn named(&self, name: &str, keys: &Keys) -> Result<Staging, Error> {
        let params = leaf_params(&[name.to_owned()])?;
        let leaf = issue(&params, &keys.issuing, &self.intermediate)?;
        Ok(presented(vec![leaf, self.intermediate.der().clone()], Arc::clone(&keys.signing)))
    }

    fn weakly_signed(&self, hash: Hash, keys: &Keys) -> Result<Staging, Error> {
        let rsa = self.rsa()?;
        let proper = issue(&leaf_params(&self.names)?, &keys.issuing, &rsa.issuer)?;
        let leaf = rsa.issuing.sign_again(hash, &proper).ok_or_else(|| Error::Making {
            what: "a weakly signed certificate",
            reason: "the certificate cannot be taken apart".to_owned(),
        })?;
        Ok(presented(vec![leaf.into()], Arc::clone(&keys.signing)))
    }

    /// Trials whose server has an RSA key of its own, pinned as it is.
    fn stage_rsa(&self, kind: Rsa) -> Result<Staging, Error> {
        let rsa = self.rsa()?;
        let leaf = |key: &RsaKey| issue(&leaf_params(&self.names)?, key, &rsa.issuer);
        let old = |version| -> Result<Staging, Error> {
            let chain = vec![leaf(&rsa.leaf)?];
            Ok(ready(chain[0].clone(), Act::Old(Old { version, chain, key: Arc::clone(&rsa.leaf) })))
        };
        match kind {
            Rsa::Tls10 => old(OldVersion::Tls10),
            Rsa::Tls11 => old(OldVersion::Tls11),
            Rsa::Md5Handshake => {
                let act = Tls::new(vec![leaf(&rsa.leaf)?], Handshakes::with(&rsa.leaf, Hash::Md5));
                Ok(ready(act.chain[0].clone(), Act::Tls(act.with(Versions::Only12))))
            }
            Rsa::Rsa1024 => Ok(presented(vec![leaf(&rsa.short)?], Handshakes::proper(&rsa.short))),
        }
    }
}

fn ready(pinned: CertificateDer<'static>, act: Act) -> Staging {
    Staging::Ready(Box::new(Staged { pinned, first: None, act }))
}

/// The client holds the pins of what is presented.
fn presented(chain: Vec<CertificateDer<'static>>, key: Arc<dyn SigningKey>) -> Staging {
    let pinned = chain[0].clone();
    ready(pinned, Act::Tls(Tls::new(chain, key)))
}
