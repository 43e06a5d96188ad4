//! FORMATS §3: Linux, lines of `KEY=value`.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::{
    Content, Platform, Request,
    cross::{CrossFields, Parts},
    fields::{Field, Slots, Survey, at, place},
    grammar::{self, Bytes, kept, word},
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
const LAST_LINE: &str = "END\n";
/// The one key that repeats.
const PATH_KEY: &str = "PATH";

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

/// What stands on a line of its own: 21..7E.
const VISIBLE: Bytes = Bytes::from_to(0x21, 0x7E, &[]);
/// What a key is made of.
const KEY: Bytes = Bytes::of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ_");

/// The first line's word, and the lines behind it.
fn greeting(body: &str) -> Option<(&str, &str)> {
    let (op, lines) = body.strip_prefix(GREETING)?.split_once('\n')?;
    ((1..=16).contains(&op.len()) && op.bytes().all(|byte| byte.is_ascii_lowercase())).then_some((op, lines))
}

/// The key and the value of the first of `lines`, and the lines behind it.
fn pair(lines: &str) -> Option<(&str, &str, &str)> {
    let (key, value) =
        lines.split_at_checked(KEY.run(lines.as_bytes())).filter(|(key, _)| (2..=16).contains(&key.len()))?;
    let value = value.strip_prefix('=')?;
    let (value, lines) = value.split_at_checked(VISIBLE.run(value.as_bytes()))?;
    Some((key, value, lines.strip_prefix('\n')?))
}

pub(crate) fn parse(body: &[u8]) -> Result<Request, Rejection> {
    let is_text = |byte: &u8| matches!(byte, 0x20..=0x7E | b'\n' | b'\r');
    // No early end: without a branch for each byte the compiler takes many at a time.
    if !body.iter().fold(true, |all, byte| all & is_text(byte)) {
        return Err(Rejection::new(Code::Encoding, "body"));
    }
    let syntax = Rejection::new(Code::Syntax, "line");
    let (op, lines) = core::str::from_utf8(body).ok().and_then(greeting).ok_or(syntax)?;
    let mut survey = Survey::new(FIELDS);
    let mut slots = Slots::<_, { FIELDS.len() }>::new(FIELDS);
    survey.meet(Some(0));
    slots.fill(Some(0), op);
    let mut escaped = true;
    let mut rest = lines;
    while rest != LAST_LINE {
        let (key, value, behind) = pair(rest).ok_or(syntax)?;
        rest = behind;
        escaped = escaped && (key != PATH_KEY || judges::is_escaped(value));
        let place = survey.meet_name(key.as_bytes());
        slots.fill(place, value);
    }
    if !escaped {
        return Err(Rejection::new(Code::Encoding, PATH_KEY));
    }
    survey.judge()?;

    let name = slots.required(const { place(FIELDS, "op") }, grammar::operation)?;
    let id = slots.required(const { place(FIELDS, "MACHINE_ID") }, kept(judges::machine_id))?;
    let mut cross = CrossFields {
        mass: slots.optional(const { place(FIELDS, "MASS_TOKEN") }, grammar::mass_proof)?,
        device: slots.optional(const { place(FIELDS, "DEVICE_TOKEN") }, grammar::device_proof)?,
        user: slots.optional(const { place(FIELDS, "USER") }, kept(grammar::user))?,
        ..CrossFields::default()
    };
    let profile = Profile {
        host_name: slots.required(const { place(FIELDS, "HOSTNAME") }, kept(judges::host_name))?,
        os_id: slots.required(const { place(FIELDS, "OS_ID") }, kept(judges::os_release))?,
        os_version_id: slots.optional(const { place(FIELDS, "OS_VERSION_ID") }, kept(judges::os_release))?,
        kernel: slots.required(const { place(FIELDS, "KERNEL") }, kept(judges::kernel))?,
        arch: slots.required(const { place(FIELDS, "ARCH") }, |text| word(text, Arch::ALL, Arch::as_str))?,
        agent: slots.required(const { place(FIELDS, "AGENT") }, kept(judges::agent))?,
        lang: slots.required(const { place(FIELDS, "LANG") }, kept(judges::lang))?,
        time_zone: slots.required(const { place(FIELDS, "TZ") }, kept(grammar::iana))?,
        net: slots.required(const { place(FIELDS, "NET") }, judges::net)?,
        power: slots.required(const { place(FIELDS, "POWER") }, judges::power)?,
    };
    let sent_at = slots.required(const { place(FIELDS, "SENT") }, judges::sent_at)?;
    let nonce = slots.required(const { place(FIELDS, "NONCE") }, grammar::nonce_hex)?;
    cross.node = slots.optional(const { place(FIELDS, "NODE") }, grammar::node)?;
    if slots.optional(const { place(FIELDS, PATH_KEY) }, Ok)?.is_some() {
        let mut rest = lines;
        while let Some((key, value, behind)) = pair(rest) {
            rest = behind;
            if key == PATH_KEY {
                cross.push_path(judges::path(value).map_err(at(PATH_KEY))?);
            }
        }
    }
    let estimate = slots.optional(const { place(FIELDS, "ESTIMATE") }, grammar::estimate)?;

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
    body.0.extend_from_slice(LAST_LINE.as_bytes());
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
