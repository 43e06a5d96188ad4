//! Reading and judging a body.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::{FIELDS, Key, NetworkInterface, PROLOG, Profile, spell};
use crate::{
    error::{Code, Rejection},
    ids::{DeviceId, Nonce},
    request::{
        self, Content, OperationName, Platform, Request,
        cross::CrossFields,
        fields::{Survey, at},
        grammar,
        xml::{self, Cursor, Tag, Text, Texts},
    },
    validator::Releases,
};

const FAMILIES: [&str; 9] =
    ["Mac", "MacBook", "MacBookPro", "MacBookAir", "iMac", "iMacPro", "Macmini", "MacPro", "VirtualMac"];

/// Bytes of a path at most: PATH_MAX of macOS, 1024 with its NUL.
const PATH_BYTES_MAX: usize = 1_023;

/// The elements that hold text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    String,
    Integer,
    Data,
    Date,
}

impl Kind {
    const ALL: [(&'static str, Self); 4] =
        [("string", Self::String), ("integer", Self::Integer), ("data", Self::Data), ("date", Self::Date)];
}

/// The value of a key.
enum Value<'a> {
    Text(Kind, Text<'a>),
    Bool(bool),
    Array(Texts<'a>),
}

/// The values of a body, each at its key's place.
struct Values<'a>([Option<Value<'a>>; FIELDS.len()]);

impl<'a> Values<'a> {
    /// Reads the property list and judges which keys it has.
    fn read(text: &'a str) -> Result<Self, Rejection> {
        let mut cursor = Cursor::new(text, PROLOG)?;
        let mut values = Self([const { None }; FIELDS.len()]);
        let mut survey = Survey::new(FIELDS);
        cursor.expect("<plist version=\"1.0\">")?;
        match cursor.tag()? {
            Tag::Empty("dict") => {}
            Tag::Open("dict") => {
                while let Some(key) = next_key(&mut cursor)? {
                    let value = value(&mut cursor)?;
                    let place = survey.find(key.resolve().as_bytes());
                    survey.meet(place);
                    if let Some(slot) = place.and_then(|place| values.0.get_mut(place)) {
                        *slot = Some(value);
                    }
                }
            }
            Tag::Open(_) | Tag::Close(_) | Tag::Empty(_) => return Err(xml::SYNTAX),
        }
        cursor.expect("</plist>")?;
        cursor.end()?;
        survey.judge()?;
        Ok(values)
    }

    fn get(&self, key: Key) -> Option<&Value<'a>> {
        self.0.get(key as usize)?.as_ref()
    }

    /// The value of `key`, if it is there: an element of `kind` that `grammar` accepts.
    fn optional<T>(
        &self,
        key: Key,
        kind: Kind,
        grammar: impl FnOnce(&str) -> Result<T, Code>,
    ) -> Result<Option<T>, Rejection> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Text(found, text)) if *found == kind => {
                grammar(&text.resolve()).map(Some).map_err(at(key.name()))
            }
            Some(Value::Text(..) | Value::Bool(_) | Value::Array(_)) => Err(Rejection::new(Code::Format, key.name())),
        }
    }

    /// As [`Self::optional`], where the survey has seen that the key is there.
    fn required<T>(&self, key: Key, kind: Kind, grammar: impl FnOnce(&str) -> Result<T, Code>) -> Result<T, Rejection> {
        self.optional(key, kind, grammar)?.ok_or(Rejection::new(Code::Missing, key.name()))
    }

    /// The string at `key`, which `grammar` accepts, to keep.
    fn string(&self, key: Key, grammar: impl FnOnce(&str) -> Result<(), Code>) -> Result<String, Rejection> {
        self.required(key, Kind::String, |text| grammar(text).map(|()| text.to_owned()))
    }

    fn on_battery(&self) -> Result<bool, Rejection> {
        match self.get(Key::OnBattery) {
            Some(Value::Bool(value)) => Ok(*value),
            Some(Value::Text(..) | Value::Array(_)) => Err(Rejection::new(Code::Format, Key::OnBattery.name())),
            None => Err(Rejection::new(Code::Missing, Key::OnBattery.name())),
        }
    }

    fn paths(&self, cross: &mut CrossFields) -> Result<(), Rejection> {
        let paths = match self.get(Key::Paths) {
            None => return Ok(()),
            Some(Value::Array(paths)) => paths.clone(),
            Some(Value::Text(..) | Value::Bool(_)) => return Err(Rejection::new(Code::Format, Key::Paths.name())),
        };
        cross.paths = Some(Vec::new());
        for path in paths {
            let path = path.resolve();
            if !grammar::posix_path(path.as_bytes(), PATH_BYTES_MAX) || grammar::has_control(path.as_bytes()) {
                return Err(Rejection::new(Code::Path, Key::Paths.name()));
            }
            cross.push_path(path.into_owned().into_bytes());
        }
        Ok(())
    }
}

fn next_key<'a>(cursor: &mut Cursor<'a>) -> Result<Option<Text<'a>>, Rejection> {
    match cursor.tag()? {
        Tag::Open("key") => cursor.text_of("key").map(Some),
        Tag::Empty("key") => Ok(Some(Text::EMPTY)),
        Tag::Close("dict") => Ok(None),
        Tag::Open(_) | Tag::Close(_) | Tag::Empty(_) => Err(xml::SYNTAX),
    }
}

fn value<'a>(cursor: &mut Cursor<'a>) -> Result<Value<'a>, Rejection> {
    let (name, is_empty) = match cursor.tag()? {
        Tag::Open(name) => (name, false),
        Tag::Empty(name) => (name, true),
        Tag::Close(_) => return Err(xml::SYNTAX),
    };
    if let Some((_, kind)) = Kind::ALL.iter().find(|(known, _)| *known == name) {
        return Ok(Value::Text(*kind, if is_empty { Text::EMPTY } else { cursor.text_of(name)? }));
    }
    match name {
        "true" | "false" => {
            if !is_empty {
                cursor.close(name)?;
            }
            Ok(Value::Bool(name == "true"))
        }
        "array" => Ok(Value::Array(if is_empty { Texts::EMPTY } else { cursor.texts_of("array", "string")? })),
        _ => Err(xml::SYNTAX),
    }
}

fn battery_percent(text: &str) -> Result<u8, Code> {
    grammar::length(text, 1, 3)?;
    match u8::try_from(grammar::decimal(text)?) {
        Ok(percent @ 0..=100) => Ok(percent),
        Ok(_) | Err(_) => Err(Code::Range),
    }
}

fn computer_name(text: &str) -> Result<(), Code> {
    grammar::printable(text, 1, 63)?;
    grammar::format(!text.starts_with(char::is_whitespace) && !text.ends_with(char::is_whitespace))
}

fn udid(text: &str) -> Result<(), Code> {
    grammar::length(text, 36, 36)?;
    let bytes = text.as_bytes();
    grammar::format(grammar::is_uuid(bytes, grammar::is_upper_hex) && !grammar::is_uuid_of(bytes, b'0'))
}

fn nonce(text: &str) -> Result<Nonce, Code> {
    if text.bytes().any(xml::is_space) {
        let dense: String = text.split([' ', '\t', '\n', '\r']).collect();
        return grammar::nonce_base64(&dense);
    }
    grammar::nonce_base64(text)
}

pub(crate) fn parse(body: &[u8], releases: &Releases) -> Result<Request, Rejection> {
    let values = Values::read(xml::text(body)?)?;
    let mut cross = CrossFields::default();
    let app_build = values.string(Key::AppBuild, |text| grammar::apple_app_build(text, 4))?;
    let app_version = values.string(Key::AppVersion, grammar::apple_app_version)?;
    let battery_percent = values.optional(Key::BatteryPercent, Kind::Integer, battery_percent)?;
    let (build_version, train) =
        values.required(Key::BuildVersion, Kind::String, |text| Ok((text.to_owned(), grammar::apple_build(text)?)))?;
    let computer_name = values.string(Key::ComputerName, computer_name)?;
    cross.device = values.optional(Key::DeviceToken, Kind::String, grammar::device_proof)?;
    let estimate = values.optional(Key::EstimatedBytes, Kind::Integer, grammar::estimate)?;
    let hardware_model = values.string(Key::HardwareModel, |text| {
        grammar::length(text, 6, 16)?;
        grammar::apple_model(text, &FAMILIES).map(|_| ())
    })?;
    let local_host_name = values.string(Key::LocalHostName, |text| {
        grammar::length(text, 1, 63)?;
        grammar::format(grammar::is_label(text.as_bytes()))
    })?;
    let locale = values.string(Key::Locale, grammar::apple_locale)?;
    cross.mass = values.optional(Key::MassToken, Kind::String, grammar::mass_proof)?;
    let name =
        values.required(Key::MessageType, Kind::String, |text| grammar::word(text, &OperationName::ALL, spell))?;
    let network_interface = values.required(Key::NetworkInterface, Kind::String, |text| {
        grammar::word(text, NetworkInterface::ALL, NetworkInterface::as_str)
    })?;
    cross.node = values.optional(Key::NodeId, Kind::String, grammar::node)?;
    let nonce = values.required(Key::Nonce, Kind::Data, nonce)?;
    let (os_version, version) = values.required(Key::OsVersion, Kind::String, |text| {
        grammar::length(text, 2, 8)?;
        Ok((text.to_owned(), grammar::apple_version(text, &releases.macos)?))
    })?;
    let on_battery = values.on_battery()?;
    values.paths(&mut cross)?;
    let sent_at = values.required(Key::SentAt, Kind::Date, |text| grammar::date_time(text, 0))?;
    let time_zone = values.string(Key::TimeZone, grammar::iana)?;
    let udid = values.string(Key::Udid, udid)?;
    cross.user = values.optional(Key::User, Kind::String, |text| grammar::user(text).map(|()| text.to_owned()))?;

    let (operation, proof) = cross.judge(Platform::MacOs, name)?;
    if on_battery && battery_percent.is_none() {
        return Err(Rejection::new(Code::Conflict, Key::BatteryPercent.name()));
    }
    if i16::from(train) != version.train {
        return Err(Rejection::new(Code::Conflict, Key::BuildVersion.name()));
    }
    let profile = request::Profile::MacOs(Profile {
        app_build,
        app_version,
        battery_percent,
        build_version,
        computer_name,
        hardware_model,
        local_host_name,
        locale,
        network_interface,
        os_version,
        on_battery,
        time_zone,
    });
    let device_id = DeviceId::new(Platform::MacOs, udid);
    Ok(Request { content: Content { device_id, operation, sent_at, nonce, estimate, profile }, proof })
}
