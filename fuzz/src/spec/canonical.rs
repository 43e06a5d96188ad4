//! The canonical encoding of SPEC 5.3, written from that text out of a [`Meaning`].

use super::{Meaning, OPERATIONS, Platform, rows};

/// How a fact is written (SPEC 5.3.4).
enum Form {
    Text,
    OptionalText,
    /// The place of the word in the row's list.
    Word,
    /// `true` or `1`
    Boolean,
    /// So many bytes, big-endian.
    Number(usize),
    OptionalByte,
    /// Numbers of so many bytes, apart by a dot or a space.
    Numbers(usize),
    Net,
    LinuxPower,
    PhonePower,
    Level,
}

use Form::{Boolean, Level, LinuxPower, Net, Number, Numbers, OptionalByte, OptionalText, PhonePower, Text, Word};

/// Names of rows, and their forms, in the order of SPEC 5.3.4.
const fn facts(platform: Platform) -> &'static [(&'static str, Form)] {
    match platform {
        Platform::Windows => &[
            ("computerName", Text),
            ("osVersion", Numbers(2)),
            ("arch", Number(2)),
            ("appVersion", Numbers(2)),
            ("locale", Text),
            ("timeZone", Text),
            ("ifType", Number(4)),
            ("power", Numbers(1)),
        ],
        Platform::MacOs => &[
            ("AppBuild", Text),
            ("AppVersion", Text),
            ("BatteryPercent", OptionalByte),
            ("BuildVersion", Text),
            ("ComputerName", Text),
            ("HardwareModel", Text),
            ("LocalHostName", Text),
            ("Locale", Text),
            ("NetworkInterface", Word),
            ("OSVersion", Text),
            ("OnBattery", Boolean),
            ("TimeZone", Text),
        ],
        Platform::Linux => &[
            ("HOSTNAME", Text),
            ("OS_ID", Text),
            ("OS_VERSION_ID", OptionalText),
            ("KERNEL", Text),
            ("ARCH", Word),
            ("AGENT", Text),
            ("LANG", Text),
            ("TZ", Text),
            ("NET", Net),
            ("POWER", LinuxPower),
        ],
        Platform::Ios => &[
            ("deviceName", Text),
            ("model", Text),
            ("system.name", Word),
            ("system.version", Text),
            ("system.build", Text),
            ("app.bundle", Text),
            ("app.version", Text),
            ("app.build", Text),
            ("locale", Text),
            ("timeZone", Text),
            ("net.type", Word),
            ("net.expensive", Boolean),
            ("net.constrained", Boolean),
            ("power.state", Word),
            ("power.level", Level),
            ("power.lowPower", Boolean),
        ],
        Platform::Android => &[
            ("manufacturer", Text),
            ("model", Text),
            ("device", Text),
            ("release", Text),
            ("sdk", Number(1)),
            ("patch", OptionalText),
            ("build", Text),
            ("app_id", Text),
            ("app_version", Text),
            ("app_code", Number(4)),
            ("lang", Text),
            ("tz", Text),
            ("net", Word),
            ("metered", Boolean),
            ("charging", Boolean),
            ("battery", Number(1)),
        ],
        Platform::WindowsPhone => &[
            ("SessionID", Text),
            ("MsgID", Number(2)),
            ("Target", Text),
            ("./DevInfo/Man", Text),
            ("./DevInfo/Mod", Text),
            ("./DevInfo/DmV", Word),
            ("./DevInfo/Lang", Text),
            ("./DevDetail/SwV", Text),
            ("./Edge/App", Text),
            ("./Edge/Name", Text),
            ("./Edge/Tz", Text),
            ("./Edge/Net", Word),
            ("./Edge/Power", PhonePower),
            ("./Edge/Agent", Word),
        ],
    }
}

const LINKS: &[&str] = &["ethernet", "wifi", "wwan", "tunnel"];
const METERED: &[&str] = &["yes", "no", "guess-yes", "guess-no", "unknown"];
const SOURCES: &[&str] = &["External", "Battery"];

/// The encoding of a request; `None` for a meaning that has none.
#[must_use]
pub fn encode(meaning: &Meaning) -> Option<Vec<u8>> {
    let platform = meaning.platform?;
    let mut out = Vec::with_capacity(512);
    out.extend([1, platform as u8]);
    put_bytes(&mut out, meaning.device_id.as_bytes())?;
    out.push(1 + place(&OPERATIONS, meaning.operation)?);
    if let Some(user) = &meaning.user {
        put_bytes(&mut out, user.as_bytes())?;
    }
    if let Some(node) = &meaning.node {
        put_bytes(&mut out, node.as_bytes())?;
        put_number(&mut out, 2, meaning.paths.len() as u64);
        for path in &meaning.paths {
            put_bytes(&mut out, path)?;
        }
    }
    put_number(&mut out, 8, meaning.sent_at);
    out.extend_from_slice(&meaning.nonce);
    out.push(u8::from(meaning.estimate.is_some()));
    if let Some(estimate) = meaning.estimate {
        put_number(&mut out, 8, estimate);
    }
    let mut given = meaning.facts.iter().peekable();
    for (name, form) in facts(platform) {
        let fact = given.next_if(|(given, _)| given == name).map(|(_, text)| text.as_str());
        put_fact(&mut out, platform, name, form, fact)?;
    }
    out.push(if meaning.proof.len() == 32 { 1 } else { 2 });
    out.extend_from_slice(&meaning.proof);
    given.next().is_none().then_some(out)
}

fn put_fact(out: &mut Vec<u8>, platform: Platform, name: &str, form: &Form, fact: Option<&str>) -> Option<()> {
    if let OptionalText | OptionalByte = form {
        out.push(u8::from(fact.is_some()));
        if fact.is_none() {
            return Some(());
        }
    }
    let fact = fact?;
    let number = || fact.parse::<u64>().ok();
    match form {
        Text | OptionalText => put_bytes(out, fact.as_bytes())?,
        Word => {
            let row = rows(platform).iter().find(|row| row.name == name)?;
            out.push(place(row.words, fact)?);
        }
        Boolean => out.push(u8::from(matches!(fact, "true" | "1"))),
        Number(width) => put_number(out, *width, number()?),
        OptionalByte => put_number(out, 1, number()?),
        Numbers(width) => {
            for part in fact.split(['.', ' ']) {
                put_number(out, *width, part.parse().ok()?);
            }
        }
        Net => {
            let mut parts = fact.rsplitn(3, ':');
            let (metered, link, interface) = (parts.next()?, parts.next()?, parts.next()?);
            put_bytes(out, interface.as_bytes())?;
            out.extend([place(LINKS, link)?, place(METERED, metered)?]);
        }
        LinuxPower => match fact.strip_prefix("battery:") {
            Some(percent) => out.extend([2, percent.parse().ok()?]),
            None => out.push(place(&["ac", "unknown"], fact)?),
        },
        PhonePower => {
            let (source, percent) = fact.split_once(':')?;
            out.extend([place(SOURCES, source)?, percent.parse().ok()?]);
        }
        Level if fact == "-1" => out.push(0),
        Level => {
            out.push(1);
            put_number(out, 8, number()?);
        }
    }
    Some(())
}

fn place(words: &[&str], word: &str) -> Option<u8> {
    words.iter().position(|known| *known == word).and_then(|place| u8::try_from(place).ok())
}

/// text16 and bytes16
fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    put_number(out, 2, u64::from(u16::try_from(bytes.len()).ok()?));
    out.extend_from_slice(bytes);
    Some(())
}

fn put_number(out: &mut Vec<u8>, width: usize, number: u64) {
    out.extend_from_slice(&number.to_be_bytes()[8 - width..]);
}
