//! FORMATS §1: Windows, a binary list of tagged values in little-endian byte order, text in UTF-16LE.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::{
    Content, OperationName, Platform, Request,
    cross::{CrossFields, Parts},
    fields::{Field, Slots, Survey, at, place},
    grammar::{self, kept},
};
use crate::{
    canonical::read_flag,
    codec::{Malformed, Reader, TooLong, Writer},
    error::{Code, Rejection},
    grant::operation_number,
    ids::DeviceId,
    validator::Releases,
};

mod judges;
mod text;

use judges::numbered;
use text::Utf16;

/// The table of fields. The tag of a field is its place here and one.
pub const FIELDS: &[Field] = &[
    Field::required("op", "u16: 1 register, 2 auth, 3 backup, 4 restore, 5 ping, 6 sync"),
    Field::required("machineGuid", "36, [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}, not all 0, not all f"),
    Field::conditional("mass", "C1", "MASS"),
    Field::conditional("dev", "C1", "DEV"),
    Field::conditional("user", "C1", "USER"),
    Field::required(
        "computerName",
        "1..15 of A-Z a-z 0-9 ! @ # $ % ^ & ' ) ( . - _ { } ~, no leading dot, not all digits",
    ),
    Field::required("osVersion", "8..23, a.b.c.d, each 0|[1-9][0-9]{0,4}; a.b.c a known release, d <= 65535"),
    Field::required("arch", "u16: 0 x86, 9 x64, 12 ARM64"),
    Field::required("appVersion", "8 bytes: u16 minor, major, revision, build; major >= 1"),
    Field::required("locale", "5..84, BCP"),
    Field::required("timeZone", "WZONE"),
    Field::required("sentAt", "u64: FILETIME, TIME"),
    Field::required("nonce", "16 bytes, not all zero"),
    Field::required("ifType", "u32: 6 Ethernet, 23 PPP, 71 Wi-Fi, 131 tunnel, 243 or 244 WWAN"),
    Field::required("power", "4 bytes: AC 0|1|255, flags with bits 4-6 clear or 255, percent 0..100|255, saver 0|1"),
    Field::conditional("node", "C2", "NODE"),
    Field::conditional("path", "C2", "3..259 units, with \\\\?\\ 3..1024: a drive or share path").repeating(),
    Field::optional("estimate", "u64, EST"),
];

/// Ticks of 100 ns from 1601-01-01, where a FILETIME begins, to 1970-01-01.
const FILETIME_EPOCH: u64 = 116_444_736_000_000_000;
/// The tag of the one field that repeats.
const PATH_TAG: u16 = 0x11;
/// What `power` says for a percentage that is not known.
const PERCENT_UNKNOWN: u8 = 255;

/// The facts that a Windows device states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// NetBIOS name, 1..15 characters.
    pub computer_name: String,
    /// Windows' own version.
    pub os_version: Version,
    /// Processor architecture.
    pub arch: Arch,
    /// The client's version, `major` at least 1.
    pub app_version: Version,
    /// Locale name (BCP).
    pub locale: String,
    /// Time zone key (WZONE).
    pub time_zone: String,
    /// The interface that the connection goes through.
    pub interface: Interface,
    /// Mains and battery.
    pub power: Power,
}

/// A version of four numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The first number.
    pub major: u16,
    /// The second.
    pub minor: u16,
    /// The third.
    pub build: u16,
    /// The fourth.
    pub revision: u16,
}

/// `PROCESSOR_ARCHITECTURE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    /// 32-bit Intel.
    X86 = 0,
    /// 64-bit AMD and Intel.
    X64 = 9,
    /// 64-bit ARM.
    Arm64 = 12,
}

impl Arch {
    /// Every architecture.
    pub const ALL: [Self; 3] = [Self::X86, Self::X64, Self::Arm64];
}

/// The kind of a network interface, numbered by IANA (ifType).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interface {
    /// Ethernet.
    Ethernet = 6,
    /// Point-to-point protocol.
    Ppp = 23,
    /// Wi-Fi.
    Wifi = 71,
    /// A tunnel, as of a VPN.
    Tunnel = 131,
    /// Mobile broadband, GSM family.
    WwanGsm = 243,
    /// Mobile broadband, CDMA family.
    WwanCdma = 244,
}

impl Interface {
    /// Every kind.
    pub const ALL: [Self; 6] = [Self::Ethernet, Self::Ppp, Self::Wifi, Self::Tunnel, Self::WwanGsm, Self::WwanCdma];
}

/// Mains and battery as `SYSTEM_POWER_STATUS` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Power {
    /// Whether the device is on mains.
    pub mains: Mains,
    /// `BatteryFlag`: bits 4 to 6 clear, or 255 for unknown.
    pub battery_flags: u8,
    /// Charge, 0..100; `None` if it is not known.
    pub percent: Option<u8>,
    /// Whether the battery saver is on.
    pub saver: bool,
}

/// `ACLineStatus`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mains {
    /// On battery.
    Offline = 0,
    /// On mains.
    Online = 1,
    /// Not known.
    Unknown = 255,
}

impl Mains {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Offline, Self::Online, Self::Unknown];
}

/// The fields of a body, whose grammar has been checked.
#[derive(Clone)]
struct TaggedValues<'a>(&'a [u8]);

impl<'a> Iterator for TaggedValues<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let [tag_low, tag_high, length_low, length_high, rest @ ..] = self.0 else { return None };
        let length = u16::from_le_bytes([*length_low, *length_high]);
        let (value, rest) = rest.split_at_checked(usize::from(length))?;
        self.0 = rest;
        Some((u16::from_le_bytes([*tag_low, *tag_high]), value))
    }
}

/// The container: `count` fields, each whole, and nothing behind them.
fn container(body: &[u8]) -> Result<TaggedValues<'_>, Rejection> {
    let syntax = Rejection::new(Code::Syntax, "body");
    let [count_low, count_high, fields @ ..] = body else { return Err(syntax) };
    let mut values = TaggedValues(fields);
    for _ in 0..u16::from_le_bytes([*count_low, *count_high]) {
        values.next().ok_or(syntax)?;
    }
    if values.0.is_empty() { Ok(TaggedValues(fields)) } else { Err(syntax) }
}

const fn is_text_tag(tag: u16) -> bool {
    matches!(tag, 0x02..=0x07 | 0x0A | 0x0B | 0x10 | 0x11)
}

/// The place of a tag in [`FIELDS`], if the table has it.
fn place_of(tag: u16) -> Option<usize> {
    usize::from(tag).checked_sub(1).filter(|place| *place < FIELDS.len())
}

pub(crate) fn parse(body: &[u8], releases: &Releases) -> Result<Request, Rejection> {
    let fields = container(body)?;
    let mut survey = Survey::new(FIELDS);
    let mut slots = Slots::<_, { FIELDS.len() }>::new(FIELDS);
    for (tag, value) in fields.clone() {
        let place = place_of(tag);
        if is_text_tag(tag) && !Utf16::is_well_formed(value) {
            return Err(Rejection::new(Code::Encoding, place.map_or("text", |place| FIELDS[place].name)));
        }
        survey.meet(place);
        slots.fill(place, value);
    }
    survey.judge()?;

    let name = slots.required(const { place(FIELDS, "op") }, judges::operation)?;
    let id = slots.required(const { place(FIELDS, "machineGuid") }, text(kept(judges::machine_guid)))?;
    let mut cross = CrossFields {
        mass: slots.optional(const { place(FIELDS, "mass") }, text(grammar::mass_proof))?,
        device: slots.optional(const { place(FIELDS, "dev") }, text(grammar::device_proof))?,
        user: slots.optional(const { place(FIELDS, "user") }, text(kept(grammar::user)))?,
        ..CrossFields::default()
    };
    let computer_name = slots.required(const { place(FIELDS, "computerName") }, text(kept(judges::computer_name)))?;
    let os_version =
        slots.required(const { place(FIELDS, "osVersion") }, text(|text| judges::os_version(text, releases)))?;
    let arch = slots.required(const { place(FIELDS, "arch") }, judges::arch)?;
    let app_version = slots.required(const { place(FIELDS, "appVersion") }, judges::app_version)?;
    let locale = slots.required(const { place(FIELDS, "locale") }, text(kept(judges::locale)))?;
    let time_zone = slots.required(const { place(FIELDS, "timeZone") }, text(kept(grammar::windows_zone)))?;
    let sent_at = slots.required(const { place(FIELDS, "sentAt") }, judges::sent_at)?;
    let nonce = slots.required(const { place(FIELDS, "nonce") }, judges::nonce)?;
    let interface = slots.required(const { place(FIELDS, "ifType") }, judges::interface)?;
    let power = slots.required(const { place(FIELDS, "power") }, judges::power)?;
    cross.node = slots.optional(const { place(FIELDS, "node") }, text(grammar::node))?;
    if slots.optional(const { place(FIELDS, "path") }, Ok)?.is_some() {
        for (_, value) in fields.filter(|(tag, _)| *tag == PATH_TAG) {
            cross.push_path(judges::path(value).map_err(at("path"))?);
        }
    }
    let estimate = slots.optional(const { place(FIELDS, "estimate") }, judges::estimate)?;

    let (operation, proof) = cross.judge(Platform::Windows, name)?;
    let device_id = DeviceId::new(Platform::Windows, id);
    let profile = Profile { computer_name, os_version, arch, app_version, locale, time_zone, interface, power };
    let profile = super::Profile::Windows(profile);
    Ok(Request { content: Content { device_id, operation, sent_at, nonce, estimate, profile }, proof })
}

/// A judge of UTF-16 values from one of texts that are all ASCII.
fn text<T>(judge: impl FnOnce(&str) -> Result<T, Code>) -> impl FnOnce(&[u8]) -> Result<T, Code> {
    |value| judge(Utf16(value).narrow(&mut [0; text::NARROW_MAX]))
}

/// A body while it is written. A value that is too long for its length prefix makes a body that nobody accepts.
struct Body {
    bytes: Vec<u8>,
    count: u16,
}

impl Body {
    fn put(&mut self, tag: u16, value: &[u8]) {
        self.bytes.extend_from_slice(&tag.to_le_bytes());
        self.bytes.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_le_bytes());
        self.bytes.extend_from_slice(value);
        self.count = self.count.saturating_add(1);
    }

    fn put_text(&mut self, tag: u16, text: &str) {
        let value: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.put(tag, &value);
    }
}

pub(crate) fn emit(request: &Request, profile: &Profile) -> Vec<u8> {
    let content = &request.content;
    let parts = Parts::of(request);
    let mut body = Body { bytes: Vec::with_capacity(640), count: 0 };
    body.bytes.extend_from_slice(&[0; 2]);
    body.put(0x01, &u16::from(operation_number(content.operation.name())).to_le_bytes());
    body.put_text(0x02, content.device_id.text());
    if let Some(proof) = parts.mass {
        body.put_text(0x03, &grammar::mass_text(proof));
    }
    if let Some(proof) = parts.device {
        body.put_text(0x04, &grammar::device_text(proof));
    }
    if let Some(user) = parts.user {
        body.put_text(0x05, user);
    }
    body.put_text(0x06, &profile.computer_name);
    let Version { major, minor, build, revision } = profile.os_version;
    body.put_text(0x07, &alloc::format!("{major}.{minor}.{build}.{revision}"));
    body.put(0x08, &(profile.arch as u16).to_le_bytes());
    let Version { major, minor, build, revision } = profile.app_version;
    body.put(0x09, [minor, major, revision, build].map(u16::to_le_bytes).as_flattened());
    body.put_text(0x0A, &profile.locale);
    body.put_text(0x0B, &profile.time_zone);
    body.put(0x0C, &content.sent_at.ticks().saturating_add(FILETIME_EPOCH).to_le_bytes());
    body.put(0x0D, content.nonce.bytes());
    body.put(0x0E, &(profile.interface as u32).to_le_bytes());
    body.put(0x0F, &profile.power.bytes());
    if let Some(node) = parts.node {
        body.put_text(0x10, node.as_str());
    }
    for path in parts.paths {
        body.put_text(0x11, &String::from_utf8_lossy(path));
    }
    if let Some(estimate) = content.estimate {
        body.put(0x12, &estimate.to_le_bytes());
    }
    let Body { mut bytes, count } = body;
    bytes[..2].copy_from_slice(&count.to_le_bytes());
    bytes
}

impl Power {
    fn bytes(self) -> [u8; 4] {
        let Self { mains, battery_flags, percent, saver } = self;
        [mains as u8, battery_flags, percent.unwrap_or(PERCENT_UNKNOWN), u8::from(saver)]
    }
}

/// Writes the facts into the canonical encoding.
pub(crate) fn write_profile(profile: &Profile, writer: &mut Writer) -> Result<(), TooLong> {
    writer.text16(&profile.computer_name, "computerName")?;
    write_version(profile.os_version, writer);
    writer.u16(profile.arch as u16);
    write_version(profile.app_version, writer);
    writer.text16(&profile.locale, "locale")?.text16(&profile.time_zone, "timeZone")?;
    writer.u32(profile.interface as u32).raw(&profile.power.bytes());
    Ok(())
}

/// Reads exactly what [`write_profile`] writes.
pub(crate) fn read_profile(reader: &mut Reader<'_>) -> Result<Profile, Malformed> {
    let known = |field: &'static str| move |_| Malformed { field };
    Ok(Profile {
        computer_name: reader.text16("computerName")?.to_owned(),
        os_version: read_version(reader, "osVersion")?,
        arch: numbered(reader.u16("arch")?, &Arch::ALL, |arch| arch as u16).map_err(known("arch"))?,
        app_version: read_version(reader, "appVersion")?,
        locale: reader.text16("locale")?.to_owned(),
        time_zone: reader.text16("timeZone")?.to_owned(),
        interface: numbered(reader.u32("ifType")?, &Interface::ALL, |kind| kind as u32).map_err(known("ifType"))?,
        power: Power {
            mains: numbered(reader.u8("power")?, &Mains::ALL, |mains| mains as u8).map_err(known("power"))?,
            battery_flags: reader.u8("power")?,
            percent: match reader.u8("power")? {
                PERCENT_UNKNOWN => None,
                percent => Some(percent),
            },
            saver: read_flag(reader, "power")?,
        },
    })
}

fn write_version(version: Version, writer: &mut Writer) {
    writer.u16(version.major).u16(version.minor).u16(version.build).u16(version.revision);
}

fn read_version(reader: &mut Reader<'_>, field: &'static str) -> Result<Version, Malformed> {
    Ok(Version {
        major: reader.u16(field)?,
        minor: reader.u16(field)?,
        build: reader.u16(field)?,
        revision: reader.u16(field)?,
    })
}
