//! FORMATS §4: iOS and iPadOS, a JSON object.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::{
    Content, Field, Platform, Request,
    cross::CrossFields,
    fields::{Survey, at},
    grammar,
    json::{self, Reader as Json, Text, Value},
    words::words,
};
use crate::{
    error::{Code, Rejection},
    ids::DeviceId,
    validator::Releases,
};

mod emit;
mod level;

pub(crate) use emit::{emit, read_profile, write_profile};
pub use level::BatteryLevel;

/// The table of the root's fields. The members of `system`, `app`, `net` and `power` have tables of their own.
pub const FIELDS: &[Field] = &[
    Field::required("op", "op, lower case"),
    Field::required("idfv", "36, upper-case hex 8-4-4-4-12, version 4"),
    Field::conditional("massToken", "C1", "MASS"),
    Field::conditional("deviceToken", "C1", "DEV"),
    Field::conditional("user", "C1", "USER"),
    Field::required("deviceName", "1..64 Unicode, no C0 or DEL"),
    Field::required("model", "7..11, iPhone, iPad or iPod, then N,N with N [1-9][0-9]?"),
    Field::required("system", "an object: name, version, build"),
    Field::required("app", "an object: bundle, version, build"),
    Field::required("locale", "APPLELOC"),
    Field::required("timeZone", "IANA"),
    Field::required("net", "an object: type, expensive, constrained"),
    Field::required("power", "an object: state, level, lowPower"),
    Field::required("sentAt", "24, YYYY-MM-DDThh:mm:ss.mmmZ, TIME"),
    Field::required("nonce", "NONCE in base64"),
    Field::conditional("node", "C2", "NODE"),
    Field::conditional("items", "C2", "a list of file:Documents/..., file:Library/... or photo:UUID/L0/ddd"),
    Field::optional("estBytes", "number: EST"),
];

/// The members of `system`.
pub const SYSTEM_FIELDS: &[Field] = &[
    Field::required("name", "iOS or iPadOS"),
    Field::required("version", "1..8, 9 to 18 or 26 to 29, with its updates"),
    Field::required("build", "4..9, [12][0-9][A-Z][1-9][0-9]{0,4}[a-z]?, the train of version"),
];

/// The members of `app`.
pub const APP_FIELDS: &[Field] = &[
    Field::required("bundle", "3..155, [A-Za-z][A-Za-z0-9-]*(.[A-Za-z0-9-]+)+"),
    Field::required("version", "5..14, [1-9][0-9]{0,3}(.(0|[1-9][0-9]{0,2})){2}"),
    Field::required("build", "1..18, [1-9][0-9]{0,8}(.[0-9]{1,3}){0,2}"),
];

/// The members of `net`.
pub const NET_FIELDS: &[Field] = &[
    Field::required("type", "wifi, cellular or wiredEthernet"),
    Field::required("expensive", "boolean"),
    Field::required("constrained", "boolean"),
];

/// The members of `power`.
pub const POWER_FIELDS: &[Field] = &[
    Field::required("state", "unknown, unplugged, charging or full"),
    Field::required("level", "number: 1..20, no exponent, no minus zero, exactly 0..1 or -1"),
    Field::required("lowPower", "boolean"),
];

/// Every value that is judged, in the order of its turn: the place in [`Values`] and the name for a refusal.
#[derive(Clone, Copy)]
enum Key {
    Op,
    Idfv,
    MassToken,
    DeviceToken,
    User,
    DeviceName,
    Model,
    System,
    App,
    Locale,
    TimeZone,
    Net,
    Power,
    SentAt,
    Nonce,
    Node,
    Items,
    EstBytes,
    SystemName,
    SystemVersion,
    SystemBuild,
    AppBundle,
    AppVersion,
    AppBuild,
    NetType,
    NetExpensive,
    NetConstrained,
    PowerState,
    PowerLevel,
    PowerLowPower,
}

const NESTED: [&str; 12] = [
    "system.name",
    "system.version",
    "system.build",
    "app.bundle",
    "app.version",
    "app.build",
    "net.type",
    "net.expensive",
    "net.constrained",
    "power.state",
    "power.level",
    "power.lowPower",
];

impl Key {
    const fn name(self) -> &'static str {
        let place = self as usize;
        if place < FIELDS.len() { FIELDS[place].name } else { NESTED[place - FIELDS.len()] }
    }
}

/// The table of the object that belongs at the root's `place`, and the place of its first member.
const fn group(place: usize) -> Option<(&'static [Field], usize)> {
    const SYSTEM: usize = Key::System as usize;
    const APP: usize = Key::App as usize;
    const NET: usize = Key::Net as usize;
    const POWER: usize = Key::Power as usize;
    match place {
        SYSTEM => Some((SYSTEM_FIELDS, Key::SystemName as usize)),
        APP => Some((APP_FIELDS, Key::AppBundle as usize)),
        NET => Some((NET_FIELDS, Key::NetType as usize)),
        POWER => Some((POWER_FIELDS, Key::PowerState as usize)),
        _ => None,
    }
}

words! {
    /// `system.name`.
    pub enum SystemName {
        /// iOS; an iPad may say so too.
        Ios = "iOS",
        /// iPadOS, from 13 and on an iPad only.
        IpadOs = "iPadOS",
    }
}

words! {
    /// `net.type`: what the request travels over.
    pub enum NetType {
        /// Wi-Fi.
        Wifi = "wifi",
        /// A mobile network.
        Cellular = "cellular",
        /// Ethernet, by an adapter.
        WiredEthernet = "wiredEthernet",
    }
}

words! {
    /// `power.state`: `UIDevice.BatteryState`.
    pub enum PowerState {
        /// Not known.
        Unknown = "unknown",
        /// On battery.
        Unplugged = "unplugged",
        /// Charging.
        Charging = "charging",
        /// Plugged in and full.
        Full = "full",
    }
}

/// The platform's own facts; each text matches its row of the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `deviceName`: `UIDevice.name`.
    pub device_name: String,
    /// `model`: the model identifier (`iPhone15,2`).
    pub model: String,
    /// `system.name`.
    pub system_name: SystemName,
    /// `system.version` (`17.5`).
    pub system_version: String,
    /// `system.build` (`21F79`).
    pub system_build: String,
    /// `app.bundle`: the app's bundle identifier.
    pub app_bundle: String,
    /// `app.version`: `CFBundleShortVersionString`.
    pub app_version: String,
    /// `app.build`: `CFBundleVersion`.
    pub app_build: String,
    /// `locale`: Apple's locale identifier (`en_GB`).
    pub locale: String,
    /// `timeZone`: an IANA name.
    pub time_zone: String,
    /// `net.type`.
    pub net_type: NetType,
    /// `net.expensive`: `NWPath.isExpensive`.
    pub net_expensive: bool,
    /// `net.constrained`: `NWPath.isConstrained`, Low Data Mode.
    pub net_constrained: bool,
    /// `power.state`.
    pub power_state: PowerState,
    /// `power.level`.
    pub power_level: BatteryLevel,
    /// `power.lowPower`: Low Power Mode.
    pub low_power: bool,
}

/// Bytes of a `file:` item at most, its `file:` included.
const FILE_BYTES_MAX: usize = 1_023;

/// What the surveys of a body's objects say, each step over all of them.
struct Steps {
    unknown: Result<(), Rejection>,
    duplicate: Result<(), Rejection>,
    missing: Result<(), Rejection>,
}

impl Steps {
    fn add(&mut self, survey: &Survey) {
        self.unknown = self.unknown.and(survey.unknown());
        self.duplicate = self.duplicate.and(survey.duplicate());
        self.missing = self.missing.and(survey.missing());
    }
}

/// The values of a body, each at its key's place.
struct Values<'a>([Option<Value<'a>>; FIELDS.len() + NESTED.len()]);

impl<'a> Values<'a> {
    /// Reads the object and judges which names it has.
    fn read(text: &'a str) -> Result<Self, Rejection> {
        let mut values = Self([None; FIELDS.len() + NESTED.len()]);
        let mut steps = Steps { unknown: Ok(()), duplicate: Ok(()), missing: Ok(()) };
        let mut root = Survey::new(FIELDS);
        let mut json = Json::new(text);
        json.document(|json, name| {
            let place = find(FIELDS, name);
            root.meet(place);
            let value = match place.and_then(group) {
                Some((fields, first)) if json.at_object() => {
                    let mut survey = Survey::new(fields);
                    json.object(|json, name| {
                        let place = find(fields, name);
                        survey.meet(place);
                        let value = json.value()?;
                        values.put(place.map(|place| first + place), value);
                        Ok(())
                    })?;
                    steps.add(&survey);
                    Value::Object
                }
                Some(_) | None => json.value()?,
            };
            values.put(place, value);
            Ok(())
        })?;
        steps.add(&root);
        steps.unknown?;
        steps.duplicate?;
        if json.repeats() {
            return Err(Rejection::new(Code::Duplicate, "name"));
        }
        steps.missing?;
        Ok(values)
    }

    fn put(&mut self, place: Option<usize>, value: Value<'a>) {
        if let Some(slot) = place.and_then(|place| self.0.get_mut(place)) {
            *slot = Some(value);
        }
    }

    fn get(&self, key: Key) -> Option<Value<'a>> {
        self.0.get(key as usize).copied().flatten()
    }

    /// The value of `key`, if it is there: a string that `grammar` accepts.
    fn optional<T>(&self, key: Key, grammar: impl FnOnce(&str) -> Result<T, Code>) -> Result<Option<T>, Rejection> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Text(text)) => grammar(&text.resolve()).map(Some).map_err(at(key.name())),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object) => Err(wrong(key)),
        }
    }

    /// As [`Self::optional`], where the surveys have seen that the name is there.
    fn required<T>(&self, key: Key, grammar: impl FnOnce(&str) -> Result<T, Code>) -> Result<T, Rejection> {
        self.optional(key, grammar)?.ok_or(Rejection::new(Code::Missing, key.name()))
    }

    /// The string at `key`, which `grammar` accepts, to keep.
    fn string(&self, key: Key, grammar: impl FnOnce(&str) -> Result<(), Code>) -> Result<String, Rejection> {
        self.required(key, |text| grammar(text).map(|()| text.to_owned()))
    }

    /// The number at `key` as spelled, if the name is there.
    fn number(&self, key: Key) -> Result<Option<&'a str>, Rejection> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Number(spelling)) => Ok(Some(spelling)),
            Some(Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Object) => Err(wrong(key)),
        }
    }

    fn boolean(&self, key: Key) -> Result<bool, Rejection> {
        match self.get(key) {
            Some(Value::Bool(value)) => Ok(value),
            Some(Value::Null | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Object) | None => {
                Err(wrong(key))
            }
        }
    }

    /// The turn of `system`, `app`, `net` or `power` itself: its type.
    fn object(&self, key: Key) -> Result<(), Rejection> {
        match self.get(key) {
            Some(Value::Object) => Ok(()),
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_)) | None => {
                Err(wrong(key))
            }
        }
    }

    /// `items`: the type of every element before the value of any.
    fn items(&self, cross: &mut CrossFields) -> Result<(), Rejection> {
        let list = match self.get(Key::Items) {
            None => return Ok(()),
            Some(Value::List(list)) => list,
            Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object) => {
                return Err(wrong(Key::Items));
            }
        };
        let text = |value| match value {
            Value::Text(text) => Some(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object => None,
        };
        if list.elements().any(|value| text(value).is_none()) {
            return Err(wrong(Key::Items));
        }
        cross.paths = Some(Vec::new());
        for item in list.elements().filter_map(text) {
            let item = item.resolve();
            if !is_item(&item) {
                return Err(Rejection::new(Code::Path, Key::Items.name()));
            }
            cross.push_path(item.into_owned().into_bytes());
        }
        Ok(())
    }
}

fn find(fields: &[Field], name: Text<'_>) -> Option<usize> {
    fields.iter().position(|field| name.is(field.name))
}

/// A value of another type.
const fn wrong(key: Key) -> Rejection {
    Rejection::new(Code::Format, key.name())
}

fn idfv(text: &str) -> Result<(), Code> {
    grammar::length(text, 36, 36)?;
    let bytes = text.as_bytes();
    let is_version_4 = bytes.get(14) == Some(&b'4') && matches!(bytes.get(19), Some(b'8' | b'9' | b'A' | b'B'));
    grammar::format(grammar::is_uuid(bytes, grammar::is_upper_hex) && is_version_4)
}

fn bundle(text: &str) -> Result<(), Code> {
    grammar::length(text, 3, 155)?;
    let part = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic());
    grammar::format(starts && text.contains('.') && text.split('.').all(part))
}

/// A path of this platform: a file of the app's container, or an asset of the photo library.
fn is_item(item: &str) -> bool {
    if let Some(asset) = item.strip_prefix("photo:") {
        let Some((uuid, rest)) = asset.split_at_checked(36) else { return false };
        let Some(number) = rest.strip_prefix("/L0/") else { return false };
        return grammar::is_uuid(uuid.as_bytes(), grammar::is_upper_hex)
            && number.len() == 3
            && number.bytes().all(|byte| byte.is_ascii_digit());
    }
    let Some(path) = item.strip_prefix("file:") else { return false };
    let Some((folder, rest)) = path.split_once('/') else { return false };
    let is_cache = folder == "Library" && (rest == "Caches" || rest.starts_with("Caches/"));
    item.len() <= FILE_BYTES_MAX
        && matches!(folder, "Documents" | "Library")
        && !is_cache
        && !grammar::has_control(path.as_bytes())
        && grammar::joined(path.as_bytes())
}

pub(crate) fn parse(body: &[u8], releases: &Releases) -> Result<Request, Rejection> {
    let values = Values::read(json::text(body)?)?;
    let mut cross = CrossFields::default();
    let name = values.required(Key::Op, grammar::operation)?;
    let idfv = values.string(Key::Idfv, idfv)?;
    cross.mass = values.optional(Key::MassToken, grammar::mass_proof)?;
    cross.device = values.optional(Key::DeviceToken, grammar::device_proof)?;
    cross.user = values.optional(Key::User, |text| grammar::user(text).map(|()| text.to_owned()))?;
    let device_name = values.string(Key::DeviceName, |text| grammar::printable(text, 1, 64))?;
    let (model, family) = values.required(Key::Model, |text| {
        grammar::length(text, 7, 11)?;
        Ok((text.to_owned(), grammar::apple_model(text, &["iPhone", "iPad", "iPod"])?))
    })?;
    values.object(Key::System)?;
    let system_name =
        values.required(Key::SystemName, |text| grammar::word(text, SystemName::ALL, SystemName::as_str))?;
    let (system_version, version) = values.required(Key::SystemVersion, |text| {
        grammar::length(text, 1, 8)?;
        Ok((text.to_owned(), grammar::apple_version(text, &releases.ios)?))
    })?;
    let (system_build, train) =
        values.required(Key::SystemBuild, |text| Ok((text.to_owned(), grammar::apple_build(text)?)))?;
    values.object(Key::App)?;
    let app_bundle = values.string(Key::AppBundle, bundle)?;
    let app_version = values.string(Key::AppVersion, grammar::apple_app_version)?;
    let app_build = values.string(Key::AppBuild, |text| grammar::apple_app_build(text, 9))?;
    let locale = values.string(Key::Locale, grammar::apple_locale)?;
    let time_zone = values.string(Key::TimeZone, grammar::iana)?;
    values.object(Key::Net)?;
    let net_type = values.required(Key::NetType, |text| grammar::word(text, NetType::ALL, NetType::as_str))?;
    let net_expensive = values.boolean(Key::NetExpensive)?;
    let net_constrained = values.boolean(Key::NetConstrained)?;
    values.object(Key::Power)?;
    let power_state =
        values.required(Key::PowerState, |text| grammar::word(text, PowerState::ALL, PowerState::as_str))?;
    let level = values.number(Key::PowerLevel)?.ok_or(Rejection::new(Code::Missing, Key::PowerLevel.name()))?;
    let power_level = BatteryLevel::parse(level).map_err(at(Key::PowerLevel.name()))?;
    let low_power = values.boolean(Key::PowerLowPower)?;
    let sent_at = values.required(Key::SentAt, |text| grammar::date_time(text, 3))?;
    let nonce = values.required(Key::Nonce, grammar::nonce_base64)?;
    cross.node = values.optional(Key::Node, grammar::node)?;
    values.items(&mut cross)?;
    let estimate =
        values.number(Key::EstBytes)?.map(grammar::estimate).transpose().map_err(at(Key::EstBytes.name()))?;

    let (operation, proof) = cross.judge(Platform::Ios, name)?;
    let is_ipados_possible = version.major >= 13 && family == "iPad";
    if i16::from(train) != version.train || (system_name == SystemName::IpadOs && !is_ipados_possible) {
        return Err(Rejection::new(Code::Conflict, Key::System.name()));
    }
    let profile = super::Profile::Ios(Profile {
        device_name,
        model,
        system_name,
        system_version,
        system_build,
        app_bundle,
        app_version,
        app_build,
        locale,
        time_zone,
        net_type,
        net_expensive,
        net_constrained,
        power_state,
        power_level,
        low_power,
    });
    let device_id = DeviceId::new(Platform::Ios, idfv);
    Ok(Request { content: Content { device_id, operation, sent_at, nonce, estimate, profile }, proof })
}
