//! FORMATS §5: Android, `application/x-www-form-urlencoded` as `java.net.URLEncoder` writes it.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::{
    Content, Platform, Request,
    cross::{CrossFields, Parts},
    fields::{Field, Slots, Survey, at, place},
    grammar::{self, kept, word},
    words::words,
};
use crate::{
    canonical::read_flag,
    codec::{Malformed, Reader, TooLong, Writer},
    error::{Code, Rejection},
    ids::DeviceId,
    time::WallTime,
    validator::Releases,
};

mod form;
mod judges;
mod uri;

/// The table of fields.
pub const FIELDS: &[Field] = &[
    Field::required("op", "register, auth, backup, restore, sync or ping"),
    Field::required("android_id", "1..16, [1-9a-f][0-9a-f]{0,15} or 0[0-9a-f]{15}; not all 0, not 9774d56d682e549c"),
    Field::conditional("mass_token", "C1", "MASS"),
    Field::conditional("device_token", "C1", "DEV"),
    Field::conditional("user", "C1", "USER"),
    Field::required("manufacturer", "1..64 of 0x20..0x7E, not ending in space"),
    Field::required("model", "1..64 of 0x20..0x7E, not ending in space"),
    Field::required("device", "1..64 of 0x20..0x7E, not ending in space"),
    Field::required("release", "1..5, [1-9][0-9]?(.[0-9]){0,2}; a release of this sdk"),
    Field::required("sdk", "2, [1-9][0-9], >= 21"),
    Field::conditional("patch", "sdk >= 23", "10, YYYY-MM-DD, 2015-08-01 <= patch < 2100-01-01"),
    Field::required("build", "3..32 of [A-Za-z0-9._-]"),
    Field::required("app_id", "3..128, [A-Za-z][A-Za-z0-9_]*(.[A-Za-z][A-Za-z0-9_]*)+"),
    Field::required("app_version", "1..32, [0-9A-Za-z][0-9A-Za-z._+-]*"),
    Field::required("app_code", "1..10, [1-9][0-9]*, <= 2100000000"),
    Field::required("lang", "2..35, [a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?"),
    Field::required("tz", "IANA"),
    Field::required("net", "wifi, cellular, ethernet or vpn"),
    Field::required("metered", "0 or 1"),
    Field::required("charging", "0 or 1"),
    Field::required("battery", "1..3, 0|[1-9][0-9]*, <= 100"),
    Field::required("sent", "13, [1-9][0-9]{12}, Unix ms, TIME"),
    Field::required("nonce", "NONCE in hex"),
    Field::conditional("node", "C2", "NODE"),
    Field::conditional("uri", "C2", "a media URI, a document tree URI or a path in shared storage").repeating(),
    Field::optional("est", "EST"),
];

/// The one name that repeats.
const URI_NAME: &str = "uri";
/// The API level from which devices have a security patch date.
const PATCH_SDK_MIN: u8 = 23;
/// Ticks in the unit of `sent`.
const TICKS_PER_MILLISECOND: u64 = WallTime::TICKS_PER_SECOND / 1_000;

/// The facts that an Android device states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `Build.MANUFACTURER`, 1..64 characters.
    pub manufacturer: String,
    /// `Build.MODEL`, 1..64 characters.
    pub model: String,
    /// `Build.DEVICE`, 1..64 characters.
    pub device: String,
    /// `Build.VERSION.RELEASE`, as `14` or `5.1.1`.
    pub release: String,
    /// `Build.VERSION.SDK_INT`, 21..99.
    pub sdk: u8,
    /// `Build.VERSION.SECURITY_PATCH`, `YYYY-MM-DD`: exactly the devices from API level 23 on have one.
    pub patch: Option<String>,
    /// `Build.ID`, 3..32 characters.
    pub build: String,
    /// The client's application id, 3..128 characters.
    pub app_id: String,
    /// The client's `versionName`, 1..32 characters.
    pub app_version: String,
    /// The client's `versionCode`, 1..2,100,000,000.
    pub app_code: u32,
    /// Language tag, its region optional.
    pub lang: String,
    /// IANA time zone.
    pub time_zone: String,
    /// The network that the connection goes through.
    pub net: Net,
    /// Whether that network is metered.
    pub metered: bool,
    /// Whether the battery is being charged.
    pub charging: bool,
    /// The battery's charge, 0..100 per cent.
    pub battery: u8,
}

words! {
    /// The transport of a network.
    pub enum Net {
        /// Wi-Fi.
        Wifi = "wifi",
        /// Mobile.
        Cellular = "cellular",
        /// A cable.
        Ethernet = "ethernet",
        /// A VPN.
        Vpn = "vpn",
    }
}

pub(crate) fn parse(body: &[u8], releases: &Releases) -> Result<Request, Rejection> {
    // No early end: without a branch for each byte the compiler takes many at a time.
    if !body.iter().fold(true, |all, byte| all & byte.is_ascii_graphic()) {
        return Err(Rejection::new(Code::Encoding, "body"));
    }
    let mut survey = Survey::new(FIELDS);
    let mut slots = Slots::<_, { FIELDS.len() }>::new(FIELDS);
    let mut badly_encoded = None;
    let body = core::str::from_utf8(body).map_err(|_| Rejection::new(Code::Encoding, "body"))?;
    let mut rest = Some(body);
    while let Some(pairs) = rest {
        let (name, value, behind) = form::pair(pairs).ok_or(Rejection::new(Code::Syntax, "pair"))?;
        rest = behind;
        let place = survey.meet_name(name.as_bytes());
        slots.fill(place, value);
        if badly_encoded.is_none() && value.decode().is_none() {
            badly_encoded = Some(place.map_or("value", |place| FIELDS[place].name));
        }
    }
    if let Some(field) = badly_encoded {
        return Err(Rejection::new(Code::Encoding, field));
    }
    survey.judge()?;

    let name = slots.required(const { place(FIELDS, "op") }, text(grammar::operation))?;
    let id = slots.required(const { place(FIELDS, "android_id") }, text(kept(judges::android_id)))?;
    let mut cross = CrossFields {
        mass: slots.optional(const { place(FIELDS, "mass_token") }, text(grammar::mass_proof))?,
        device: slots.optional(const { place(FIELDS, "device_token") }, text(grammar::device_proof))?,
        user: slots.optional(const { place(FIELDS, "user") }, text(kept(grammar::user)))?,
        ..CrossFields::default()
    };
    let profile = Profile {
        manufacturer: slots.required(const { place(FIELDS, "manufacturer") }, text(kept(judges::hardware)))?,
        model: slots.required(const { place(FIELDS, "model") }, text(kept(judges::hardware)))?,
        device: slots.required(const { place(FIELDS, "device") }, text(kept(judges::hardware)))?,
        release: slots.required(const { place(FIELDS, "release") }, text(kept(judges::release)))?,
        sdk: slots.required(const { place(FIELDS, "sdk") }, text(judges::sdk))?,
        patch: slots.optional(const { place(FIELDS, "patch") }, text(kept(judges::patch)))?,
        build: slots.required(const { place(FIELDS, "build") }, text(kept(judges::build)))?,
        app_id: slots.required(const { place(FIELDS, "app_id") }, text(kept(judges::app_id)))?,
        app_version: slots.required(const { place(FIELDS, "app_version") }, text(kept(judges::app_version)))?,
        app_code: slots.required(const { place(FIELDS, "app_code") }, text(judges::app_code))?,
        lang: slots.required(const { place(FIELDS, "lang") }, text(kept(judges::lang)))?,
        time_zone: slots.required(const { place(FIELDS, "tz") }, text(kept(grammar::iana)))?,
        net: slots.required(const { place(FIELDS, "net") }, text(|text| word(text, Net::ALL, Net::as_str)))?,
        metered: slots.required(const { place(FIELDS, "metered") }, text(judges::flag))?,
        charging: slots.required(const { place(FIELDS, "charging") }, text(judges::flag))?,
        battery: slots.required(const { place(FIELDS, "battery") }, text(judges::battery))?,
    };
    let sent_at = slots.required(const { place(FIELDS, "sent") }, text(judges::sent_at))?;
    let nonce = slots.required(const { place(FIELDS, "nonce") }, text(grammar::nonce_hex))?;
    cross.node = slots.optional(const { place(FIELDS, "node") }, text(grammar::node))?;
    if slots.optional(const { place(FIELDS, URI_NAME) }, Ok)?.is_some() {
        let mut rest = Some(body);
        while let Some((name, value, behind)) = rest.and_then(form::pair) {
            rest = behind;
            if name == URI_NAME {
                cross.push_path(text(judges::path)(value).map_err(at(URI_NAME))?);
            }
        }
    }
    let estimate = slots.optional(const { place(FIELDS, "est") }, text(grammar::estimate))?;

    let (operation, proof) = cross.judge(Platform::Android, name)?;
    if !releases.android.has(profile.sdk, &profile.release) {
        return Err(Rejection::new(Code::Conflict, "release"));
    }
    if profile.patch.is_some() != (profile.sdk >= PATCH_SDK_MIN) {
        return Err(Rejection::new(Code::Conflict, "patch"));
    }
    let device_id = DeviceId::new(Platform::Android, id);
    let profile = super::Profile::Android(profile);
    Ok(Request { content: Content { device_id, operation, sent_at, nonce, estimate, profile }, proof })
}

/// A judge of values from one of texts.
fn text<T>(judge: impl FnOnce(&str) -> Result<T, Code>) -> impl FnOnce(form::Value<'_>) -> Result<T, Code> {
    |value| judge(&value.decode().ok_or(Code::Encoding)?)
}

pub(crate) fn emit(request: &Request, profile: &Profile) -> Vec<u8> {
    let content = &request.content;
    let parts = Parts::of(request);
    let mut body = form::Body::new();
    body.put("op", content.operation.name().as_str());
    body.put("android_id", content.device_id.text());
    if let Some(proof) = parts.mass {
        body.put("mass_token", &grammar::mass_text(proof));
    }
    if let Some(proof) = parts.device {
        body.put("device_token", &grammar::device_text(proof));
    }
    if let Some(user) = parts.user {
        body.put("user", user);
    }
    body.put("manufacturer", &profile.manufacturer);
    body.put("model", &profile.model);
    body.put("device", &profile.device);
    body.put("release", &profile.release);
    body.put_number("sdk", u64::from(profile.sdk));
    if let Some(patch) = &profile.patch {
        body.put("patch", patch);
    }
    body.put("build", &profile.build);
    body.put("app_id", &profile.app_id);
    body.put("app_version", &profile.app_version);
    body.put_number("app_code", u64::from(profile.app_code));
    body.put("lang", &profile.lang);
    body.put("tz", &profile.time_zone);
    body.put("net", profile.net.as_str());
    body.put_number("metered", u64::from(profile.metered));
    body.put_number("charging", u64::from(profile.charging));
    body.put_number("battery", u64::from(profile.battery));
    body.put_number("sent", content.sent_at.ticks() / TICKS_PER_MILLISECOND);
    body.put("nonce", &grammar::hex_text(content.nonce.bytes()));
    if let Some(node) = parts.node {
        body.put("node", node.as_str());
    }
    for path in parts.paths {
        body.put_bytes("uri", path);
    }
    if let Some(estimate) = content.estimate {
        body.put_number("est", estimate);
    }
    body.into_bytes()
}

/// Writes the facts into the canonical encoding.
pub(crate) fn write_profile(profile: &Profile, writer: &mut Writer) -> Result<(), TooLong> {
    writer.text16(&profile.manufacturer, "manufacturer")?.text16(&profile.model, "model")?;
    writer.text16(&profile.device, "device")?.text16(&profile.release, "release")?.u8(profile.sdk);
    match &profile.patch {
        None => writer.u8(0),
        Some(patch) => writer.u8(1).text16(patch, "patch")?,
    };
    writer.text16(&profile.build, "build")?.text16(&profile.app_id, "app_id")?;
    writer.text16(&profile.app_version, "app_version")?.u32(profile.app_code);
    writer.text16(&profile.lang, "lang")?.text16(&profile.time_zone, "tz")?;
    profile.net.write(writer);
    writer.u8(u8::from(profile.metered)).u8(u8::from(profile.charging)).u8(profile.battery);
    Ok(())
}

/// Reads exactly what [`write_profile`] writes.
pub(crate) fn read_profile(reader: &mut Reader<'_>) -> Result<Profile, Malformed> {
    Ok(Profile {
        manufacturer: reader.text16("manufacturer")?.to_owned(),
        model: reader.text16("model")?.to_owned(),
        device: reader.text16("device")?.to_owned(),
        release: reader.text16("release")?.to_owned(),
        sdk: reader.u8("sdk")?,
        patch: if read_flag(reader, "patch")? { Some(reader.text16("patch")?.to_owned()) } else { None },
        build: reader.text16("build")?.to_owned(),
        app_id: reader.text16("app_id")?.to_owned(),
        app_version: reader.text16("app_version")?.to_owned(),
        app_code: reader.u32("app_code")?,
        lang: reader.text16("lang")?.to_owned(),
        time_zone: reader.text16("tz")?.to_owned(),
        net: Net::read(reader, "net")?,
        metered: read_flag(reader, "metered")?,
        charging: read_flag(reader, "charging")?,
        battery: reader.u8("battery")?,
    })
}
