//! What answers in a namespace, so that a probe that gets no answer says something about the way and not about the target.

use std::{
    collections::VecDeque,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use rustix::event::{PollFd, PollFlags, poll};
use socket2::Socket;

use super::{
    Answer,
    icmp::{self, Icmp},
    udp::shared,
};

/// Marks that are remembered; older ones are forgotten.
const MARKS_MAX: usize = 65_536;
/// How long a peer may take to take the line.
const LINE: Duration = Duration::from_millis(200);

/// The marks of what has arrived. Clones are the same one.
#[derive(Clone, Default)]
pub struct Arrived(Arc<Mutex<VecDeque<u64>>>);

impl Arrived {
    fn add(&self, mark: u64) {
        let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if marks.len() >= MARKS_MAX {
            marks.pop_front();
        }
        marks.push_back(mark);
    }

    /// All of them.
    pub fn marks(&self) -> Vec<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

/// Binds everything, then answers for as long as the process lives.
pub fn listen(tcp: &[SocketAddr], udp: &[SocketAddr], arrived: &Arrived) -> Answer {
    let bound = tcp
        .iter()
        .map(|&address| bind_tcp(address).map_err(|error| format!("listen on TCP {address}: {error}")))
        .collect::<Result<Vec<_>, _>>()
        .and_then(|tcp| {
            let udp = udp
                .iter()
                .map(|&address| bind_udp(address).map_err(|error| format!("listen on UDP {address}: {error}")));
            Ok((tcp, udp.collect::<Result<Vec<_>, _>>()?))
        });
    match bound {
        Ok((tcp, udp)) => {
            let arrived = arrived.clone();
            thread::spawn(move || answer(&tcp, &udp, &arrived));
            Answer::Done
        }
        Err(reason) => Answer::Failed { reason },
    }
}

fn bind_tcp(address: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn bind_udp(address: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = shared(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn answer(tcp: &[TcpListener], udp: &[UdpSocket], arrived: &Arrived) {
    loop {
        let mut ready: Vec<PollFd<'_>> = tcp.iter().map(|socket| PollFd::new(socket, PollFlags::IN)).collect();
        ready.extend(udp.iter().map(|socket| PollFd::new(socket, PollFlags::IN)));
        if poll(&mut ready, None).is_err() {
            continue;
        }
        for listener in tcp {
            while let Ok((stream, _)) = listener.accept() {
                greet(stream);
            }
        }
        for socket in udp {
            let mut buffer = [0; 64];
            while let Ok((count, from)) = socket.recv_from(&mut buffer) {
                if let Ok(mark) = buffer[..count].try_into().map(u64::from_be_bytes) {
                    arrived.add(mark);
                }
                let _ = socket.send_to(&buffer[..count], from);
            }
        }
    }
}

fn greet(mut stream: TcpStream) {
    let _ = stream.set_write_timeout(Some(LINE));
    let _ = stream.write_all(b"firewall-rules lab: somebody answers here\n");
}

/// Remembers the marked messages that arrive; without root there is nothing to see them by.
pub fn watch_icmp(arrived: &Arrived) {
    for icmp in [Icmp::V4, Icmp::V6] {
        if let Ok(socket) = icmp.socket() {
            watch(icmp, socket, arrived);
        }
    }
}

/// Remembers the listener reports of this link too, which only who asks for them is given.
pub fn watch_reports(interface: &str, arrived: &Arrived) -> Answer {
    match icmp::reports(interface) {
        Ok(socket) => {
            watch(Icmp::V6, socket, arrived);
            Answer::Done
        }
        Err(error) => Answer::Failed { reason: format!("watch listener reports on {interface}: {error}") },
    }
}

fn watch(icmp: Icmp, mut socket: Socket, arrived: &Arrived) {
    let arrived = arrived.clone();
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok(count) = socket.read(&mut buffer) {
            if let Some(mark) = icmp.mark(&buffer[..count]) {
                arrived.add(mark);
            }
        }
    });
}
