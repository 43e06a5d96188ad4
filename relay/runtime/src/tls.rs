//! A certificate that can be changed while connections run.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    client::ResolvesClientCert,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};

/// Holds the certificate and key of one side; what is put in is used from the next handshake on, connections that stand
/// keep what they have.
///
/// When to read files again (SIGHUP, a changed file) is for edge and backend to decide; a bad new file never gets here.
pub struct ReloadableIdentity {
    current: RwLock<Arc<CertifiedKey>>,
}

impl ReloadableIdentity {
    /// Holds `first`.
    #[must_use]
    pub fn new(first: Arc<CertifiedKey>) -> Arc<Self> {
        Arc::new(Self { current: RwLock::new(first) })
    }

    /// Takes `next` for handshakes from now on; returns what was used until now.
    pub fn replace(&self, next: Arc<CertifiedKey>) -> Arc<CertifiedKey> {
        std::mem::replace(&mut self.current.write().unwrap_or_else(PoisonError::into_inner), next)
    }

    /// What handshakes use now.
    #[must_use]
    pub fn current(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for ReloadableIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReloadableIdentity(..)")
    }
}

impl ResolvesServerCert for ReloadableIdentity {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl ResolvesClientCert for ReloadableIdentity {
    fn resolve(&self, _roots: &[&[u8]], _schemes: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}
