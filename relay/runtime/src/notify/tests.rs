use std::{
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram},
    },
    sync::{Arc, Mutex, mpsc},
    thread::JoinHandle,
};

use super::*;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The end of the socket that a service manager holds.
struct Manager {
    socket: UnixDatagram,
    address: std::ffi::OsString,
    _folder: tempfile::TempDir,
}

impl Manager {
    fn at_path() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        Self::new(socket, path.into(), folder)
    }

    fn abstract_name() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().display().to_string();
        let socket = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        Self::new(socket, format!("@{name}").into(), folder)
    }

    fn new(socket: UnixDatagram, address: std::ffi::OsString, folder: tempfile::TempDir) -> Self {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { socket, address, _folder: folder }
    }

    fn next(&self) -> String {
        let mut buffer = [0; 4096];
        let length = self.socket.recv(&mut buffer).expect("a message");
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    /// The next message that says something besides a sign of life.
    fn news(&self) -> String {
        std::iter::repeat_with(|| self.next()).find(|message| message != "WATCHDOG=1").unwrap()
    }

    fn is_silent_for(&self, time: Duration) -> bool {
        self.socket.set_read_timeout(Some(time)).unwrap();
        let silent = self.socket.recv(&mut [0; 4096]).is_err();
        self.socket.set_read_timeout(Some(PATIENCE)).unwrap();
        silent
    }
}

/// A runtime with one thread of its own, in which a notifier runs.
struct Running {
    drain: Drain,
    runtime: Arc<tokio::runtime::Runtime>,
    end: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(
        manager: &Manager,
        watchdog: Option<Duration>,
        figures: impl Fn() -> String + Send + Sync + 'static,
    ) -> Self {
        let notifier = Notifier::connect(&manager.address, watchdog).unwrap();
        assert!(notifier.is_present());
        let drain = Drain::new();
        let runtime =
            Arc::new(tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap());
        let (end, ended) = tokio::sync::oneshot::channel();
        let (inner, work) = (Arc::clone(&runtime), notifier.run(drain.clone(), figures));
        let thread = std::thread::spawn(move || {
            inner.block_on(async {
                tokio::select! {
                    () = work => {}
                    _ = ended => {}
                }
            });
        });
        Self { drain, runtime, end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.end.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

#[test]
fn a_life_is_told_at_a_path_and_at_an_abstract_name() {
    for manager in [Manager::at_path(), Manager::abstract_name()] {
        let running = Running::start(&manager, None, || "2 devices,\n1 tunnel".to_owned());
        assert_eq!(manager.next(), "READY=1");
        assert_eq!(manager.next(), "STATUS=running: 2 devices, 1 tunnel");

        let mut reloads = running.drain.reloads();
        running.drain.reload();
        let reloading = manager.next();
        let usec = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect(&reloading).parse::<u64>().unwrap();
        assert!(usec <= monotonic_usec() && usec > monotonic_usec() - 60_000_000);
        assert!(manager.is_silent_for(Duration::from_millis(50)), "the reload has not ended");
        running.runtime.block_on(async { reloads.next().await.done() });
        assert_eq!(manager.next(), "READY=1");

        running.drain.drain();
        assert_eq!(manager.next(), "STOPPING=1");
    }
}

#[test]
fn the_figures_come_again_when_they_are_others_and_signs_of_life_always() {
    let manager = Manager::at_path();
    let devices = Arc::new(Mutex::new(1));
    let shown = Arc::clone(&devices);
    let figures = move || format!("{} devices", shown.lock().unwrap());
    let running = Running::start(&manager, Some(Duration::from_millis(40)), figures);
    assert_eq!(manager.next(), "READY=1");
    assert_eq!(manager.next(), "STATUS=running: 1 devices\nWATCHDOG=1");
    assert_eq!(manager.next(), "WATCHDOG=1");
    *devices.lock().unwrap() = 2;
    assert_eq!(manager.news(), "STATUS=running: 2 devices\nWATCHDOG=1");

    let mut reloads = running.drain.reloads();
    running.drain.reload();
    drop(running.runtime.block_on(reloads.next()));
    assert!(manager.news().starts_with("RELOADING=1\n"));
    assert_eq!(manager.news(), "READY=1");
    assert_eq!(manager.news(), "STATUS=running: the last reload was refused, see the log; 2 devices\nWATCHDOG=1");

    running.drain.drain();
    assert_eq!(manager.news(), "STOPPING=1");
    // As long as it lives it may take its time.
    assert_eq!(
        [manager.news(), manager.news()].map(|news| news.lines().last().unwrap().to_owned()),
        ["EXTEND_TIMEOUT_USEC=5000000", "EXTEND_TIMEOUT_USEC=5000000"]
    );
}

#[test]
fn a_runtime_whose_threads_are_stuck_and_a_lock_that_is_never_given_back_are_silent() {
    let manager = Manager::at_path();
    let lock = Arc::new(Mutex::new(()));
    let taken = Arc::clone(&lock);
    let figures = move || {
        drop(taken.lock().unwrap());
        String::new()
    };
    let running = Running::start(&manager, Some(Duration::from_millis(20)), figures);
    assert_eq!([manager.next(), manager.next()], ["READY=1", "STATUS=running: \nWATCHDOG=1"]);
    let (silence, tasks) = (Duration::from_millis(300), Tasks::new());
    let after_those_under_way = || while !manager.is_silent_for(silence) {};

    let (free, stuck) = mpsc::channel::<()>();
    let (begun, begins) = mpsc::channel();
    {
        let _runtime = running.runtime.enter();
        tasks.spawn("stuck", async move {
            begun.send(()).unwrap();
            let _ = stuck.recv();
        });
    }
    begins.recv_timeout(PATIENCE).unwrap();
    after_those_under_way();
    free.send(()).unwrap();
    assert!(manager.next().ends_with("WATCHDOG=1"));

    let held = lock.lock().unwrap();
    after_those_under_way();
    drop(held);
    assert!(manager.next().ends_with("WATCHDOG=1"));
}

#[test]
fn a_full_queue_holds_nobody_up_for_long() {
    let manager = Manager::at_path();
    let notifier = Notifier::connect(&manager.address, None).unwrap();
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    while filler.send_to(b"STATUS=of others", &manager.address).is_ok() {}
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::UnixDatagram::from_std(notifier.socket.unwrap()).unwrap();
        let service = Service { socket, watchdog: None, last: String::new() };
        let (told, ()) = tokio::join!(timeout(PATIENCE, service.tell(vec![Line::Ready])), async {
            tokio::task::yield_now().await;
            manager.next();
        });
        told.unwrap();
    });
    let messages = std::iter::repeat_with(|| manager.next());
    assert!(messages.take_while(|message| message != "READY=1").count() > 0, "it waited for a place in the queue");
}

#[test]
fn an_address_is_absolute_or_abstract_and_answers() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    for address in ["", "@", "relative", "vsock:2:9"] {
        let error = Notifier::connect(OsStr::new(address), None).unwrap_err();
        assert!(matches!(error, NotifyError::Address(_)), "{address}: {error}");
    }
    let error = Notifier::connect(missing.as_os_str(), None).unwrap_err();
    assert!(error.to_string().contains("unset it"), "{error}");
}

#[test]
fn a_watchdog_is_ours_or_none() {
    let time = Some(Duration::from_secs(30));
    assert_eq!(watchdog(Some("30000000"), None, 7), time);
    assert_eq!(watchdog(Some("30000000"), Some("7"), 7), time);
    for (usec, pid) in
        [(None, None), (Some("30000000"), Some("8")), (Some("30s"), None), (Some("0"), None), (Some("3"), None)]
    {
        assert_eq!(watchdog(usec, pid, 7), None, "{usec:?} {pid:?}");
    }
}
