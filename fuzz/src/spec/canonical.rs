//! The canonical encoding of SPEC 5.3, written from that text: out of a [`Meaning`], and back.

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

/// What an encoding says; `None` if it is malformed.
#[must_use]
pub fn decode(encoded: &[u8]) -> Option<Meaning> {
    let mut rest = encoded;
    let mut meaning = Meaning::default();
    if take_number(&mut rest, 1)? != 1 {
        return None;
    }
    let number = take_number(&mut rest, 1)?;
    let platform = Platform::ALL.into_iter().find(|platform| *platform as u64 == number)?;
    meaning.platform = Some(platform);
    meaning.device_id = take_text(&mut rest)?;
    let operation = usize::try_from(take_number(&mut rest, 1)?).ok()?.checked_sub(1)?;
    meaning.operation = OPERATIONS.get(operation)?;
    match meaning.operation {
        "register" => meaning.user = Some(take_text(&mut rest)?),
        "backup" | "restore" | "sync" => {
            meaning.node = Some(take_text(&mut rest)?);
            for _ in 0..take_number(&mut rest, 2)? {
                meaning.paths.push(take_bytes(&mut rest)?.to_vec());
            }
        }
        _ => {}
    }
    meaning.sent_at = take_number(&mut rest, 8)?;
    meaning.nonce = take(&mut rest, 16)?.to_vec();
    if take_flag(&mut rest)? {
        meaning.estimate = Some(take_number(&mut rest, 8)?);
    }
    for (name, form) in facts(platform) {
        if let OptionalText | OptionalByte = form
            && !take_flag(&mut rest)?
        {
            continue;
        }
        meaning.facts.push((name, take_fact(&mut rest, platform, name, form)?));
    }
    let proof = match take_number(&mut rest, 1)? {
        1 => 32,
        2 => 64,
        _ => return None,
    };
    meaning.proof = take(&mut rest, proof)?.to_vec();
    rest.is_empty().then_some(meaning)
}

fn take_fact(rest: &mut &[u8], platform: Platform, name: &str, form: &Form) -> Option<String> {
    let mut word = |words: &[&'static str]| words.get(usize::try_from(take_number(rest, 1)?).ok()?).copied();
    let row = || rows(platform).iter().find(|row| row.name == name);
    Some(match form {
        Text | OptionalText => take_text(rest)?,
        Word => word(row()?.words)?.to_owned(),
        Boolean if platform == Platform::Android => u8::from(take_flag(rest)?).to_string(),
        Boolean => take_flag(rest)?.to_string(),
        Number(width) => take_number(rest, *width)?.to_string(),
        OptionalByte => take_number(rest, 1)?.to_string(),
        Numbers(width) => {
            let mut numbers = [0; 4];
            for number in &mut numbers {
                *number = take_number(rest, *width)?;
            }
            numbers.map(|number| number.to_string()).join(if *width == 1 { " " } else { "." })
        }
        Net => {
            let interface = take_text(rest)?;
            let (link, metered) = (take_number(rest, 1)?, take_number(rest, 1)?);
            let link = LINKS.get(usize::try_from(link).ok()?)?;
            format!("{interface}:{link}:{}", METERED.get(usize::try_from(metered).ok()?)?)
        }
        LinuxPower => match take_number(rest, 1)? {
            0 => "ac".to_owned(),
            1 => "unknown".to_owned(),
            2 => format!("battery:{}", take_number(rest, 1)?),
            _ => return None,
        },
        PhonePower => {
            let source = word(SOURCES)?;
            format!("{source}:{}", take_number(rest, 1)?)
        }
        Level if take_flag(rest)? => take_number(rest, 8)?.to_string(),
        Level => "-1".to_owned(),
    })
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(taken)
}

fn take_number(rest: &mut &[u8], width: usize) -> Option<u64> {
    Some(take(rest, width)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

fn take_flag(rest: &mut &[u8]) -> Option<bool> {
    match take_number(rest, 1)? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// text16 and bytes16
fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take_number(rest, 2)?;
    take(rest, usize::try_from(length).ok()?)
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    std::str::from_utf8(take_bytes(rest)?).ok().map(ToOwned::to_owned)
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
