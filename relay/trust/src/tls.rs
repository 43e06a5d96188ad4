//! TLS configurations: one place for what every connection of the project has in common.
//!
//! TLS 1.2 only with the extended master secret (RFC 7627; the exporter is worth nothing without it), no resumption and
//! no tickets (every handshake proves possession anew), no key log, no early data.

use std::sync::{Arc, OnceLock};

use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, ResolvesServerCert, StoresServerSessions};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ConfigBuilder, ServerConfig, WantsVerifier};

use crate::identity::Identity;
use crate::verifier::{ExpectedKey, device_key_verifier};

pub use crate::profile::{Evidence, TlsProfile, TlsVersion};

/// The ALPN of tunnels, the only one that ends at a backend.
const TUNNEL_ALPN: &[u8] = b"sallyport/tunnel";

/// The cryptography of every server: aws-lc-rs as rustls ships it (ECDHE and AEAD suites only).
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::clone(shared_provider())
}

pub(crate) fn shared_provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    PROVIDER.get_or_init(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
}

/// What a server presents: a fixed identity, or a resolver whose certificate can be exchanged while it runs.
#[derive(Debug, Clone)]
pub struct ServerIdentity(Arc<dyn ResolvesServerCert>);

impl From<Arc<CertifiedKey>> for ServerIdentity {
    fn from(key: Arc<CertifiedKey>) -> Self {
        Self(Arc::new(SingleCertAndKey::from(key)))
    }
}

impl From<&Identity> for ServerIdentity {
    fn from(identity: &Identity) -> Self {
        identity.certified_key().into()
    }
}

impl From<Arc<dyn ResolvesServerCert>> for ServerIdentity {
    fn from(resolver: Arc<dyn ResolvesServerCert>) -> Self {
        Self(resolver)
    }
}

/// Why a client configuration could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TlsConfigError {
    /// The profile's suites and versions do not go together: a mistake in the table of profiles.
    #[error("the TLS profile `{profile}` cannot be used: {source}")]
    Profile {
        /// Its name.
        profile: &'static str,
        /// What rustls said.
        source: rustls::Error,
    },
}

/// The configuration of a server that asks for no client certificate.
///
/// With `alpn`, a client that offers other protocols only is refused; without, none is negotiated.
#[must_use]
pub fn server_config(identity: impl Into<ServerIdentity>, alpn: Option<&[u8]>) -> ServerConfig {
    finish(server_builder().with_no_client_auth().with_cert_resolver(identity.into().0), alpn)
}

/// The configuration of a backend for one tunnel: the device must prove exactly this key. Cheap enough to be made for
/// every tunnel: what can be shared is.
#[must_use]
pub fn tunnel_server_config(identity: impl Into<ServerIdentity>, expected: ExpectedKey) -> ServerConfig {
    let verifier: Arc<dyn ClientCertVerifier> = device_key_verifier(expected);
    let config = server_builder().with_client_cert_verifier(verifier).with_cert_resolver(identity.into().0);
    finish(config, Some(TUNNEL_ALPN))
}

fn server_builder() -> ConfigBuilder<ServerConfig, WantsVerifier> {
    ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13, &TLS12])
        .expect("the provider has suites and groups for both versions")
}

fn finish(mut config: ServerConfig, alpn: Option<&[u8]>) -> ServerConfig {
    static NO_SESSIONS: OnceLock<Arc<dyn StoresServerSessions>> = OnceLock::new();
    config.session_storage = Arc::clone(NO_SESSIONS.get_or_init(|| Arc::new(NoServerSessionStorage {})));
    config.send_tls13_tickets = 0;
    config.max_early_data_size = 0;
    config.require_ems = true;
    config.alpn_protocols = alpn.map(<[u8]>::to_vec).into_iter().collect();
    config
}

/// The configuration of a client that speaks as `profile` does.
///
/// # Errors
/// [`TlsConfigError`] when the profile is not one that rustls can speak; every profile of the table is.
pub fn client_config(
    profile: &TlsProfile,
    verifier: Arc<dyn ServerCertVerifier>,
    client_identity: Option<&Identity>,
    alpn: &[u8],
) -> Result<ClientConfig, TlsConfigError> {
    let builder = ClientConfig::builder_with_provider(profile.provider())
        .with_protocol_versions(&profile.versions())
        .map_err(|source| TlsConfigError::Profile { profile: profile.name, source })?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match client_identity {
        Some(identity) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(identity.certified_key()))),
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    config.require_ems = true;
    config.enable_sni = true;
    config.enable_early_data = false;
    config.alpn_protocols = vec![alpn.to_vec()];
    Ok(config)
}
