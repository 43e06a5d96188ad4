//! All keys and certificates of one run, made on the spot: the server that the client knows, those who pretend to be it, and
//! the roots that the client trusts.

mod der;
mod names;
pub mod rsa_keys;
mod stage;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SigningKey as IssuingKey, date_time_ymd,
};
use rustls::sign::SigningKey;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject};

use crate::{
    error::Error,
    trial::{Kind, Reissued},
};

pub use stage::{Staged, Staging};

use rsa_keys::{Issuing, RsaKey};

/// Certificates begin this much in the past, for clients whose clocks are a little behind.
const BACKDATED: Duration = Duration::from_secs(3600);
/// How long they live.
const LIFETIME: Duration = Duration::from_secs(90 * 86_400);
/// By how much a certificate is out of date where it is to be.
const OFF: Duration = Duration::from_secs(30 * 86_400);
/// The largest certificate or key file that is read.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// The certificate that the client knows already, instead of one made for the run.
#[derive(Clone, Debug)]
pub struct PinOf {
    /// Its chain, in PEM.
    pub certificate: PathBuf,
    /// Its key, in PEM; without it the trials that need the key are left out.
    pub key: Option<PathBuf>,
}

/// How the world is to be.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// The name that the client asks for; else the first one of `pin_of`, else `localhost`.
    pub name: Option<String>,
    /// Further addresses by which the listener is reached.
    pub addresses: Vec<String>,
    /// What the client knows already.
    pub pin_of: Option<PinOf>,
    /// Which trials there will be: RSA keys take a moment, and are made only for those that need them.
    pub kinds: Vec<Kind>,
}

/// Issues certificates.
type Authority = CertifiedIssuer<'static, KeyPair>;

/// The server that the client is to accept.
struct Genuine {
    chain: Vec<CertificateDer<'static>>,
    /// `None`: it was given without its key.
    key: Option<Keys>,
}

/// One key in both of its shapes.
struct Keys {
    issuing: KeyPair,
    signing: Arc<dyn SigningKey>,
}

impl Keys {
    fn generate() -> Result<Self, Error> {
        Self::of(KeyPair::generate().map_err(Error::making("a key"))?)
    }

    fn of(issuing: KeyPair) -> Result<Self, Error> {
        let der = PrivatePkcs8KeyDer::from(issuing.serialize_der());
        let provider = relay_trust::provider();
        let signing = provider.key_provider.load_private_key(der.into()).map_err(Error::making("a key"))?;
        Ok(Self { issuing, signing })
    }
}

/// What the trials with RSA need.
struct RsaWorld {
    root: CertificateDer<'static>,
    issuer: Issuer<'static, Issuing>,
    issuing: Arc<RsaKey>,
    leaf: Arc<RsaKey>,
    short: Arc<RsaKey>,
}

/// All keys and certificates of one run.
pub struct World {
    /// The name that the client is to ask for.
    pub name: String,
    names: Vec<String>,
    root: Authority,
    intermediate: Authority,
    foreign: Authority,
    attacker: Keys,
    genuine: Genuine,
    ca_true: Option<CertificateDer<'static>>,
    rsa: Option<RsaWorld>,
}

impl World {
    /// Makes it.
    ///
    /// # Errors
    /// A file that cannot be used, a name that is none, a library that could not make a key.
    pub fn make(wishes: &Wishes) -> Result<Self, Error> {
        let given = wishes.pin_of.as_ref().map(read_given).transpose()?;
        let known = given.as_ref().map(|given| names::of_certificate(&given.chain[0])).unwrap_or_default();
        let name = wishes.name.clone().or_else(|| known.first().cloned()).unwrap_or_else(|| "localhost".to_owned());
        let mut names = vec![name.clone()];
        let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        for further in known.into_iter().chain(local).chain(wishes.addresses.iter().cloned()) {
            if !names.contains(&further) {
                names.push(further);
            }
        }
        names::check(&names)?;
        let root = authority("rogue-edge root", None, |_| ())?;
        let intermediate = authority("rogue-edge intermediate", Some(&root), |_| ())?;
        let genuine = match given {
            Some(given) => given,
            None => {
                let keys = Keys::generate()?;
                let leaf = issue(&leaf_params(&names)?, &keys.issuing, &intermediate)?;
                Genuine { chain: vec![leaf, intermediate.der().clone()], key: Some(keys) }
            }
        };
        let mut world = Self {
            name,
            names,
            foreign: authority("rogue-edge stranger", None, |_| ())?,
            attacker: Keys::generate()?,
            root,
            intermediate,
            genuine,
            ca_true: None,
            rsa: None,
        };
        if wishes.kinds.contains(&Kind::Reissued(Reissued::CaTrue)) {
            world.ca_true = world.make_ca_true()?;
        }
        if wishes.kinds.iter().any(|kind| needs_rsa(*kind)) {
            world.rsa = Some(make_rsa()?);
        }
        Ok(world)
    }

    /// The certificate that the client knows.
    #[must_use]
    pub fn pinned(&self) -> &CertificateDer<'static> {
        &self.genuine.chain[0]
    }

    /// Every root that the client is to trust, in PEM.
    #[must_use]
    pub fn roots_pem(&self) -> String {
        let last = self.genuine.chain.last().filter(|last| *last != self.intermediate.der());
        let all = [Some(self.root.der()), self.rsa.as_ref().map(|rsa| &rsa.root), self.ca_true.as_ref(), last];
        all.into_iter().flatten().map(pem).collect()
    }

    fn rsa(&self) -> Result<&RsaWorld, Error> {
        self.rsa.as_ref().ok_or_else(|| not_wished("the RSA keys"))
    }

    /// `CA:TRUE` and its own root, as `openssl req -x509` makes them.
    fn make_ca_true(&self) -> Result<Option<CertificateDer<'static>>, Error> {
        let Some(keys) = &self.genuine.key else { return Ok(None) };
        let mut params = leaf_params(&self.names)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages.clear();
        params.extended_key_usages.clear();
        let made = params.self_signed(&keys.issuing).map_err(Error::making("a certificate"))?;
        Ok(Some(made.der().clone()))
    }
}

fn needs_rsa(kind: Kind) -> bool {
    matches!(kind, Kind::Rsa(_) | Kind::Reissued(Reissued::Sha1Signature | Reissued::Md5Signature))
}

/// A trial that was not announced when the world was made.
fn not_wished(what: &'static str) -> Error {
    Error::Making { what, reason: "no trial was announced that needs them".to_owned() }
}

fn make_rsa() -> Result<RsaWorld, Error> {
    let issuing = RsaKey::generate()?;
    let params = authority_params("rogue-edge RSA root");
    let root = params.self_signed(&Issuing(Arc::clone(&issuing))).map_err(Error::making("an RSA root"))?.der().clone();
    let issuer = Issuer::new(params, Issuing(Arc::clone(&issuing)));
    Ok(RsaWorld { root, issuer, issuing, leaf: RsaKey::generate()?, short: RsaKey::generate_short()? })
}

fn read_given(pin_of: &PinOf) -> Result<Genuine, Error> {
    let text = read(&pin_of.certificate)?;
    let wrong = |path: &Path, what: &str| Error::Usage(format!("{}: {what}", path.display()));
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let chain = chain.map_err(|error| wrong(&pin_of.certificate, &format!("not a PEM file: {error}")))?;
    let Some(leaf) = chain.first() else {
        return Err(wrong(
            &pin_of.certificate,
            "there is no certificate in it; give it in PEM (-----BEGIN CERTIFICATE-----)",
        ));
    };
    let spki = relay_trust::peer_spki(leaf).map_err(|error| wrong(&pin_of.certificate, &error.to_string()))?;
    let Some(path) = &pin_of.key else { return Ok(Genuine { chain, key: None }) };
    let text = String::from_utf8_lossy(&read(path)?).into_owned();
    let pair = KeyPair::from_pem(&text).map_err(|error| wrong(path, &format!("no usable private key: {error}")))?;
    if pair.subject_public_key_info() != spki {
        return Err(wrong(path, &format!("this key does not belong to {}", pin_of.certificate.display())));
    }
    Ok(Genuine { chain, key: Some(Keys::of(pair)?) })
}

/// A file of the user's, up to a bound.
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let size = std::fs::metadata(path).map_err(Error::file("read", path))?.len();
    if size > FILE_BYTES_MAX {
        return Err(Error::Usage(format!("{}: {size} bytes are too many for a certificate or a key", path.display())));
    }
    std::fs::read(path).map_err(Error::file("read", path))
}

/// A certificate in PEM.
#[must_use]
pub fn pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|start| &text[start..text.len().min(start + 64)]).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// What a server's certificate is, if nothing is wrong with it.
fn leaf_params(names: &[String]) -> Result<CertificateParams, Error> {
    let mut params = CertificateParams::default();
    dates(&mut params, -i64_of(BACKDATED), i64_of(LIFETIME));
    params.distinguished_name = common_name(names.first().map_or("", String::as_str));
    params.subject_alt_names = names::alternative(names)?;
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    dates(&mut params, -2 * i64_of(OFF) - i64_of(LIFETIME), 4 * i64_of(LIFETIME));
    params.distinguished_name = common_name(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign, KeyUsagePurpose::DigitalSignature];
    params
}

/// A new authority, self-signed or below another one.
fn authority(
    name: &str,
    parent: Option<&Authority>,
    change: impl FnOnce(&mut CertificateParams),
) -> Result<Authority, Error> {
    let mut params = authority_params(name);
    change(&mut params);
    let key = KeyPair::generate().map_err(Error::making("a key"))?;
    let made = match parent {
        None => CertifiedIssuer::self_signed(params, key),
        Some(parent) => CertifiedIssuer::signed_by(params, key, parent),
    };
    made.map_err(Error::making("an authority"))
}

fn issue(
    params: &CertificateParams,
    key: &impl PublicKeyData,
    issuer: &Issuer<'_, impl IssuingKey>,
) -> Result<CertificateDer<'static>, Error> {
    Ok(params.signed_by(key, issuer).map_err(Error::making("a certificate"))?.der().clone())
}

fn common_name(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    // RFC 5280 appendix A: 64 characters at most.
    names.push(DnType::CommonName, name.chars().take(64).collect::<String>());
    names
}

fn i64_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// Valid from `start` to `end`, in seconds from now.
fn dates(params: &mut CertificateParams, start: i64, end: i64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let at = |offset: i64| date_time_ymd(1970, 1, 1) + Duration::from_secs(now.saturating_add_signed(offset));
    params.not_before = at(start);
    params.not_after = at(end);
}
