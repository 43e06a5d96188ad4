//! FORMATS §3: Linux, lines of `KEY=value`.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::{
    Content, Platform, Request,
    cross::{CrossFields, Parts},
    fields::{Field, Survey, Values, find},
    grammar::{self, kept, word},
    words::words,
};
use crate::{
    canonical::read_flag,
    codec::{Malformed, Reader, TooLong, Writer},
    error::{Code, Rejection},
    ids::DeviceId,
};

mod judges;

/// The table of fields; the first is the word on line 1.
pub const FIELDS: &[Field] = &[
    Field::required("op", "register, auth, backup, restore, sync or ping"),
    Field::required("MACHINE_ID", "32, [0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}"),
    Field::conditional("MASS_TOKEN", "C1", "MASS"),
    Field::conditional("DEVICE_TOKEN", "C1", "DEV"),
    Field::conditional("USER", "C1", "USER"),
    Field::required("HOSTNAME", "1..64, LABEL(.LABEL)*"),
    Field::required("OS_ID", "1..32 of [a-z0-9._-]"),
    Field::optional("OS_VERSION_ID", "1..32 of [a-z0-9._-]"),
    Field::required("KERNEL", "3..64, [2-9].n(.n){0,2}, n [0-9]{1,3}, then optional [+~_-][A-Za-z0-9.+~_-]*"),
    Field::required("ARCH", "x86_64, i686, aarch64, armv7l, ppc64le, s390x or riscv64"),
    Field::required("AGENT", "5..64, Semantic Versioning 2.0.0, its three numbers of at most 5 digits"),
    Field::required(
        "LANG",
        "1..40, C, POSIX, C.UTF-8, C.utf8 or [a-z]{2,3}_[A-Z]{2}(.[A-Za-z0-9-]{1,16})?(@[a-z]{1,16})?",
    ),
    Field::required("TZ", "IANA"),
    Field::required(
        "NET",
        "9..40, ifname:ethernet|wifi|wwan|tunnel:yes|no|guess-yes|guess-no|unknown, ifname 1..15 but / and :",
    ),
    Field::required("POWER", "2..11, ac, unknown or battery:(0|[1-9][0-9]?|100)"),
    Field::required("SENT", "10, [1-9][0-9]{9}, Unix seconds, TIME"),
    Field::required("NONCE", "NONCE in hex"),
    Field::conditional("NODE", "C2", "NODE"),
    Field::conditional(
        "PATH",
        "C2",
        "absolute, at most 4095 bytes, components of 1..255; %XX outside 21..7E and for %",
    )
    .repeating(),
    Field::optional("ESTIMATE", "EST"),
];

const GREETING: &str = "EDGE-AGENT/1 ";

/// The facts that a Linux device states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Host name, 1..64 characters.
    pub host_name: String,
    /// `ID` of os-release, 1..32 characters.
    pub os_id: String,
    /// `VERSION_ID` of os-release, 1..32 characters; rolling systems have none.
    pub os_version_id: Option<String>,
    /// `uname -r`, 3..64 characters.
    pub kernel: String,
    /// `uname -m`.
    pub arch: Arch,
    /// The client's version (Semantic Versioning), 5..64 characters.
    pub agent: String,
    /// `LANG`, 1..40 characters.
    pub lang: String,
    /// IANA time zone.
    pub time_zone: String,
    /// The interface that the connection goes through.
    pub net: Net,
    /// Mains or battery.
    pub power: Power,
}

words! {
    /// The processor architecture, as `uname -m` names it.
    pub enum Arch {
        /// 64-bit AMD and Intel.
        X86_64 = "x86_64",
        /// 32-bit Intel.
        I686 = "i686",
        /// 64-bit ARM.
        Aarch64 = "aarch64",
        /// 32-bit ARM.
        Armv7l = "armv7l",
        /// 64-bit POWER, little-endian.
        Ppc64le = "ppc64le",
        /// IBM Z.
        S390x = "s390x",
        /// 64-bit RISC-V.
        Riscv64 = "riscv64",
    }
}

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Net {
    /// Its name, 1..15 characters, without `/` and `:`.
    pub interface: String,
    /// Its kind.
    pub kind: Link,
    /// Whether it is metered.
    pub metered: Metered,
}

words! {
    /// The kind of a network interface.
    pub enum Link {
        /// A cable.
        Ethernet = "ethernet",
        /// Wi-Fi.
        Wifi = "wifi",
        /// Mobile broadband.
        Wwan = "wwan",
        /// A tunnel, as of a VPN.
        Tunnel = "tunnel",
    }
}

words! {
    /// Whether traffic costs, as NetworkManager names it.
    pub enum Metered {
        /// It does.
        Yes = "yes",
        /// It does not.
        No = "no",
        /// It seems to.
        GuessYes = "guess-yes",
        /// It seems not to.
        GuessNo = "guess-no",
        /// Not known.
        Unknown = "unknown",
    }
}

/// What the device runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Power {
    /// Mains.
    Ac,
    /// Not known.
    Unknown,
    /// Battery, charged to this percentage, 0..100.
    Battery(u8),
}

/// The lines of a body between the first and the last, as pairs; the container has been checked.
#[derive(Clone)]
struct Container<'a> {
    op: &'a str,
    lines: &'a str,
}

impl<'a> Container<'a> {
    fn pairs(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.lines.split_terminator('\n').filter_map(|line| line.split_once('='))
    }
}

/// The two steps that judge the body as a whole: its bytes, then its lines.
fn container(body: &[u8]) -> Result<Container<'_>, Rejection> {
    if !body.iter().all(|byte| matches!(byte, 0x20..=0x7E | b'\n' | b'\r')) {
        return Err(Rejection::new(Code::Encoding, "body"));
    }
    lines(body).ok_or(Rejection::new(Code::Syntax, "line"))
}

fn lines(body: &[u8]) -> Option<Container<'_>> {
    if body.contains(&b'\r') {
        return None;
    }
    let (first, rest) = core::str::from_utf8(body).ok()?.split_once('\n')?;
    let op = first.strip_prefix(GREETING)?;
    let lines = rest.strip_suffix("END\n")?;
    let op_is_word = (1..=16).contains(&op.len()) && op.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_pair = |line: &str| {
        line.split_once('=').is_some_and(|(key, value)| {
            (2..=16).contains(&key.len())
                && key.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
                && !value.contains(' ')
        })
    };
    // Without a line end before it, `END` is the end of a line and not a line.
    let whole = lines.is_empty() || lines.ends_with('\n');
    (op_is_word && whole && lines.split_terminator('\n').all(is_pair)).then_some(Container { op, lines })
}

pub(crate) fn parse(body: &[u8]) -> Result<Request, Rejection> {
    let container = container(body)?;
    let mut survey = Survey::new(FIELDS);
    survey.meet(Some(0));
    for (key, value) in container.pairs() {
        if key == "PATH" && !judges::is_escaped(value) {
            return Err(Rejection::new(Code::Encoding, "PATH"));
        }
        survey.meet(find(FIELDS, key.as_bytes()));
    }
    survey.judge()?;

    let pairs =
        container.pairs().filter_map(|(key, value)| Some((FIELDS.get(find(FIELDS, key.as_bytes())?)?.name, value)));
    let mut values = Values::new(core::iter::once(("op", container.op)).chain(pairs));
    let name = values.required("op", grammar::operation)?;
    let id = values.required("MACHINE_ID", kept(judges::machine_id))?;
    let mut cross = CrossFields {
        mass: values.optional("MASS_TOKEN", grammar::mass_proof)?,
        device: values.optional("DEVICE_TOKEN", grammar::device_proof)?,
        user: values.optional("USER", kept(grammar::user))?,
        ..CrossFields::default()
    };
    let profile = Profile {
        host_name: values.required("HOSTNAME", kept(judges::host_name))?,
        os_id: values.required("OS_ID", kept(judges::os_release))?,
        os_version_id: values.optional("OS_VERSION_ID", kept(judges::os_release))?,
        kernel: values.required("KERNEL", kept(judges::kernel))?,
        arch: values.required("ARCH", |text| word(text, Arch::ALL, Arch::as_str))?,
        agent: values.required("AGENT", kept(judges::agent))?,
        lang: values.required("LANG", kept(judges::lang))?,
        time_zone: values.required("TZ", kept(grammar::iana))?,
        net: values.required("NET", judges::net)?,
        power: values.required("POWER", judges::power)?,
    };
    let sent_at = values.required("SENT", judges::sent_at)?;
    let nonce = values.required("NONCE", grammar::nonce_hex)?;
    cross.node = values.optional("NODE", grammar::node)?;
    while let Some(path) = values.optional("PATH", judges::path)? {
        cross.push_path(path);
    }
    let estimate = values.optional("ESTIMATE", grammar::estimate)?;

    let (operation, proof) = cross.judge(Platform::Linux, name)?;
    let device_id = DeviceId::new(Platform::Linux, id);
    let profile = super::Profile::Linux(profile);
    Ok(Request { content: Content { device_id, operation, sent_at, nonce, estimate, profile }, proof })
}

/// A body while it is written.
struct Body(Vec<u8>);

impl Body {
    fn put(&mut self, key: &str, value: &str) {
        for part in [key, "=", value, "\n"] {
            self.0.extend_from_slice(part.as_bytes());
        }
    }

    fn put_path(&mut self, path: &[u8]) {
        self.0.extend_from_slice(b"PATH=");
        for byte in path {
            if judges::is_escape(*byte) {
                grammar::push_percent(*byte, &mut self.0);
            } else {
                self.0.push(*byte);
            }
        }
        self.0.push(b'\n');
    }
}

pub(crate) fn emit(request: &Request, profile: &Profile) -> Vec<u8> {
    let content = &request.content;
    let parts = Parts::of(request);
    let mut body = Body(Vec::with_capacity(512));
    body.0.extend_from_slice(GREETING.as_bytes());
    body.0.extend_from_slice(content.operation.name().as_str().as_bytes());
    body.0.push(b'\n');
    body.put("MACHINE_ID", content.device_id.text());
    if let Some(proof) = parts.mass {
        body.put("MASS_TOKEN", &grammar::mass_text(proof));
    }
    if let Some(proof) = parts.device {
        body.put("DEVICE_TOKEN", &grammar::device_text(proof));
    }
    if let Some(user) = parts.user {
        body.put("USER", user);
    }
    body.put("HOSTNAME", &profile.host_name);
    body.put("OS_ID", &profile.os_id);
    if let Some(version) = &profile.os_version_id {
        body.put("OS_VERSION_ID", version);
    }
    body.put("KERNEL", &profile.kernel);
    body.put("ARCH", profile.arch.as_str());
    body.put("AGENT", &profile.agent);
    body.put("LANG", &profile.lang);
    body.put("TZ", &profile.time_zone);
    let Net { interface, kind, metered } = &profile.net;
    body.put("NET", &alloc::format!("{interface}:{}:{}", kind.as_str(), metered.as_str()));
    match profile.power {
        Power::Ac => body.put("POWER", "ac"),
        Power::Unknown => body.put("POWER", "unknown"),
        Power::Battery(percent) => body.put("POWER", &alloc::format!("battery:{percent}")),
    }
    body.put("SENT", &alloc::format!("{}", content.sent_at.unix_seconds()));
    body.put("NONCE", &grammar::hex_text(content.nonce.bytes()));
    if let Some(node) = parts.node {
        body.put("NODE", node.as_str());
    }
    for path in parts.paths {
        body.put_path(path);
    }
    if let Some(estimate) = content.estimate {
        body.put("ESTIMATE", &alloc::format!("{estimate}"));
    }
    body.0.extend_from_slice(b"END\n");
    body.0
}

/// Writes the facts into the canonical encoding.
pub(crate) fn write_profile(profile: &Profile, writer: &mut Writer) -> Result<(), TooLong> {
    writer.text16(&profile.host_name, "HOSTNAME")?.text16(&profile.os_id, "OS_ID")?;
    match &profile.os_version_id {
        None => writer.u8(0),
        Some(version) => writer.u8(1).text16(version, "OS_VERSION_ID")?,
    };
    profile.arch.write(writer.text16(&profile.kernel, "KERNEL")?);
    writer.text16(&profile.agent, "AGENT")?.text16(&profile.lang, "LANG")?.text16(&profile.time_zone, "TZ")?;
    profile.net.kind.write(writer.text16(&profile.net.interface, "NET")?);
    profile.net.metered.write(writer);
    match profile.power {
        Power::Ac => writer.u8(0),
        Power::Unknown => writer.u8(1),
        Power::Battery(percent) => writer.u8(2).u8(percent),
    };
    Ok(())
}

/// Reads exactly what [`write_profile`] writes.
pub(crate) fn read_profile(reader: &mut Reader<'_>) -> Result<Profile, Malformed> {
    Ok(Profile {
        host_name: reader.text16("HOSTNAME")?.to_owned(),
        os_id: reader.text16("OS_ID")?.to_owned(),
        os_version_id: if read_flag(reader, "OS_VERSION_ID")? {
            Some(reader.text16("OS_VERSION_ID")?.to_owned())
        } else {
            None
        },
        kernel: reader.text16("KERNEL")?.to_owned(),
        arch: Arch::read(reader, "ARCH")?,
        agent: reader.text16("AGENT")?.to_owned(),
        lang: reader.text16("LANG")?.to_owned(),
        time_zone: reader.text16("TZ")?.to_owned(),
        net: Net {
            interface: reader.text16("NET")?.to_owned(),
            kind: Link::read(reader, "NET")?,
            metered: Metered::read(reader, "NET")?,
        },
        power: match reader.u8("POWER")? {
            0 => Power::Ac,
            1 => Power::Unknown,
            2 => Power::Battery(reader.u8("POWER")?),
            _ => return Err(Malformed { field: "POWER" }),
        },
    })
}
