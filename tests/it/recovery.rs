//! Kill -9 of every part in turn under traffic: what must recover does so in its time, nothing hangs, no byte is wrong.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use relay_wire::limits;
use tests::{
    process::{PATIENCE, Process},
    relay::{Options, RECONNECT_MAX, Relay, fleet_report},
    upstream::{HttpClient, Upstream, content},
};

/// What a scheduler may add to any time on a busy machine.
const SLACK: Duration = Duration::from_secs(3);
/// After a backend is back: whoever was told *later* asks again at the end of that.
const AFTER_BACKEND: Duration = limits::RETRY.saturating_add(SLACK);
/// After the edge is back: its backends reconnect within their longest pause, then devices at the end of theirs, which after
/// an outage of a few seconds is at most 8 s (1 s, doubling, fully jittered).
const AFTER_EDGE: Duration = RECONNECT_MAX.saturating_add(Duration::from_secs(8)).saturating_add(SLACK);
/// How long a forwarder tries to open a tunnel; a local program waits no longer than this for an answer or a reset.
const OPEN: Duration = client_sim::connect::OPEN.saturating_add(SLACK);

/// One request of a local program.
#[derive(Clone, Copy, Debug)]
struct Request {
    started: Instant,
    ended: Instant,
    served: bool,
}

/// Programs that fetch, each over a connection of its own, and compare what they get.
struct Programs {
    requests: Arc<Mutex<Vec<Request>>>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Programs {
    fn start(count: u64, address: SocketAddr) -> Self {
        let (requests, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let threads = (0..count).map(|number| {
            let (requests, stop) = (Arc::clone(&requests), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut seed = number << 32;
                while !stop.load(Ordering::Relaxed) {
                    seed += 1;
                    let started = Instant::now();
                    let length = 1 + usize::try_from(seed * 7_919 % 200_000).unwrap();
                    let body = HttpClient::connect(address).and_then(|mut client| client.get(seed, length));
                    // An error is an error; what comes as an answer must be right to the last byte.
                    let served = body.is_ok_and(|body| {
                        assert!(body == content(seed, length), "wrong bytes in answer {seed}");
                        true
                    });
                    requests.lock().unwrap().push(Request { started, ended: Instant::now(), served });
                    if !served {
                        std::thread::park_timeout(Duration::from_millis(50));
                    }
                }
            })
        });
        let threads = threads.collect();
        Self { requests, stop, threads }
    }

    /// Waits for a request that is served, whenever it began; gives the time from `since` to its end.
    fn wait_served(&self, since: Instant, bound: Duration) -> Duration {
        loop {
            let fits = |request: &&Request| request.ended >= since && request.served;
            if let Some(request) = self.requests.lock().unwrap().iter().find(fits) {
                return request.ended - since;
            }
            assert!(since.elapsed() < bound, "no request was served within {bound:?}");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    fn finish(mut self) -> Vec<Request> {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
        std::mem::take(&mut self.requests.lock().unwrap())
    }
}

#[test]
fn every_part_can_be_killed_under_traffic() {
    let http = Upstream::http();
    let mut relay = Relay::start(&Options { services: &[("web", http.address)], ..Options::default() });
    let forwarder = relay.connect("laptop", "node-a", &["web"]);
    let secret = relay.mass_secret("fleet", 1_000);
    let fleet = ["--devices", "180", "--bytes", "256KiB", "--ramp", "15s", "--concurrency", "16"];
    let mut fleet = Process::start("fleet", relay.fleet("node-a", &secret, &fleet));
    let programs = Programs::start(3, forwarder.addresses[0]);
    programs.wait_served(Instant::now(), SLACK);
    // A tunnel that is not touched by the master's end.
    let mut kept = HttpClient::connect(forwarder.addresses[0]).unwrap();
    assert_eq!(kept.get(5, 10).unwrap(), content(5, 10));

    relay.master.kill();
    std::thread::park_timeout(Duration::from_millis(500));
    assert_eq!(kept.get(6, 300_000).unwrap(), content(6, 300_000), "a running tunnel lives on without the master");
    relay.master.start();
    let ready = relay.master.wait_ready();
    let recovered = programs.wait_served(Instant::now(), AFTER_BACKEND);
    eprintln!("master: ready after {ready:?}, the next new tunnel after {recovered:?}");

    relay.nodes[0].kill();
    kept.get(7, 10).expect_err("a tunnel ends with its node");
    relay.nodes[0].start();
    let ready = relay.nodes[0].wait_ready();
    let recovered = programs.wait_served(Instant::now(), AFTER_BACKEND);
    eprintln!("storage node: ready after {ready:?}, the next new tunnel after {recovered:?}");

    relay.edge.kill();
    std::thread::park_timeout(Duration::from_secs(1));
    let restarted = Instant::now();
    relay.edge.start();
    let ready = relay.edge.wait_ready();
    // Programs that asked while there was no edge are served now: the forwarder asks again for them.
    let recovered = programs.wait_served(restarted, AFTER_EDGE);
    eprintln!("edge: ready with a master after {ready:?}, the next new tunnel after {recovered:?}");

    // Every device of the fleet came to an end in its time; some were cut, none got a wrong byte.
    let (_, report) = fleet_report(&mut fleet, PATIENCE * 2);
    let all = report["rows"].as_array().and_then(|rows| rows.last()).unwrap();
    let count = |outcome: &str| {
        let counts = all["counts"].as_array().unwrap();
        let found = counts.iter().find(|count| count["outcome"] == outcome);
        found.map_or(0, |count| count["observed"].as_u64().unwrap())
    };
    assert_eq!(report["devices"], 180, "{report:#}");
    assert_eq!((count("corrupt"), count("violation"), count("timeout")), (0, 0, 0), "{report:#}");
    // How many came between two breaks is the machine's speed; that everything recovers is what the programs have shown above.
    assert!(count("served") > 20, "{report:#}");
    let requests = programs.finish();
    let longest = requests.iter().map(|request| request.ended - request.started).max().unwrap();
    assert!(longest < OPEN, "a local program waited {longest:?}");
    let served = requests.iter().filter(|request| request.served).count();
    eprintln!(
        "{served} of {} requests served, the longest took {longest:?}; of the fleet {} were served, {} cut, {} put off",
        requests.len(),
        count("served"),
        count("unreachable"),
        count("later"),
    );

    // What was enrolled and what runs is as before: a fleet passes whole.
    let again = relay.fleet("node-a", &secret, &["--devices", "48", "--bytes", "64KiB", "--ramp", "1s"]);
    let (status, report) = fleet_report(&mut Process::start("fleet again", again), PATIENCE * 2);
    assert!(status.success(), "{report:#}");
}
