//! Reading and judging a body.

use alloc::{borrow::ToOwned, string::String, vec::Vec};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Agent, DmVersion, FIELDS, Key, Network, PROLOG, PowerSource, Profile, fixed};
use crate::{
    error::{Code, Rejection},
    ids::DeviceId,
    request::{
        self, Content, Platform, Request,
        cross::CrossFields,
        fields::{Survey, at},
        grammar::{self, Scan},
        xml::{self, Cursor, Tag, Text},
    },
};

/// Fields of the header; the items' places follow.
const HEADER: usize = Key::DevId as usize;

/// UTF-16 units of a path at most: MAX_PATH, 260 with its NUL.
const PATH_UNITS_MAX: usize = 259;

/// The values of a body, each at its field's place.
struct Values<'a> {
    single: [Option<Text<'a>>; FIELDS.len()],
    paths: Vec<Text<'a>>,
}

impl<'a> Values<'a> {
    /// Reads the document and judges which items it has.
    fn read(text: &'a str) -> Result<Self, Rejection> {
        let mut cursor = Cursor::new(text, PROLOG)?;
        let mut values = Self { single: [None; FIELDS.len()], paths: Vec::new() };
        let mut survey = Survey::new(FIELDS);
        cursor.expect(fixed::ROOT)?;
        for (place, text) in header(&mut cursor)?.into_iter().enumerate() {
            survey.meet(Some(place));
            values.single[place] = Some(text);
        }
        for constant in fixed::COMMANDS {
            cursor.expect(constant)?;
        }
        while let Some((name, data)) = next_item(&mut cursor)? {
            let place = survey.find(name.resolve().as_bytes()).filter(|place| *place >= HEADER);
            survey.meet(place);
            if place == Some(Key::Item as usize) {
                values.paths.push(data);
            } else if let Some(slot) = place.and_then(|place| values.single.get_mut(place)) {
                *slot = Some(data);
            }
        }
        cursor.empty_element("Final")?;
        cursor.expect("</SyncBody>")?;
        cursor.expect("</SyncML>")?;
        cursor.end()?;
        survey.judge()?;
        Ok(values)
    }

    /// The value of `key`, if it is there, as `grammar` accepts it.
    fn optional<T>(&self, key: Key, grammar: impl FnOnce(&str) -> Result<T, Code>) -> Result<Option<T>, Rejection> {
        let text = self.single.get(key as usize).copied().flatten();
        text.map(|text| grammar(&text.resolve())).transpose().map_err(at(key.name()))
    }

    /// As [`Self::optional`], where the survey has seen that the field is there.
    fn required<T>(&self, key: Key, grammar: impl FnOnce(&str) -> Result<T, Code>) -> Result<T, Rejection> {
        self.optional(key, grammar)?.ok_or(Rejection::new(Code::Missing, key.name()))
    }

    /// The text of `key`, which `grammar` accepts, to keep.
    fn string(&self, key: Key, grammar: impl FnOnce(&str) -> Result<(), Code>) -> Result<String, Rejection> {
        self.required(key, |text| grammar(text).map(|()| text.to_owned()))
    }

    fn paths(&self, cross: &mut CrossFields) -> Result<(), Rejection> {
        for path in &self.paths {
            let path = path.resolve();
            if !is_path(&path) {
                return Err(Rejection::new(Code::Path, Key::Item.name()));
            }
            cross.push_path(path.into_owned().into_bytes());
        }
        Ok(())
    }
}

/// `SyncHdr`: its fields in the order of the table.
fn header<'a>(cursor: &mut Cursor<'a>) -> Result<[Text<'a>; HEADER], Rejection> {
    cursor.expect("<SyncHdr>")?;
    for constant in fixed::VERSIONS {
        cursor.expect(constant)?;
    }
    let session_id = cursor.text_element("SessionID")?;
    let message_id = cursor.text_element("MsgID")?;
    cursor.expect("<Target>")?;
    let target = cursor.text_element("LocURI")?;
    cursor.expect("</Target>")?;
    let source = source(cursor)?;
    cursor.expect("<Cred>")?;
    for constant in fixed::META {
        cursor.expect(constant)?;
    }
    let credentials = cursor.text_element("Data")?;
    cursor.expect("</Cred>")?;
    cursor.expect("</SyncHdr>")?;
    Ok([session_id, message_id, target, source, credentials])
}

fn source<'a>(cursor: &mut Cursor<'a>) -> Result<Text<'a>, Rejection> {
    cursor.expect("<Source>")?;
    let uri = cursor.text_element("LocURI")?;
    cursor.expect("</Source>")?;
    Ok(uri)
}

/// The LocURI and the Data of the next item, or the end of `Replace`.
fn next_item<'a>(cursor: &mut Cursor<'a>) -> Result<Option<(Text<'a>, Text<'a>)>, Rejection> {
    match cursor.tag()? {
        Tag::Open("Item") => {
            let name = source(cursor)?;
            let data = cursor.text_element("Data")?;
            cursor.expect("</Item>")?;
            Ok(Some((name, data)))
        }
        Tag::Close("Replace") => Ok(None),
        Tag::Open(_) | Tag::Close(_) | Tag::Empty(_) => Err(xml::SYNTAX),
    }
}

const fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

fn message_id(text: &str) -> Result<u16, Code> {
    grammar::length(text, 1, 3)?;
    grammar::format(text != "0")?;
    u16::try_from(grammar::decimal(text)?).map_err(|_| Code::Format)
}

fn target(text: &str) -> Result<(), Code> {
    grammar::length(text, 20, 255)?;
    let inner = text.strip_prefix("https://").and_then(|rest| rest.strip_suffix("/edge/wp8")).ok_or(Code::Format)?;
    let (host, port) = inner.split_once(':').map_or((inner, None), |(host, port)| (host, Some(port)));
    grammar::format(host.contains('.') && host.split('.').all(|label| grammar::is_label(label.as_bytes())))?;
    let Some(port) = port else { return Ok(()) };
    let mut scan = Scan::new(port);
    let number = scan.number(5).filter(|number| *number > 0 && scan.at_end()).ok_or(Code::Format)?;
    grammar::range(number <= 65_535)
}

/// `Source`: the 40 hex digits.
fn source_id(text: &str) -> Result<String, Code> {
    grammar::length(text, 47, 47)?;
    let digits = text.strip_prefix("urn:wp:").ok_or(Code::Format)?;
    grammar::format(digits.bytes().all(grammar::is_upper_hex))?;
    Ok(digits.to_owned())
}

/// `Cred`: the proof and the user, each judged here at the header's turn.
fn credentials(text: &str, cross: &mut CrossFields) -> Result<(), Code> {
    let decoded = STANDARD.decode(text).map_err(|_| Code::Format)?;
    let decoded = core::str::from_utf8(&decoded).ok().filter(|text| text.is_ascii()).ok_or(Code::Format)?;
    let (proof, user) = decoded.split_once(':').ok_or(Code::Format)?;
    if proof.starts_with("M1.") {
        cross.mass = Some(grammar::mass_proof(proof)?);
    } else {
        cross.device = Some(grammar::device_proof(proof)?);
    }
    if !user.is_empty() {
        grammar::user(user)?;
        cross.user = Some(user.to_owned());
    }
    Ok(())
}

fn software_version(text: &str) -> Result<(), Code> {
    grammar::length(text, 10, 15)?;
    let mut scan = Scan::new(text);
    let build = if scan.eat_text("8.0.") {
        scan.eat(b'9') || scan.eat_text("10")
    } else {
        scan.eat_text("8.10.1") && scan.exactly(1, |byte| matches!(byte, b'2'..=b'5'))
    };
    let matches = build && scan.exactly(3, is_digit) && scan.eat(b'.') && !scan.run(4, is_digit).is_empty();
    grammar::format(matches && scan.at_end())
}

fn app_version(text: &str) -> Result<(), Code> {
    grammar::length(text, 7, 23)?;
    let mut scan = Scan::new(text);
    let mut largest = 0;
    for at in 0..4 {
        grammar::format(at == 0 || scan.eat(b'.'))?;
        let number = scan.number(5).ok_or(Code::Format)?;
        grammar::format(at > 0 || number > 0)?;
        largest = number.max(largest);
    }
    grammar::format(scan.at_end())?;
    grammar::range(largest <= 65_535)
}

fn power(text: &str) -> Result<(PowerSource, u8), Code> {
    grammar::length(text, 9, 12)?;
    let (source, percent) = text.split_once(':').ok_or(Code::Format)?;
    let source = grammar::word(source, PowerSource::ALL, PowerSource::as_str)?;
    let mut scan = Scan::new(percent);
    let percent = scan.number(3).filter(|percent| *percent <= 100 && scan.at_end());
    Ok((source, percent.and_then(|percent| u8::try_from(percent).ok()).ok_or(Code::Format)?))
}

fn is_path(path: &str) -> bool {
    let components = ["isostore:/", "ms-appdata:///local/"].into_iter().find_map(|root| path.strip_prefix(root));
    path.encode_utf16().count() <= PATH_UNITS_MAX
        && components.is_some_and(|rest| rest.split('/').all(|part| grammar::windows_component(part, 255, true)))
}

/// Upper-case hex, as `Source` spells it.
fn upper_hex(bytes: &[u8]) -> String {
    let mut digits = String::new();
    grammar::push_hex_lower(bytes, &mut digits);
    digits.make_ascii_uppercase();
    digits
}

pub(crate) fn parse(body: &[u8]) -> Result<Request, Rejection> {
    let values = Values::read(xml::text(body)?)?;
    let mut cross = CrossFields::default();
    let session_id = values.string(Key::SessionId, |text| grammar::characters(text, 1, 4, grammar::is_upper_hex))?;
    let message_id = values.required(Key::MsgId, message_id)?;
    let target = values.string(Key::Target, target)?;
    let source = values.required(Key::Source, source_id)?;
    values.required(Key::Cred, |text| credentials(text, &mut cross))?;
    let id = values.required(Key::DevId, grammar::base64_20)?;
    let of = |also: &'static [u8]| move |byte: u8| byte.is_ascii_alphanumeric() || also.contains(&byte);
    let manufacturer = values.string(Key::Man, |text| grammar::characters(text, 1, 64, of(b" ._&+-")))?;
    let model = values.string(Key::Mod, |text| grammar::characters(text, 1, 64, of(b" ._+()/-")))?;
    let dm_version = values.required(Key::DmV, |text| grammar::word(text, DmVersion::ALL, DmVersion::as_str))?;
    let language = values.string(Key::Lang, |text| {
        grammar::length(text, 5, 10)?;
        grammar::format(grammar::is_bcp(text))
    })?;
    let software_version = values.string(Key::SwV, software_version)?;
    let app_version = values.string(Key::App, app_version)?;
    let name = values.string(Key::Name, |text| grammar::printable(text, 1, 64))?;
    let time_zone = values.string(Key::Tz, grammar::windows_zone)?;
    let network = values.required(Key::Net, |text| grammar::word(text, Network::ALL, Network::as_str))?;
    let (power_source, battery_percent) = values.required(Key::Power, power)?;
    let agent = values.required(Key::Agent, |text| grammar::word(text, Agent::ALL, Agent::as_str))?;
    let sent_at = values.required(Key::Sent, |text| grammar::date_time(text, 7))?;
    let nonce = values.required(Key::Nonce, grammar::nonce_base64)?;
    let operation = values.required(Key::Op, |text| grammar::word(text, &request::OperationName::ALL, super::spell))?;
    cross.node = values.optional(Key::Node, grammar::node)?;
    values.paths(&mut cross)?;
    let estimate = values.optional(Key::Bytes, grammar::estimate)?;

    let (operation, proof) = cross.judge(Platform::WindowsPhone, operation)?;
    if upper_hex(&id) != source {
        return Err(Rejection::new(Code::Conflict, Key::DevId.name()));
    }
    let is_ready = power_source == PowerSource::External
        && battery_percent >= 90
        && matches!(network, Network::Wireless80211 | Network::Ethernet);
    if agent == Agent::ResourceIntensive && !is_ready {
        return Err(Rejection::new(Code::Conflict, Key::Agent.name()));
    }
    let profile = request::Profile::WindowsPhone(Profile {
        session_id,
        message_id,
        target,
        manufacturer,
        model,
        dm_version,
        language,
        software_version,
        app_version,
        name,
        time_zone,
        network,
        power_source,
        battery_percent,
        agent,
    });
    let device_id = DeviceId::new(Platform::WindowsPhone, source);
    Ok(Request { content: Content { device_id, operation, sent_at, nonce, estimate, profile }, proof })
}
