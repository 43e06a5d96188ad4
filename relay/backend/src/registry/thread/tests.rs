use relay_wire::{Platform, ids::DeviceId};

use super::*;
use crate::registry::tests::{fresh, new_device};

const KEY: &str = "android:0000000000000001";

/// A second connection, as the command line has one, to a registry that a thread serves.
fn serving() -> (tempfile::TempDir, Registry, RegistryThread, RegistryHandle, Arc<Revocations>) {
    let (folder, registry) = fresh();
    let revocations = Arc::new(Revocations::default());
    let (thread, handle) = RegistryThread::start(registry.path(), Arc::clone(&revocations)).unwrap();
    (folder, registry, thread, handle, revocations)
}

#[tokio::test]
async fn orders_are_obeyed_and_the_cache_follows_at_once() {
    let (_folder, _other, thread, handle, revocations) = serving();
    let secret = MassSecret::generate();
    let copy = MassSecret::from_hex(&secret.to_hex()).unwrap();
    handle.add_secret("a".to_owned(), copy, 1, Duration::from_secs(60)).await.unwrap();
    let now = UnixSeconds::now();
    let tag = secret.mac(b"message");
    let find = |handle: &RegistryHandle| handle.cache().matching_secret(now, |tried| tried.verify(b"message", &tag));
    assert_eq!(find(&handle), Ok("a".to_owned()));
    assert_eq!(handle.cache().matching_secret(now, |_| false), Err(super::super::cache::SecretMismatch::Unknown));

    handle.enrol("a".to_owned(), new_device("1")).await.unwrap().unwrap();
    assert!(matches!(handle.cache().device(KEY).unwrap().standing, Standing::Active { .. }));
    assert_eq!(find(&handle), Err(super::super::cache::SecretMismatch::UsedUp));
    let late = now.plus(Duration::from_secs(61));
    let expired = handle.cache().matching_secret(late, |tried| tried.verify(b"message", &tag));
    assert_eq!(expired, Err(super::super::cache::SecretMismatch::Expired));

    handle.revoke_device(KEY.to_owned()).await.unwrap();
    assert_eq!(handle.cache().device(KEY).unwrap().standing, Standing::Revoked);
    assert_eq!(revocations.after(0, 10), [(1, DeviceId::new(Platform::Android, "1".to_owned()))]);
    thread.stop().unwrap();
    assert!(matches!(handle.revoke_device(KEY.to_owned()).await, Err(Unavailable::Closed)));
}

#[tokio::test]
async fn what_another_process_revokes_is_told() {
    let (_folder, mut other, thread, handle, revocations) = serving();
    let mut newest = revocations.watch();
    handle.add_device(new_device("1")).await.unwrap();
    other.revoke_device(KEY, UnixSeconds::now()).unwrap();
    newest.wait_for(|newest| *newest == 1).await.unwrap();
    assert_eq!(handle.cache().device(KEY).unwrap().standing, Standing::Revoked);
    // A new key for a known id ends what the old key could do, too.
    other.reset_device(KEY).unwrap();
    other.add_device(&new_device("1"), UnixSeconds::now()).unwrap();
    other.reset_device(KEY).unwrap();
    other.add_device(&new_device("2"), UnixSeconds::now()).unwrap();
    while handle.cache().devices() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(handle.cache().device(KEY).unwrap().standing, Standing::Reset);
    thread.stop().unwrap();
}

#[tokio::test]
async fn at_start_the_revoked_are_told_and_sights_are_written_at_the_end() {
    let (folder, mut registry) = fresh();
    let now = UnixSeconds::now();
    registry.add_device(&new_device("1"), now).unwrap();
    registry.add_device(&new_device("2"), now).unwrap();
    registry.revoke_device(KEY, now).unwrap();
    let revocations = Arc::new(Revocations::default());
    let (thread, handle) = RegistryThread::start(&folder.path().join("registry.db"), Arc::clone(&revocations)).unwrap();
    assert_eq!(revocations.after(0, 10).len(), 1);
    assert!(handle.is_healthy());
    handle.seen("android:0000000000000002".to_owned(), UnixSeconds(77));
    thread.stop().unwrap();
    assert_eq!(registry.device("android:0000000000000002").unwrap().last_seen_at, Some(UnixSeconds(77)));
}

#[tokio::test]
async fn a_busy_fleet_takes_no_room_from_enrolments_while_the_thread_waits_for_the_file() {
    // The queue of a thread that is held up: nobody takes anything out.
    let (orders, queue) = sync_channel(QUEUE);
    let handle = RegistryHandle { orders, cache: Arc::default(), sightings: Arc::default(), healthy: Arc::default() };
    for number in 0..2 * QUEUE {
        handle.seen(number.to_string(), UnixSeconds(1));
    }
    let mut enrolment = std::pin::pin!(handle.enrol("a".to_owned(), new_device("1")));
    let waits = std::future::poll_fn(|cx| std::task::Poll::Ready(enrolment.as_mut().poll(cx).is_pending()));
    assert!(waits.await, "the order waits in the queue");
    assert!(matches!(queue.try_recv(), Ok(Order::Enrol(_))));
}
