//! What each machine does in each state at each event, compared with a text in the repository.
//!
//! After a wanted change: `SALLYPORT_WRITE_TRANSITIONS=1 cargo test -p relay-wire transitions`, and read the difference.

use alloc::{boxed::Box, format, string::String, vec, vec::Vec};
use core::time::Duration;

use super::{
    describe::{Readable, outputs},
    harness::at,
    samples::{self, BACKEND_PROOF, EDGE_PROOF, GENERATION, Op, PLATFORM, Who},
};
use crate::{
    Platform,
    frame::{
        control::{ControlFrame, Hello, Verdict, Welcome},
        data::DataFrame,
        reply::{Offer, Reply},
    },
    ids::{Exporter, RequestId, Role},
    session::{
        Output, Session, control, data,
        device::{self, Answer, QuestionId},
    },
    time::Timestamp,
};

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/session/tests/transitions.txt");

type Event<S> = (String, Box<dyn Fn(&mut S, Timestamp)>);
type Step<S> = Box<dyn Fn(&mut S)>;
type State<S> = (&'static str, Box<dyn Fn() -> S>);

/// Every state is reached at this time.
const NOW: Timestamp = at(1_000);

fn input<S: Session>(name: &str, bytes: Vec<u8>) -> Event<S> {
    (
        String::from(name),
        Box::new(move |session: &mut S, now| {
            session.handle_input(&bytes, now);
        }),
    )
}

fn command<S: Session>(name: &str, make: impl Fn() -> S::Command + 'static) -> Event<S> {
    (String::from(name), Box::new(move |session: &mut S, now| session.handle_command(make(), now)))
}

fn common<S: Session>() -> Vec<Event<S>> {
    vec![(String::from("end of stream"), Box::new(|session: &mut S, now| session.handle_end(now)))]
}

/// The states reached from `start` by feeding bytes and commands, outputs thrown away.
fn reached<S: Readable>(mut session: S, steps: &[&dyn Fn(&mut S)]) -> S {
    outputs(&mut session, None);
    for step in steps {
        step(&mut session);
        outputs(&mut session, None);
    }
    session
}

fn table<S: Readable>(text: &mut String, name: &str, states: &[State<S>], events: &[Event<S>]) {
    text.push_str(&format!("# {name}\n"));
    for (state, make) in states {
        let mut quiet = make();
        let rest = outputs(&mut quiet, Some(NOW)).join("; ");
        let takes = if quiet.wants_input() { "takes input" } else { "takes nothing" };
        text.push_str(&format!("\n## {state} ({takes}; {rest})\n"));
        for (event, apply) in events {
            let mut session = make();
            outputs(&mut session, None);
            apply(&mut session, NOW);
            let said = outputs(&mut session, Some(NOW)).join("; ");
            if said != rest {
                text.push_str(&format!("{event}: {said}\n"));
            }
        }
        if let Some((deadline, mut session)) = deadline(make()) {
            session.handle_timeout(at(999_999_999).min(deadline));
            let said = outputs(&mut session, Some(deadline)).join("; ");
            text.push_str(&format!("deadline: {said}\n"));
        }
    }
    text.push('\n');
}

fn deadline<S: Session>(mut session: S) -> Option<(Timestamp, S)> {
    loop {
        match session.poll_output() {
            Output::Send(_) | Output::Event(_) => {}
            Output::Wait(until) => return until.map(|until| (until, session)),
            Output::Close(_) => return None,
        }
    }
}

fn device_edge(text: &mut String) {
    type Edge = device::EdgeSide;
    let feed = |bytes: Vec<u8>| {
        move |session: &mut Edge| {
            session.handle_input(&bytes, NOW);
        }
    };
    let answer = |number, answer: Answer| device::EdgeCommand::Answer { question: QuestionId(number), answer };
    let fresh = || Edge::new(samples::validator(), Timestamp::ORIGIN);
    let register = feed(samples::frame(Who::Ana, Op::Register, 1));
    let auth = feed(samples::frame(Who::Ana, Op::Auth, 2));
    let backup = feed(samples::frame(Who::Ana, Op::Backup, 3));
    let later = move |s: &mut Edge| s.handle_command(answer(1, Answer::Later(Duration::from_secs(1))), NOW);
    let accept = move |s: &mut Edge| s.handle_command(answer(1, Answer::Accepted), NOW);
    let part = feed(b"EDG1\x02".to_vec());
    let end = |s: &mut Edge| s.handle_end(NOW);
    let drain = |s: &mut Edge| s.handle_command(device::EdgeCommand::Drain(Duration::from_secs(9)), NOW);
    let steps: Vec<(&'static str, Vec<Step<Edge>>)> = vec![
        ("opening", vec![]),
        ("opening, part of a frame", vec![Box::new(part.clone())]),
        ("stranger asked register", vec![Box::new(register.clone())]),
        ("stranger between", vec![Box::new(register.clone()), Box::new(later)]),
        ("stranger inside", vec![Box::new(register), Box::new(later), Box::new(part.clone())]),
        ("stranger asked auth", vec![Box::new(auth.clone())]),
        ("device between", vec![Box::new(auth.clone()), Box::new(accept)]),
        ("device inside", vec![Box::new(auth.clone()), Box::new(accept), Box::new(part)]),
        ("device asked backup", vec![Box::new(auth.clone()), Box::new(accept), Box::new(backup.clone())]),
        (
            "device asked backup, ended",
            vec![Box::new(auth.clone()), Box::new(accept), Box::new(backup.clone()), Box::new(end)],
        ),
        (
            "device asked backup, draining",
            vec![Box::new(auth.clone()), Box::new(accept), Box::new(backup), Box::new(drain)],
        ),
        ("over", vec![Box::new(auth), Box::new(accept), Box::new(end)]),
    ];
    let states: Vec<State<Edge>> = steps
        .into_iter()
        .map(|(name, steps)| {
            let make = move || reached(fresh(), &steps.iter().map(|step| &**step).collect::<Vec<_>>());
            (name, Box::new(make) as Box<dyn Fn() -> Edge>)
        })
        .collect();
    let mut events: Vec<Event<Edge>> = vec![
        input("one good byte", b"E".to_vec()),
        input("wrong magic", b"GET / HTTP/1.1\r\n".to_vec()),
        input("header of another platform", crate::frame::opening::Header::encode(Platform::Linux, 4).to_vec()),
        input("malformed body", samples::framed(PLATFORM, b"<plist>")),
        input("register", samples::frame(Who::Ana, Op::Register, 11)),
        input("auth", samples::frame(Who::Ana, Op::Auth, 12)),
        input("ping", samples::frame(Who::Ana, Op::Ping, 13)),
        input("backup", samples::frame(Who::Ana, Op::Backup, 14)),
        input("auth of another device", samples::frame(Who::Ben, Op::Auth, 15)),
        input("auth with a used nonce", samples::frame(Who::Ana, Op::Auth, 2)),
    ];
    for (name, number) in [("1", 1), ("2", 2)] {
        let named = |what: &str| format!("answer {name}: {what}");
        events.push(command(&named("accepted"), move || answer(number, Answer::Accepted)));
        events.push(command(&named("refused"), move || answer(number, Answer::Refused)));
        events.push(command(&named("later"), move || answer(number, Answer::Later(Duration::from_secs(7)))));
        events.push(command(&named("granted"), move || {
            answer(number, Answer::Granted { grant: samples::grant(1), token: samples::token(4) })
        }));
    }
    events.push(command("revoke", || device::EdgeCommand::Revoke));
    events.push(command("drain", || device::EdgeCommand::Drain(Duration::from_secs(3))));
    events.extend(common());
    table(text, "device connection, edge", &states, &events);
}

fn device_side(text: &mut String) {
    type Side = device::DeviceSide;
    let send = || device::DeviceCommand::Send { platform: PLATFORM, body: b"body".to_vec() };
    let asked = move |s: &mut Side| s.handle_command(send(), NOW);
    let part = |s: &mut Side| {
        s.handle_input(b"EDR1", NOW);
    };
    let states: Vec<State<Side>> = vec![
        ("ready", Box::new(|| reached(Side::new(), &[]))),
        ("waiting", Box::new(move || reached(Side::new(), &[&asked]))),
        ("waiting, part of a reply", Box::new(move || reached(Side::new(), &[&asked, &part]))),
        ("over", Box::new(|| reached(Side::new(), &[&|s: &mut Side| s.handle_end(NOW)]))),
    ];
    let offer = Offer { token: samples::token(5), lifetime: Duration::from_secs(30), grant: samples::grant(5) };
    let mut events: Vec<Event<Side>> = vec![
        input("accepted", Reply::Accepted.encode()),
        input("refused", Reply::Refused.encode()),
        input("later", Reply::Later(Duration::from_secs(2)).encode()),
        input("tunnel", Reply::Tunnel(offer).encode()),
        input("draining", Reply::Draining(Duration::from_secs(3)).encode()),
        input("wrong magic", b"HTTP/1.1 400 Bad Request\r\n".to_vec()),
        command("send", send),
        command("close", || device::DeviceCommand::Close),
    ];
    events.extend(common());
    table(text, "device connection, device", &states, &events);
}

fn control_frames<S: Session>() -> Vec<Event<S>> {
    let hello = |role| {
        let hello = Hello { role, name: samples::name(role), generation: GENERATION, proof: BACKEND_PROOF };
        ControlFrame::Hello(hello).encode()
    };
    let ask = ControlFrame::Ask { id: RequestId(3), exporter: Exporter([0; 32]), request: vec![1; 50] };
    vec![
        input("hello of a master", hello(Role::Master)),
        input("hello of a node", hello(Role::StorageNode)),
        input("welcome", ControlFrame::Welcome(Welcome { proof: EDGE_PROOF, spares_max: 2 }).encode()),
        input("ask", ask.encode()),
        input("answer", ControlFrame::Answer { id: RequestId(3), verdict: Verdict::Accepted }.encode()),
        input("dial", ControlFrame::Dial { count: 2 }.encode()),
        input("revoke", ControlFrame::Revoke { device_id: samples::device_id(Who::Ana) }.encode()),
        input("leave", ControlFrame::Leave.encode()),
        input("ping", ControlFrame::Ping.encode()),
        input("pong", ControlFrame::Pong.encode()),
        input("part of a ping", b"\x08\0\0".to_vec()),
        input("unknown kind", b"\x0a".to_vec()),
        input("too long", b"\x08\x01".to_vec()),
    ]
}

fn control_edge(text: &mut String) {
    type Edge = control::EdgeSide;
    let hello = |role| {
        move |s: &mut Edge| {
            let hello = Hello { role, name: samples::name(role), generation: GENERATION, proof: BACKEND_PROOF };
            s.handle_input(&ControlFrame::Hello(hello).encode(), NOW);
        }
    };
    let fresh = || Edge::new(Timestamp::ORIGIN);
    let welcome = || control::EdgeCommand::Welcome(Welcome { proof: EDGE_PROOF, spares_max: 2 });
    let up = move |s: &mut Edge| s.handle_command(welcome(), NOW);
    let leave = |s: &mut Edge| {
        s.handle_input(&ControlFrame::Leave.encode(), NOW);
        s.handle_command(control::EdgeCommand::Leave, NOW);
    };
    let part = |s: &mut Edge| {
        s.handle_input(&ControlFrame::Ping.encode()[..2], NOW);
    };
    let states: Vec<State<Edge>> = vec![
        ("awaiting hello", Box::new(move || reached(fresh(), &[]))),
        ("proving a master", Box::new(move || reached(fresh(), &[&hello(Role::Master)]))),
        ("up with a master", Box::new(move || reached(fresh(), &[&hello(Role::Master), &up]))),
        ("up with a node", Box::new(move || reached(fresh(), &[&hello(Role::StorageNode), &up]))),
        ("up with a master, both leaving", Box::new(move || reached(fresh(), &[&hello(Role::Master), &up, &leave]))),
        (
            "up with a node, part of a ping",
            Box::new(move || reached(fresh(), &[&hello(Role::StorageNode), &up, &part])),
        ),
        ("over", Box::new(move || reached(fresh(), &[&|s: &mut Edge| s.handle_end(NOW)]))),
    ];
    let mut events = control_frames();
    events.extend([
        command("command welcome", welcome),
        command("command reject", || control::EdgeCommand::Reject),
        command("command ask", || control::EdgeCommand::Ask {
            id: RequestId(4),
            exporter: Exporter([0; 32]),
            request: vec![1; 60],
        }),
        command("command dial", || control::EdgeCommand::Dial(3)),
        command("command dial 0", || control::EdgeCommand::Dial(0)),
        command("command leave", || control::EdgeCommand::Leave),
        command("command supersede", || control::EdgeCommand::Supersede),
    ]);
    events.extend(common());
    table(text, "control connection, edge", &states, &events);
}

fn control_backend(text: &mut String) {
    type Backend = control::BackendSide;
    let fresh = |role| Backend::new(role, samples::name(role), GENERATION, BACKEND_PROOF, Timestamp::ORIGIN);
    let welcome = |s: &mut Backend| {
        s.handle_input(&ControlFrame::Welcome(Welcome { proof: EDGE_PROOF, spares_max: 2 }).encode(), NOW);
    };
    let up = |s: &mut Backend| s.handle_command(control::BackendCommand::Trust, NOW);
    let leave = |s: &mut Backend| {
        s.handle_input(&ControlFrame::Leave.encode(), NOW);
        s.handle_command(control::BackendCommand::Leave, NOW);
    };
    let states: Vec<State<Backend>> = vec![
        ("awaiting welcome", Box::new(move || reached(fresh(Role::Master), &[]))),
        ("proving the edge", Box::new(move || reached(fresh(Role::Master), &[&welcome]))),
        ("up as master", Box::new(move || reached(fresh(Role::Master), &[&welcome, &up]))),
        ("up as node", Box::new(move || reached(fresh(Role::StorageNode), &[&welcome, &up]))),
        ("up as master, both leaving", Box::new(move || reached(fresh(Role::Master), &[&welcome, &up, &leave]))),
        ("over", Box::new(move || reached(fresh(Role::Master), &[&|s: &mut Backend| s.handle_end(NOW)]))),
    ];
    let mut events = control_frames();
    events.extend([
        command("command trust", || control::BackendCommand::Trust),
        command("command distrust", || control::BackendCommand::Distrust),
        command("command answer", || control::BackendCommand::Answer { id: RequestId(4), verdict: Verdict::Refused }),
        command("command revoke", || control::BackendCommand::Revoke(samples::device_id(Who::Ben))),
        command("command leave", || control::BackendCommand::Leave),
        command("command close", || control::BackendCommand::Close),
    ]);
    events.extend(common());
    table(text, "control connection, backend", &states, &events);
}

fn data_frames<S: Session>() -> Vec<Event<S>> {
    let role = Role::StorageNode;
    let hello = DataFrame::Hello { role, name: samples::name(role), generation: GENERATION, proof: BACKEND_PROOF };
    let assign = DataFrame::Assign { grant: samples::grant(6), remote: samples::remote() }.encode();
    let mut behind = assign.clone();
    behind.push(0x16);
    vec![
        input("hello", hello.encode()),
        input("parked", DataFrame::Parked { proof: EDGE_PROOF }.encode()),
        input("assign", assign),
        input("assign and a byte", behind),
        input("unknown kind", b"\x14".to_vec()),
        input("part of a hello", b"\x11\0\0".to_vec()),
        input("part of an assign", b"\x13\0\0".to_vec()),
    ]
}

fn data_edge(text: &mut String) {
    type Edge = data::EdgeSide;
    let fresh = || Edge::new(Timestamp::ORIGIN);
    let hello = |s: &mut Edge| {
        let role = Role::StorageNode;
        let hello = DataFrame::Hello { role, name: samples::name(role), generation: GENERATION, proof: BACKEND_PROOF };
        s.handle_input(&hello.encode(), NOW);
    };
    let park = |s: &mut Edge| s.handle_command(data::EdgeCommand::Park { proof: EDGE_PROOF }, NOW);
    let assign = || data::EdgeCommand::Assign { grant: samples::grant(6), remote: samples::remote() };
    let over = move |s: &mut Edge| s.handle_command(assign(), NOW);
    let states: Vec<State<Edge>> = vec![
        ("awaiting hello", Box::new(move || reached(fresh(), &[]))),
        ("proving", Box::new(move || reached(fresh(), &[&hello]))),
        ("parked", Box::new(move || reached(fresh(), &[&hello, &park]))),
        ("handed over", Box::new(move || reached(fresh(), &[&hello, &park, &over]))),
    ];
    let mut events = data_frames();
    events.extend([
        command("command park", || data::EdgeCommand::Park { proof: EDGE_PROOF }),
        command("command reject", || data::EdgeCommand::Reject),
        command("command assign", assign),
        command("command close", || data::EdgeCommand::Close),
    ]);
    events.extend(common());
    table(text, "data connection, edge", &states, &events);
}

fn data_backend(text: &mut String) {
    type Backend = data::BackendSide;
    let role = Role::StorageNode;
    let fresh = move || Backend::new(role, samples::name(role), GENERATION, BACKEND_PROOF, Timestamp::ORIGIN);
    let proof = |s: &mut Backend| {
        s.handle_input(&DataFrame::Parked { proof: EDGE_PROOF }.encode(), NOW);
    };
    let park = |s: &mut Backend| s.handle_command(data::BackendCommand::Trust, NOW);
    let part = |s: &mut Backend| {
        s.handle_input(b"\x13\0\0", NOW);
    };
    let over = |s: &mut Backend| {
        let assign = DataFrame::Assign { grant: samples::grant(6), remote: samples::remote() };
        s.handle_input(&assign.encode(), NOW);
    };
    let states: Vec<State<Backend>> = vec![
        ("awaiting parked", Box::new(move || reached(fresh(), &[]))),
        ("proving the edge", Box::new(move || reached(fresh(), &[&proof]))),
        ("parked", Box::new(move || reached(fresh(), &[&proof, &park]))),
        ("parked, part of an assign", Box::new(move || reached(fresh(), &[&proof, &park, &part]))),
        ("handed over", Box::new(move || reached(fresh(), &[&proof, &park, &over]))),
    ];
    let mut events = data_frames();
    events.extend([
        command("command trust", || data::BackendCommand::Trust),
        command("command distrust", || data::BackendCommand::Distrust),
        command("command close", || data::BackendCommand::Close),
    ]);
    events.extend(common());
    table(text, "data connection, backend", &states, &events);
}

#[test]
fn every_state_meets_every_event_as_written() {
    let mut text = String::from(
        "Every machine of `relay/wire/src/session`: each state, and what each event makes of it.\n\
         An event that is not listed under a state shows nothing there.\n\n",
    );
    device_edge(&mut text);
    device_side(&mut text);
    control_edge(&mut text);
    control_backend(&mut text);
    data_edge(&mut text);
    data_backend(&mut text);
    let text = format!("{}\n", text.trim_end());
    if std::env::var_os("SALLYPORT_WRITE_TRANSITIONS").is_some() {
        std::fs::write(SNAPSHOT, &text).unwrap();
    }
    let written = std::fs::read_to_string(SNAPSHOT).unwrap_or_default();
    for (number, (now, then)) in text.lines().zip(written.lines()).enumerate() {
        assert_eq!(now, then, "line {} of {SNAPSHOT}", number + 1);
    }
    assert_eq!(text, written, "{SNAPSHOT} ends elsewhere");
}
