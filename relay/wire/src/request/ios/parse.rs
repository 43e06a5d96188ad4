//! Reading and judging a body.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use super::{BatteryLevel, FIELDS, Key, NESTED, NetType, PowerState, Profile, SystemName, group};
use crate::{
    error::{Code, Rejection},
    ids::DeviceId,
    request::{
        self, Content, Platform, Request,
        cross::CrossFields,
        fields::{Survey, at},
        grammar,
        json::{self, Reader as Json, Text, Value},
    },
    validator::Releases,
};

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
            let place = find(&root, name);
            root.meet(place);
            let value = match place.and_then(group) {
                Some((fields, first)) if json.at_object() => {
                    let mut survey = Survey::new(fields);
                    json.object(|json, name| {
                        let place = find(&survey, name);
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

/// The place of a name in a survey's table.
fn find(survey: &Survey, name: Text<'_>) -> Option<usize> {
    survey.find(name.resolve().as_bytes())
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
    let profile = request::Profile::Ios(Profile {
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
