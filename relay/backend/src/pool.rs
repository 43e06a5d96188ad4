//! Spare data connections to one edge: how many, and when to dial.
//!
//! There are always `min`. When the edge has to ask for connections, because no spare was left, the pool doubles (up to
//! `max` and to what the edge allows); every quiet ten seconds it gives back a quarter of what it has above `min`. What
//! the edge asks for is dialled at once in any case. This file decides; [`crate::data`] dials.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use relay_wire::limits;
use tokio::{sync::Notify, time::Instant};

use crate::{backoff::Backoff, config::PoolConfig};

/// Connections that are dialled at the same time, per edge: as many handshakes as the edge should see at once.
const DIALLING_MAX: usize = 64;
/// Questions of the edge that are remembered; it asks again for the next tunnel.
const ASKED_MAX: usize = 1_024;
/// Parked connections beyond the pool's own that an edge may cause by asking. An edge that asks uses them at once; one that
/// hoards them must not use up this process's descriptors.
const HOARDED_MAX: usize = 256;
/// Without a shortage for this long the pool shrinks.
const QUIET: Duration = Duration::from_secs(10);
/// Pauses after failed dials.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);

struct Sizing {
    min: usize,
    max: usize,
    target: usize,
    /// Data connections that are being dialled.
    dialling: usize,
    /// Those that are parked.
    parked: usize,
    /// When each connection that the edge asked for is no longer of use.
    asked: VecDeque<Instant>,
    shrink_at: Instant,
    backoff: Backoff,
    /// No dialling before this.
    rest_until: Instant,
}

impl Sizing {
    fn new(config: PoolConfig, spares_max: u16, now: Instant) -> Self {
        let max = usize::from(config.max.min(spares_max));
        let min = usize::from(config.min).min(max);
        Self {
            min,
            max,
            target: min,
            dialling: 0,
            parked: 0,
            asked: VecDeque::new(),
            shrink_at: now + QUIET,
            backoff: Backoff::new(PAUSE_FIRST, PAUSE_MAX),
            rest_until: now,
        }
    }

    fn ask(&mut self, count: u16, now: Instant) {
        self.target = (self.target * 2).max(self.target + usize::from(count)).min(self.max);
        self.shrink_at = now + QUIET;
        let room = ASKED_MAX.saturating_sub(self.asked.len());
        let useful_until = now + limits::TUNNEL_MATCH;
        self.asked.extend(std::iter::repeat_n(useful_until, usize::from(count).min(room)));
    }

    /// How many to dial now, and when to ask again if nothing else happens.
    fn due(&mut self, now: Instant) -> (usize, Instant) {
        while self.asked.front().is_some_and(|until| *until <= now) {
            self.asked.pop_front();
        }
        if now >= self.shrink_at {
            self.target -= (self.target - self.min).div_ceil(4);
            self.shrink_at = now + QUIET;
        }
        if now < self.rest_until {
            return (0, self.rest_until);
        }
        let spares = self.target.saturating_sub(self.dialling + self.parked);
        let asked = self.asked.len().saturating_sub(self.dialling);
        let room = (self.target + HOARDED_MAX).saturating_sub(self.dialling + self.parked);
        let due = spares.max(asked).min(DIALLING_MAX.saturating_sub(self.dialling)).min(room);
        (due, self.shrink_at)
    }

    fn parked(&mut self) {
        self.dialling -= 1;
        self.parked += 1;
        self.asked.pop_front();
        self.backoff.reset();
    }

    fn failed(&mut self, now: Instant) {
        self.rest_until = now + self.backoff.pause();
    }
}

/// The pool of one control connection. Cloning it shares it.
#[derive(Clone)]
pub struct Pool {
    sizing: Arc<Mutex<Sizing>>,
    changed: Arc<Notify>,
}

impl Pool {
    /// An empty pool; the edge allows `spares_max`.
    #[must_use]
    pub fn new(config: PoolConfig, spares_max: u16) -> Self {
        let sizing = Sizing::new(config, spares_max, Instant::now());
        Self { sizing: Arc::new(Mutex::new(sizing)), changed: Arc::new(Notify::new()) }
    }

    fn lock(&self) -> MutexGuard<'_, Sizing> {
        self.sizing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The edge asks for `count` connections now.
    pub fn ask(&self, count: u16) {
        self.lock().ask(count, Instant::now());
        self.changed.notify_one();
    }

    /// Waits until a connection is to be dialled; the slot accounts for it.
    pub async fn next(&self) -> Slot {
        loop {
            let again = {
                let mut sizing = self.lock();
                let (due, again) = sizing.due(Instant::now());
                if due > 0 {
                    sizing.dialling += 1;
                    return Slot { pool: self.clone(), state: SlotState::Dialling };
                }
                again
            };
            tokio::select! {
                () = self.changed.notified() => {}
                () = tokio::time::sleep_until(again) => {}
            }
        }
    }
}

/// A spare that the edge closes sooner than this after parking it was one too many for it.
const UNWELCOME: Duration = Duration::from_secs(1);

enum SlotState {
    Dialling,
    Parked { since: Instant },
    Failed,
    Unwelcome,
}

/// One data connection in its pool's books, until it is dropped: assigned, closed or failed.
pub struct Slot {
    pool: Pool,
    state: SlotState,
}

impl Slot {
    /// The edge has parked it.
    pub fn parked(&mut self) {
        if matches!(self.state, SlotState::Dialling) {
            self.pool.lock().parked();
            self.state = SlotState::Parked { since: Instant::now() };
        }
    }

    /// It could not be dialled, or the edge closed it. If it was never parked, or only just, the pool rests a moment.
    pub fn failed(mut self) {
        match self.state {
            SlotState::Dialling => self.state = SlotState::Failed,
            SlotState::Parked { since } if since.elapsed() < UNWELCOME => self.state = SlotState::Unwelcome,
            SlotState::Parked { .. } | SlotState::Failed | SlotState::Unwelcome => {}
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut sizing = self.pool.lock();
        match self.state {
            SlotState::Dialling => sizing.dialling -= 1,
            SlotState::Parked { .. } => sizing.parked -= 1,
            SlotState::Failed => {
                sizing.dialling -= 1;
                sizing.failed(Instant::now());
            }
            SlotState::Unwelcome => {
                sizing.parked -= 1;
                sizing.failed(Instant::now());
            }
        }
        drop(sizing);
        self.pool.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: PoolConfig = PoolConfig { min: 2, max: 16, rotate: Duration::from_secs(300) };

    fn due(sizing: &mut Sizing, now: Instant) -> usize {
        sizing.due(now).0
    }

    #[tokio::test(start_paused = true)]
    async fn it_keeps_the_minimum_and_no_more_than_the_edge_allows() {
        let now = Instant::now();
        assert_eq!(due(&mut Sizing::new(CONFIG, 100, now), now), 2);
        assert_eq!(due(&mut Sizing::new(CONFIG, 1, now), now), 1);
        assert_eq!(due(&mut Sizing::new(CONFIG, 0, now), now), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn shortage_grows_it_and_quiet_shrinks_it() {
        let mut now = Instant::now();
        let mut sizing = Sizing::new(CONFIG, 100, now);
        for expected in [4, 8, 16, 16] {
            sizing.ask(1, now);
            assert_eq!(sizing.target, expected);
        }
        assert_eq!(due(&mut sizing, now), 16);
        now += limits::TUNNEL_MATCH;
        for expected in [12, 9, 7, 5, 4, 3, 2, 2] {
            now += QUIET;
            sizing.due(now);
            assert_eq!(sizing.target, expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn with_a_pool_of_zero_it_dials_what_is_asked_for() {
        let now = Instant::now();
        let mut sizing = Sizing::new(PoolConfig { min: 0, max: 0, ..CONFIG }, 100, now);
        assert_eq!(due(&mut sizing, now), 0);
        sizing.ask(3, now);
        assert_eq!(due(&mut sizing, now), 3);
        sizing.dialling = 2;
        assert_eq!(due(&mut sizing, now), 1);
        sizing.parked();
        assert_eq!(sizing.asked.len(), 2);
        // The device that waited has given up by then.
        assert_eq!(due(&mut sizing, now + limits::TUNNEL_MATCH), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn slots_keep_the_books_and_failures_make_it_rest() {
        let pool = Pool::new(CONFIG, 100);
        let mut first = pool.next().await;
        let second = pool.next().await;
        first.parked();
        assert_eq!(pool.lock().parked, 1);
        let failed_at = Instant::now();
        second.failed();
        let third = pool.next().await;
        assert!(Instant::now() <= failed_at + PAUSE_FIRST + Duration::from_millis(2));
        drop(third);
        drop(first);
        let sizing = pool.lock();
        assert_eq!((sizing.dialling, sizing.parked), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_of_questions_is_bounded() {
        let now = Instant::now();
        let mut sizing = Sizing::new(CONFIG, 100, now);
        for _ in 0..10 {
            sizing.ask(u16::MAX, now);
        }
        assert_eq!(sizing.asked.len(), ASKED_MAX);
        assert_eq!(due(&mut sizing, now), DIALLING_MAX);
        // It parks what it asked for, uses none of it, and asks again.
        for _ in 0..10_000 {
            sizing.ask(u16::MAX, now);
            sizing.dialling += due(&mut sizing, now);
            while sizing.dialling > 0 {
                sizing.parked();
            }
        }
        assert_eq!(sizing.parked, usize::from(CONFIG.max) + HOARDED_MAX);
    }
}
