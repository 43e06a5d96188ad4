//! FORMATS §2: macOS, an XML property list.

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};

use super::{
    Content, Field, OperationName, Platform, Request,
    cross::{CrossFields, Parts},
    fields::{self, Survey, at},
    grammar,
    words::words,
    xml::{self, Cursor, Tag, Text, Texts},
};
use crate::{
    canonical::read_flag,
    codec::{Malformed, Reader, TooLong, Writer},
    error::{Code, Rejection},
    ids::DeviceId,
    validator::Releases,
};

const PROLOG: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
);

/// The table of fields, in ascending order of their names.
pub const FIELDS: &[Field] = &[
    Field::required("AppBuild", "string: 1..18, [1-9][0-9]{0,3}(.[0-9]{1,3}){0,2}"),
    Field::required("AppVersion", "string: 5..14, [1-9][0-9]{0,3}(.(0|[1-9][0-9]{0,2})){2}"),
    Field::conditional("BatteryPercent", "with OnBattery", "integer: 1..3, 0|[1-9][0-9]*, <= 100"),
    Field::required("BuildVersion", "string: 4..9, [12][0-9][A-Z][1-9][0-9]{0,4}[a-z]?, the train of OSVersion"),
    Field::required("ComputerName", "string: 1..63 Unicode, no C0 or DEL, no white space at either end"),
    Field::conditional("DeviceToken", "C1", "string: DEV"),
    Field::optional("EstimatedBytes", "integer: EST"),
    Field::required("HardwareModel", "string: 6..16, a family of Macs, then N,N with N [1-9][0-9]?"),
    Field::required("LocalHostName", "string: 1..63, LABEL"),
    Field::required("Locale", "string: APPLELOC"),
    Field::conditional("MassToken", "C1", "string: MASS"),
    Field::required("MessageType", "string: Register, Authenticate, Backup, Restore, Sync or Ping"),
    Field::required("NetworkInterface", "string: wifi, wiredEthernet, cellular or other"),
    Field::conditional("NodeID", "C2", "string: NODE"),
    Field::required("Nonce", "data: NONCE in base64, white space dropped"),
    Field::required("OSVersion", "string: 2..8, 10.13 to 10.15, 11 to 15 or 26 to 29, with its updates"),
    Field::required("OnBattery", "true or false"),
    Field::conditional("Paths", "C2", "array of string: absolute POSIX paths of at most 1023 bytes"),
    Field::required("SentAt", "date: 20, YYYY-MM-DDThh:mm:ssZ, TIME"),
    Field::required("TimeZone", "string: IANA"),
    Field::required("UDID", "string: 36, upper-case hex 8-4-4-4-12, not all zero"),
    Field::conditional("User", "C1", "string: USER"),
];

/// The places of [`FIELDS`].
#[derive(Clone, Copy)]
enum Key {
    AppBuild,
    AppVersion,
    BatteryPercent,
    BuildVersion,
    ComputerName,
    DeviceToken,
    EstimatedBytes,
    HardwareModel,
    LocalHostName,
    Locale,
    MassToken,
    MessageType,
    NetworkInterface,
    NodeId,
    Nonce,
    OsVersion,
    OnBattery,
    Paths,
    SentAt,
    TimeZone,
    Udid,
    User,
}

impl Key {
    const fn name(self) -> &'static str {
        FIELDS[self as usize].name
    }
}

words! {
    /// `NetworkInterface`: what the request travels over.
    pub enum NetworkInterface {
        /// Wi-Fi.
        Wifi = "wifi",
        /// Ethernet.
        WiredEthernet = "wiredEthernet",
        /// A mobile network.
        Cellular = "cellular",
        /// Anything else.
        Other = "other",
    }
}

/// The platform's own facts; each text matches its row of [`FIELDS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `AppBuild`: the agent's build (`CFBundleVersion`).
    pub app_build: String,
    /// `AppVersion`: the agent's version (`CFBundleShortVersionString`).
    pub app_version: String,
    /// `BatteryPercent`: charge, 0 to 100; always there on battery.
    pub battery_percent: Option<u8>,
    /// `BuildVersion`: the system's build (`23F79`).
    pub build_version: String,
    /// `ComputerName`: what the user calls the Mac.
    pub computer_name: String,
    /// `HardwareModel`: the model identifier (`MacBookPro18,3`).
    pub hardware_model: String,
    /// `LocalHostName`: the Bonjour name, a DNS label.
    pub local_host_name: String,
    /// `Locale`: Apple's locale identifier (`zh-Hans_CN`).
    pub locale: String,
    /// `NetworkInterface`.
    pub network_interface: NetworkInterface,
    /// `OSVersion`: the system's version (`14.5`).
    pub os_version: String,
    /// `OnBattery`.
    pub on_battery: bool,
    /// `TimeZone`: an IANA name.
    pub time_zone: String,
}

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
                    let place = fields::find(FIELDS, key.resolve().as_bytes());
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

const fn spell(name: OperationName) -> &'static str {
    match name {
        OperationName::Register => "Register",
        OperationName::Auth => "Authenticate",
        OperationName::Backup => "Backup",
        OperationName::Restore => "Restore",
        OperationName::Sync => "Sync",
        OperationName::Ping => "Ping",
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

fn nonce(text: &str) -> Result<crate::ids::Nonce, Code> {
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
    let profile = super::Profile::MacOs(Profile {
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

/// Writes keys and values.
struct Plist(Vec<u8>);

impl Plist {
    fn raw(&mut self, key: Key, element: &str) {
        xml::push_element(&mut self.0, "key", key.name().as_bytes());
        self.0.extend_from_slice(element.as_bytes());
    }

    fn text(&mut self, key: Key, element: &str, value: &str) {
        xml::push_element(&mut self.0, "key", key.name().as_bytes());
        xml::push_element(&mut self.0, element, value.as_bytes());
    }

    fn string(&mut self, key: Key, value: &str) {
        self.text(key, "string", value);
    }
}

fn written(write: impl FnOnce(&mut String)) -> String {
    let mut text = String::new();
    write(&mut text);
    text
}

pub(crate) fn emit(request: &Request, profile: &Profile) -> Vec<u8> {
    let content = &request.content;
    let parts = Parts::of(request);
    let mut plist = Plist(PROLOG.as_bytes().to_vec());
    plist.0.extend_from_slice(b"<plist version=\"1.0\"><dict>");
    plist.string(Key::AppBuild, &profile.app_build);
    plist.string(Key::AppVersion, &profile.app_version);
    if let Some(percent) = profile.battery_percent {
        plist.text(Key::BatteryPercent, "integer", &percent.to_string());
    }
    plist.string(Key::BuildVersion, &profile.build_version);
    plist.string(Key::ComputerName, &profile.computer_name);
    if let Some(proof) = parts.device {
        plist.string(Key::DeviceToken, &written(|out| grammar::push_device_proof(proof, out)));
    }
    if let Some(bytes) = content.estimate {
        plist.text(Key::EstimatedBytes, "integer", &bytes.to_string());
    }
    plist.string(Key::HardwareModel, &profile.hardware_model);
    plist.string(Key::LocalHostName, &profile.local_host_name);
    plist.string(Key::Locale, &profile.locale);
    if let Some(proof) = parts.mass {
        plist.string(Key::MassToken, &written(|out| grammar::push_mass_proof(proof, out)));
    }
    plist.string(Key::MessageType, spell(content.operation.name()));
    plist.string(Key::NetworkInterface, profile.network_interface.as_str());
    if let Some(node) = parts.node {
        plist.string(Key::NodeId, node.as_str());
    }
    plist.text(Key::Nonce, "data", &written(|out| grammar::push_base64(content.nonce.bytes(), out)));
    plist.string(Key::OsVersion, &profile.os_version);
    plist.raw(Key::OnBattery, if profile.on_battery { "<true/>" } else { "<false/>" });
    if parts.node.is_some() {
        plist.raw(Key::Paths, "<array>");
        for path in parts.paths {
            xml::push_element(&mut plist.0, "string", path);
        }
        plist.0.extend_from_slice(b"</array>");
    }
    plist.text(Key::SentAt, "date", &written(|out| grammar::push_date_time(content.sent_at, 0, out)));
    plist.string(Key::TimeZone, &profile.time_zone);
    plist.string(Key::Udid, content.device_id.text());
    if let Some(user) = parts.user {
        plist.string(Key::User, user);
    }
    plist.0.extend_from_slice(b"</dict></plist>");
    plist.0
}

/// Writes the facts into the canonical encoding.
pub(crate) fn write_profile(profile: &Profile, writer: &mut Writer) -> Result<(), TooLong> {
    writer.text16(&profile.app_build, Key::AppBuild.name())?;
    writer.text16(&profile.app_version, Key::AppVersion.name())?;
    match profile.battery_percent {
        None => writer.u8(0),
        Some(percent) => writer.u8(1).u8(percent),
    };
    writer.text16(&profile.build_version, Key::BuildVersion.name())?;
    writer.text16(&profile.computer_name, Key::ComputerName.name())?;
    writer.text16(&profile.hardware_model, Key::HardwareModel.name())?;
    writer.text16(&profile.local_host_name, Key::LocalHostName.name())?;
    writer.text16(&profile.locale, Key::Locale.name())?;
    profile.network_interface.write(writer);
    writer.text16(&profile.os_version, Key::OsVersion.name())?;
    writer.u8(u8::from(profile.on_battery));
    writer.text16(&profile.time_zone, Key::TimeZone.name())?;
    Ok(())
}

/// Reads exactly what [`write_profile`] writes.
pub(crate) fn read_profile(reader: &mut Reader<'_>) -> Result<Profile, Malformed> {
    let text = |reader: &mut Reader<'_>, key: Key| reader.text16(key.name()).map(ToOwned::to_owned);
    Ok(Profile {
        app_build: text(reader, Key::AppBuild)?,
        app_version: text(reader, Key::AppVersion)?,
        battery_percent: read_flag(reader, Key::BatteryPercent.name())?
            .then(|| reader.u8(Key::BatteryPercent.name()))
            .transpose()?,
        build_version: text(reader, Key::BuildVersion)?,
        computer_name: text(reader, Key::ComputerName)?,
        hardware_model: text(reader, Key::HardwareModel)?,
        local_host_name: text(reader, Key::LocalHostName)?,
        locale: text(reader, Key::Locale)?,
        network_interface: NetworkInterface::read(reader, Key::NetworkInterface.name())?,
        os_version: text(reader, Key::OsVersion)?,
        on_battery: read_flag(reader, Key::OnBattery.name())?,
        time_zone: text(reader, Key::TimeZone)?,
    })
}
