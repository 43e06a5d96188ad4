//! SPEC §7.2 at the edge: tokens that may be used once, and tunnels that run.
//!
//! A token takes its device's place when it is offered and hands it on to the tunnel that it becomes, so that offers and
//! tunnels together are bounded per device.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use relay_wire::{
    grant::SignedGrant,
    ids::{BackendName, DeviceId, Token},
    limits,
};
use tokio::{sync::oneshot, time::Instant};

use super::sessions::SessionId;
use crate::{config::Limits, metrics::Metrics};

/// A token is void a little after the device was told it would be: the offer needs time to arrive.
const GRACE: Duration = Duration::from_secs(1);

/// What a token will stand for.
pub struct Offer {
    /// The session that asked: the token is void when it ends.
    pub session: SessionId,
    /// The device.
    pub device: DeviceId,
    /// The backend at the other end.
    pub node: BackendName,
    /// The master's word.
    pub grant: SignedGrant,
}

/// Why no token was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// Too many tokens are pending.
    Tokens,
    /// This device has too many tokens and tunnels.
    Device,
}

impl NoPlace {
    /// The reason as metrics spell it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tokens => "tokens-full",
            Self::Device => "device-full",
        }
    }
}

struct Pending {
    grant: SignedGrant,
    node: BackendName,
    device: Arc<str>,
    session: SessionId,
    expires: Instant,
}

struct Running {
    device: Arc<str>,
    revoked: oneshot::Sender<()>,
}

#[derive(Default)]
struct State {
    next: u64,
    tokens: HashMap<Token, Pending>,
    /// Tokens by session, so that a session's end costs only its own.
    by_session: BTreeSet<(SessionId, Token)>,
    /// Tokens by expiry, first to expire first.
    order: BTreeSet<(Instant, Token)>,
    running: HashMap<u64, Running>,
    /// Tokens and tunnels of each device that has any.
    places: HashMap<Arc<str>, usize>,
}

/// The tables of tokens and tunnels.
pub struct Tunnels {
    tokens_max: usize,
    per_device: usize,
    metrics: Arc<Metrics>,
    state: Mutex<State>,
}

/// A token that was used: the tunnel it became. Dropping it gives the device's place back.
pub struct Claim {
    /// The master's word.
    pub grant: SignedGrant,
    /// The backend at the other end.
    pub node: BackendName,
    /// Resolves with `Ok` when the device is revoked.
    pub revoked: oneshot::Receiver<()>,
    /// The device, as the registry files it: for the log.
    pub device: Arc<str>,
    /// Gives the place back when dropped.
    pub place: Place,
}

/// A running tunnel's place.
pub struct Place {
    hub: Arc<super::Hub>,
    id: u64,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.hub.tunnels.ended(self.id);
    }
}

impl Tunnels {
    /// Empty tables.
    #[must_use]
    pub fn new(limits: &Limits, metrics: Arc<Metrics>) -> Self {
        Self {
            tokens_max: limits.pending_tokens,
            per_device: limits.tunnels_per_device,
            metrics,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws a token for an offer.
    ///
    /// # Errors
    /// [`NoPlace`] if a bound is reached.
    pub fn offer(&self, offer: Offer, now: Instant) -> Result<Token, NoPlace> {
        self.expire(now);
        let mut state = self.state();
        if state.tokens.len() >= self.tokens_max {
            return Err(NoPlace::Tokens);
        }
        let key = offer.device.registry_key();
        let device = state.places.get_key_value(key.as_str()).map_or_else(|| key.into(), |(key, _)| Arc::clone(key));
        let places = state.places.entry(Arc::clone(&device)).or_default();
        if *places >= self.per_device {
            return Err(NoPlace::Device);
        }
        *places += 1;
        let token = Token::new(relay_trust::random());
        let expires = now + limits::TOKEN + GRACE;
        let Offer { session, node, grant, .. } = offer;
        state.by_session.insert((session, token));
        state.order.insert((expires, token));
        state.tokens.insert(token, Pending { grant, node, device, session, expires });
        drop(state);
        self.metrics.tokens("issued", 1);
        Ok(token)
    }

    fn ended(&self, id: u64) {
        let mut state = self.state();
        if let Some(running) = state.running.remove(&id) {
            state.leave(&running.device);
        }
    }

    /// Voids what has expired.
    pub fn expire(&self, now: Instant) {
        let mut expired = 0;
        let mut state = self.state();
        while let Some((_, token)) = state.order.first().copied().filter(|(expires, _)| *expires <= now) {
            expired += u64::from(state.void(token).is_some());
        }
        drop(state);
        self.metrics.tokens("expired", expired);
    }

    /// Voids the tokens of a session that ended.
    pub fn void_session(&self, session: SessionId) {
        let mut state = self.state();
        let first = (session, Token::new([0; 16]));
        let last = (session, Token::new([0xff; 16]));
        let tokens: Vec<_> = state.by_session.range(first..=last).map(|(_, token)| *token).collect();
        let voided = tokens.into_iter().filter_map(|token| state.void(token)).count();
        drop(state);
        self.metrics.tokens("void", voided as u64);
    }

    /// Voids the tokens of a device and ends its tunnels.
    pub fn revoke(&self, device: &str) {
        let mut state = self.state();
        if !state.places.contains_key(device) {
            return;
        }
        let tokens: Vec<_> =
            state.tokens.iter().filter(|(_, pending)| &*pending.device == device).map(|(token, _)| *token).collect();
        let voided = tokens.into_iter().filter_map(|token| state.void(token)).count();
        let tunnels: Vec<_> =
            state.running.iter().filter(|(_, running)| &*running.device == device).map(|(id, _)| *id).collect();
        for id in tunnels {
            if let Some(running) = state.running.remove(&id) {
                state.leave(&running.device);
                let _ = running.revoked.send(());
            }
        }
        drop(state);
        self.metrics.tokens("void", voided as u64);
    }

    /// Tokens that may be used, and tunnels that run (or are being matched).
    #[must_use]
    pub fn len(&self) -> (usize, usize) {
        let state = self.state();
        (state.tokens.len(), state.running.len())
    }
}

impl super::Hub {
    /// Burns a token: the tunnel that it becomes, `None` if it never was, was used, has expired or is void.
    #[must_use]
    pub fn claim(self: &Arc<Self>, token: &Token, now: Instant) -> Option<Claim> {
        let tunnels = &self.tunnels;
        tunnels.expire(now);
        let mut state = tunnels.state();
        let Some(pending) = state.take(token) else {
            drop(state);
            tunnels.metrics.tokens("unknown", 1);
            return None;
        };
        state.next += 1;
        let id = state.next;
        let (revoke, revoked) = oneshot::channel();
        state.running.insert(id, Running { device: Arc::clone(&pending.device), revoked: revoke });
        drop(state);
        tunnels.metrics.tokens("used", 1);
        let Pending { grant, node, device, .. } = pending;
        Some(Claim { grant, node, revoked, device, place: Place { hub: Arc::clone(self), id } })
    }
}

impl State {
    /// Removes a token, its device's place left taken.
    fn take(&mut self, token: &Token) -> Option<Pending> {
        let pending = self.tokens.remove(token)?;
        self.by_session.remove(&(pending.session, *token));
        self.order.remove(&(pending.expires, *token));
        Some(pending)
    }

    /// Removes a token and gives its device's place back.
    fn void(&mut self, token: Token) -> Option<()> {
        let pending = self.take(&token)?;
        self.leave(&pending.device);
        Some(())
    }

    fn leave(&mut self, device: &Arc<str>) {
        if let Some(places) = self.places.get_mut(device) {
            *places = places.saturating_sub(1);
            if *places == 0 {
                self.places.remove(device);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use relay_wire::Platform;

    use super::*;
    use crate::hub::Hub;

    fn hub(change: impl FnOnce(&mut Limits)) -> Arc<Hub> {
        let mut limits = Limits::default();
        change(&mut limits);
        Hub::new(&limits, Metrics::new().0)
    }

    fn device(text: &str) -> DeviceId {
        DeviceId::new(Platform::Linux, text.to_owned())
    }

    fn offer(hub: &Hub, session: u64, id: &str) -> Result<Token, NoPlace> {
        let grant = SignedGrant { grant: vec![1], signature: [0; 64] };
        let node = BackendName::new("vault").unwrap();
        let offer = Offer { session: SessionId(session), device: device(id), node, grant };
        hub.tunnels.offer(offer, Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_good_once_and_for_its_time() {
        let hub = hub(|_| {});
        let token = offer(&hub, 1, "a").unwrap();
        assert!(hub.claim(&token, Instant::now()).is_some());
        assert!(hub.claim(&token, Instant::now()).is_none());
        let late = offer(&hub, 1, "a").unwrap();
        tokio::time::advance(limits::TOKEN).await;
        let just_in_time = offer(&hub, 1, "a").unwrap();
        tokio::time::advance(GRACE).await;
        assert!(hub.claim(&late, Instant::now()).is_none());
        assert!(hub.claim(&just_in_time, Instant::now()).is_some());
        let state = hub.tunnels.state();
        assert!(state.tokens.is_empty() && state.by_session.is_empty() && state.order.is_empty());
        assert!(state.places.is_empty() && state.running.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn offers_and_tunnels_share_a_devices_places() {
        let hub = hub(|limits| limits.tunnels_per_device = 2);
        let claim = hub.claim(&offer(&hub, 1, "a").unwrap(), Instant::now()).unwrap();
        let _offered = offer(&hub, 1, "a").unwrap();
        assert_eq!(offer(&hub, 2, "a").err(), Some(NoPlace::Device));
        assert!(offer(&hub, 2, "b").is_ok());
        drop(claim);
        assert!(offer(&hub, 2, "a").is_ok());
        // Expired tokens give their places back too.
        assert_eq!(offer(&hub, 2, "a").err(), Some(NoPlace::Device));
        tokio::time::advance(limits::TOKEN + GRACE).await;
        assert!(offer(&hub, 2, "a").is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_are_bounded_in_all_and_void_with_their_session() {
        let hub = hub(|limits| limits.pending_tokens = 3);
        let kept = offer(&hub, 1, "a").unwrap();
        let void = offer(&hub, 2, "a").unwrap();
        offer(&hub, 2, "b").unwrap();
        assert_eq!(offer(&hub, 3, "c").err(), Some(NoPlace::Tokens));
        hub.tunnels.void_session(SessionId(2));
        assert!(hub.claim(&void, Instant::now()).is_none());
        assert!(hub.claim(&kept, Instant::now()).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_revocation_reaches_tokens_and_tunnels_of_that_device_alone() {
        let hub = hub(|_| {});
        let mut mine = hub.claim(&offer(&hub, 1, "a").unwrap(), Instant::now()).unwrap();
        let mut other = hub.claim(&offer(&hub, 2, "b").unwrap(), Instant::now()).unwrap();
        let token = offer(&hub, 1, "a").unwrap();
        hub.revoke(&device("a"));
        assert_eq!(mine.revoked.try_recv(), Ok(()));
        assert!(other.revoked.try_recv().is_err());
        assert!(hub.claim(&token, Instant::now()).is_none());
        drop((mine, other));
        assert!(hub.tunnels.state().places.is_empty());
    }
}
