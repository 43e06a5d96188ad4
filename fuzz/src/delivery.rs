//! A stream of frames gives the same events whole, byte by byte and cut anywhere, in every session.
//!
//! An input is: a byte that chooses the session, a byte that chooses cuts, and the stream that its peer sends. The owner behind
//! the session answers every question at once, always in the same way.

use std::sync::{Arc, LazyLock};

use relay_wire::{
    Operation, Validator,
    session::{
        Output, Session,
        control::EdgeSide as ControlEdge,
        data::EdgeSide as DataEdge,
        device::{DeviceSide, EdgeSide},
    },
    time::Timestamp,
};

use crate::{
    frames::messages::{CONTROL, DATA, Message, seal},
    run::finding,
    sessions::{
        control, data,
        device::{client, edge, edge_kind},
        host::{Kind, Model, Said},
    },
};

mod mutate;
mod seeds;

pub use mutate::mutate;
pub use seeds::seeds;

const ORACLE: &str = "stream_delivery";
/// A stream of so many bytes is cut everywhere; a longer one at some places.
const EVERYWHERE: usize = 48;
/// Those places.
const CUTS: usize = 4;

static VALIDATOR: LazyLock<Arc<Validator>> = LazyLock::new(|| Arc::new(Validator::default()));

/// Which session hears the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hearer {
    Edge,
    DeviceReady,
    DeviceWaiting,
    ControlHello,
    ControlEdge,
    ControlMaster,
    ControlNode,
    DataEdge,
    DataBackend,
}

impl Hearer {
    pub(crate) const ALL: [Self; 9] = [
        Self::Edge,
        Self::DeviceReady,
        Self::DeviceWaiting,
        Self::ControlHello,
        Self::ControlEdge,
        Self::ControlMaster,
        Self::ControlNode,
        Self::DataEdge,
        Self::DataBackend,
    ];

    pub(crate) fn of(byte: u8) -> Self {
        Self::ALL[usize::from(byte) % Self::ALL.len()]
    }
}

type Transcript<K> = Vec<Said<<<K as Kind>::Model as Model>::Event, <<K as Kind>::Model as Model>::Close>>;
/// What the owner answers to an event.
type React<K> = fn(&<<K as Kind>::Model as Model>::Event) -> Option<<<K as Kind>::Model as Model>::Command>;

const NOW: Timestamp = Timestamp::ORIGIN;

/// A stream of frames gives the same events whole, byte by byte and cut anywhere, in every session.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn oracle(data: &[u8]) {
    let [hearer, cuts, stream @ ..] = data else { return };
    let hearer = Hearer::of(*hearer);
    let name = format!("{hearer:?}");
    match hearer {
        Hearer::Edge => {
            let make = || (edge_kind::EdgeKind::default(), EdgeSide::new(Arc::clone(&VALIDATOR), NOW));
            same(&name, make, stream, *cuts, answer_device);
        }
        Hearer::DeviceReady => same(&name, || (client::ClientKind, DeviceSide::new()), stream, *cuts, |_| None),
        Hearer::DeviceWaiting => {
            let make = || {
                let (mut kind, mut session) = (client::ClientKind, DeviceSide::new());
                let ask = client::Command::Send { platform: 3, body: vec![1] };
                session.handle_command(kind.command(&ask), NOW);
                (kind, session)
            };
            same(&name, make, stream, *cuts, |_| None);
        }
        // Nothing may come before an edge's owner has answered a hello; when it does is not the stream's to say, so it does not.
        Hearer::ControlHello => {
            same(&name, || (control::kinds::EdgeKind, ControlEdge::new(NOW)), stream, *cuts, |_| None);
        }
        Hearer::ControlEdge => {
            let role = 1 + u64::from(*cuts >> 7);
            same(&name, || welcomed(role), stream, *cuts, |_| None);
        }
        Hearer::ControlMaster => control_backend(&name, 1, stream, *cuts),
        Hearer::ControlNode => control_backend(&name, 2, stream, *cuts),
        Hearer::DataEdge => {
            same(&name, || (data::kinds::EdgeKind, DataEdge::new(NOW)), stream, *cuts, |_| None);
        }
        Hearer::DataBackend => data_backend(&name, stream, *cuts),
    }
}

/// The hello that a backend of this role says.
pub(crate) fn hello(kind: u8, role: u64) -> Message {
    let values = vec![role.into(), 7.into(), "node-eu-02".into(), [0xb0; 32].as_slice().into()];
    Message::new(kind, values)
}

fn control_backend(name: &str, role: u64, stream: &[u8], cuts: u8) {
    let Some(_) = control::kinds::backend(&hello(1, role), NOW) else { return };
    let make = || (control::kinds::BackendKind, control::kinds::backend(&hello(1, role), NOW).unwrap_or_else(never));
    let react: React<control::kinds::BackendKind> =
        |event| (event.kind == control::model::kind::WELCOME).then_some(control::model::Command::Trust);
    same(name, make, stream, cuts, react);
}

fn answer_device(event: &edge::Event) -> Option<edge::Command> {
    let edge::Event::Ask { question, request } = event else { return None };
    let answer = match request.content.operation {
        Operation::Auth => edge::Answer::Accepted,
        Operation::Ping => edge::Answer::Refused,
        Operation::Register { .. } | Operation::Transfer { .. } => {
            edge::Answer::Granted { grant: vec![5; 40], signature: [6; 64], token: [7; 16] }
        }
    };
    Some(edge::Command::Answer { question: *question, answer })
}

/// An edge's side that has welcomed a backend of this role.
fn welcomed(role: u64) -> (control::kinds::EdgeKind, ControlEdge) {
    let (mut kind, mut session) = (control::kinds::EdgeKind, ControlEdge::new(NOW));
    session.handle_input(&seal(CONTROL, &hello(control::model::kind::HELLO, role)), NOW);
    let welcome = Message::new(control::model::kind::WELCOME, vec![[0xe0; 32].as_slice().into(), 3.into()]);
    session.handle_command(kind.command(&control::model::Command::Say(welcome)), NOW);
    (kind, session)
}

/// SPEC §9.3.2 makes one difference: bytes behind Assign are told at once if they came together with its last byte; later ones are
/// the hand-over's. So the stream is cut there.
fn data_backend(name: &str, stream: &[u8], cuts: u8) {
    let react: React<data::kinds::BackendKind> =
        |event| (event.kind == data::model::kind::PARKED).then_some(data::model::Command::Trust);
    let hello = hello(data::model::kind::HELLO, 2);
    let make = || (data::kinds::BackendKind, data::kinds::backend(&hello, NOW).unwrap_or_else(never));
    let (mut kind, mut session) = make();
    let slow = transcript(&mut kind, &mut session, stream, |_| 1, react);
    if slow.1 < stream.len() && slow.0.last() == Some(&Said::Close(data::model::Close::HandOver)) {
        let (mut kind, mut session) = make();
        let (whole, _) = transcript(&mut kind, &mut session, stream, |rest| rest, react);
        // Whole, its Assign came together with what stands behind it, if it was in the same offer.
        let ends = [data::model::Close::HandOver, data::model::Close::Violation].map(Said::Close);
        if !whole.last().is_some_and(|last| ends.contains(last)) {
            finding(ORACLE, format_args!("{name}: bytes behind Assign"), format_args!("{whole:?}"));
        }
        return same(name, make, &stream[..slow.1], cuts, react);
    }
    same(name, make, stream, cuts, react);
}

/// For a name that the writer above has made valid.
fn never<T>() -> T {
    unreachable!("the hello of this file is in order")
}

/// However the stream is cut, the session says the same.
fn same<K: Kind>(name: &str, make: impl Fn() -> (K, K::Real), stream: &[u8], cuts: u8, react: React<K>) {
    let run = |pieces: &mut dyn FnMut(usize) -> usize| {
        let (mut kind, mut session) = make();
        transcript(&mut kind, &mut session, stream, pieces, react).0
    };
    let whole = run(&mut |rest| rest);
    let judge = |how: &str, other: &Transcript<K>| {
        if *other != whole {
            let class = format_args!("{name}: {how} it says something else than whole");
            finding(ORACLE, class, format_args!("{other:?}\n{whole:?}"));
        }
    };
    judge("byte by byte", &run(&mut |_| 1));
    let places: Vec<usize> = if stream.len() <= EVERYWHERE {
        (1..stream.len()).collect()
    } else {
        (1..=CUTS).map(|cut| 1 + (usize::from(cuts) * cut * 37 + cut * cut) % (stream.len() - 1)).collect()
    };
    for place in places {
        judge(
            "in two pieces",
            &run(&mut |rest| if stream.len() - rest < place { place - (stream.len() - rest) } else { rest }),
        );
    }
    let size = 2 + usize::from(cuts % 61);
    judge("in pieces", &run(&mut |rest| rest.min(size)));
}

/// All that a session says about a stream, and how many of its bytes it took. `pieces` says how many of the bytes that are left are
/// offered next; what is not taken of them is offered again.
fn transcript<K: Kind>(
    kind: &mut K,
    session: &mut K::Real,
    stream: &[u8],
    mut pieces: impl FnMut(usize) -> usize,
    react: React<K>,
) -> (Transcript<K>, usize) {
    let (mut said, mut taken, mut offered) = (Vec::new(), 0, 0);
    settle(kind, session, &mut said, react);
    while taken < stream.len() && session.wants_input() {
        if offered == 0 {
            offered = pieces(stream.len() - taken).max(1);
        }
        let now = session.handle_input(&stream[taken..taken + offered], NOW);
        let before = said.len();
        settle(kind, session, &mut said, react);
        if now == 0 && said.len() == before {
            finding(ORACLE, format_args!("{}: it wants input and takes nothing", K::NAME), taken);
            break;
        }
        taken += now;
        offered -= now.min(offered);
    }
    session.handle_end(NOW);
    settle(kind, session, &mut said, react);
    // One that is over says so again after every call.
    said.dedup();
    (said, taken)
}

/// Takes what the session says, and answers it.
fn settle<K: Kind>(kind: &mut K, session: &mut K::Real, said: &mut Transcript<K>, react: React<K>) {
    loop {
        match session.poll_output() {
            Output::Send(bytes) => said.push(Said::Send(bytes)),
            Output::Event(event) => {
                let event = kind.event(event);
                let command = react(&event);
                said.push(Said::Event(event));
                if let Some(command) = command {
                    session.handle_command(kind.command(&command), NOW);
                }
            }
            Output::Close(close) => return said.push(Said::Close(K::close(&close))),
            Output::Wait(_) => return,
        }
    }
}

/// A frame of a control connection.
pub(crate) fn control_frame(message: &Message) -> Vec<u8> {
    seal(CONTROL, message)
}

/// A frame of a data connection.
pub(crate) fn data_frame(message: &Message) -> Vec<u8> {
    seal(DATA, message)
}

#[cfg(test)]
mod tests {
    use crate::{churn::churn, targets::STREAM_DELIVERY};

    #[test]
    fn every_session_says_the_same_however_a_stream_is_cut() {
        churn(&STREAM_DELIVERY, 1_500, 4_096);
    }
}
