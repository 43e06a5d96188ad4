//! Writing: the body, and the facts in the canonical encoding.

use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

use super::{Agent, DmVersion, Key, Network, PROLOG, PowerSource, Profile, fixed};
use crate::{
    codec::{Malformed, Reader, TooLong, Writer},
    request::{Request, cross::Parts, grammar, xml},
};

/// Writes the document's pieces.
struct Document(Vec<u8>);

impl Document {
    fn raw(&mut self, markup: &str) {
        self.0.extend_from_slice(markup.as_bytes());
    }

    fn element(&mut self, name: &str, value: &str) {
        xml::push_element(&mut self.0, name, value.as_bytes());
    }

    fn item(&mut self, key: Key, data: &[u8]) {
        self.raw("<Item><Source>");
        self.element("LocURI", key.name());
        self.raw("</Source>");
        xml::push_element(&mut self.0, "Data", data);
        self.raw("</Item>");
    }
}

fn written(write: impl FnOnce(&mut String)) -> String {
    let mut text = String::new();
    write(&mut text);
    text
}

/// `DevId` of a device id: base64 of the bytes that its hex digits stand for. One that is not hex stays as it is, for the
/// validator to refuse.
fn device_id(hex: &str) -> String {
    let bytes: Option<[u8; 20]> = grammar::hex_lower(hex.to_ascii_lowercase().as_bytes());
    bytes.map_or_else(|| hex.to_owned(), |bytes| written(|out| grammar::push_base64(&bytes, out)))
}

fn credentials(parts: &Parts<'_>) -> String {
    let pair = written(|out| {
        if let Some(proof) = parts.mass {
            grammar::push_mass_proof(proof, out);
        }
        if let Some(proof) = parts.device {
            grammar::push_device_proof(proof, out);
        }
        out.push(':');
        out.push_str(parts.user.unwrap_or_default());
    });
    written(|out| grammar::push_base64(pair.as_bytes(), out))
}

fn emit_header(document: &mut Document, request: &Request, profile: &Profile, parts: &Parts<'_>) {
    document.raw("<SyncHdr>");
    document.raw(&fixed::VERSIONS.concat());
    document.element("SessionID", &profile.session_id);
    document.element("MsgID", &profile.message_id.to_string());
    document.raw("<Target>");
    document.element("LocURI", &profile.target);
    document.raw("</Target><Source>");
    document.element("LocURI", &format!("urn:wp:{}", request.content.device_id.text()));
    document.raw("</Source><Cred>");
    document.raw(&fixed::META.concat());
    document.element("Data", &credentials(parts));
    document.raw("</Cred></SyncHdr>");
}

pub(crate) fn emit(request: &Request, profile: &Profile) -> Vec<u8> {
    let content = &request.content;
    let parts = Parts::of(request);
    let mut document = Document(PROLOG.as_bytes().to_vec());
    document.raw(fixed::ROOT);
    emit_header(&mut document, request, profile, &parts);
    document.raw(&fixed::COMMANDS.concat());
    let mut item = |key: Key, data: &str| document.item(key, data.as_bytes());
    item(Key::DevId, &device_id(content.device_id.text()));
    item(Key::Man, &profile.manufacturer);
    item(Key::Mod, &profile.model);
    item(Key::DmV, profile.dm_version.as_str());
    item(Key::Lang, &profile.language);
    item(Key::SwV, &profile.software_version);
    item(Key::App, &profile.app_version);
    item(Key::Name, &profile.name);
    item(Key::Tz, &profile.time_zone);
    item(Key::Net, profile.network.as_str());
    item(Key::Power, &format!("{}:{}", profile.power_source, profile.battery_percent));
    item(Key::Agent, profile.agent.as_str());
    item(Key::Sent, &written(|out| grammar::push_date_time(content.sent_at, 7, out)));
    item(Key::Nonce, &written(|out| grammar::push_base64(content.nonce.bytes(), out)));
    item(Key::Op, super::spell(content.operation.name()));
    if let Some(node) = parts.node {
        item(Key::Node, node.as_str());
    }
    for path in parts.paths {
        document.item(Key::Item, path);
    }
    if let Some(bytes) = content.estimate {
        document.item(Key::Bytes, bytes.to_string().as_bytes());
    }
    document.raw("</Replace><Final/></SyncBody></SyncML>");
    document.0
}

/// Writes the facts into the canonical encoding.
pub(crate) fn write_profile(profile: &Profile, writer: &mut Writer) -> Result<(), TooLong> {
    writer.text16(&profile.session_id, Key::SessionId.name())?;
    writer.u16(profile.message_id);
    writer.text16(&profile.target, Key::Target.name())?;
    writer.text16(&profile.manufacturer, Key::Man.name())?;
    writer.text16(&profile.model, Key::Mod.name())?;
    profile.dm_version.write(writer);
    writer.text16(&profile.language, Key::Lang.name())?;
    writer.text16(&profile.software_version, Key::SwV.name())?;
    writer.text16(&profile.app_version, Key::App.name())?;
    writer.text16(&profile.name, Key::Name.name())?;
    writer.text16(&profile.time_zone, Key::Tz.name())?;
    profile.network.write(writer);
    profile.power_source.write(writer);
    writer.u8(profile.battery_percent);
    profile.agent.write(writer);
    Ok(())
}

/// Reads exactly what [`write_profile`] writes.
pub(crate) fn read_profile(reader: &mut Reader<'_>) -> Result<Profile, Malformed> {
    let text = |reader: &mut Reader<'_>, key: Key| reader.text16(key.name()).map(ToOwned::to_owned);
    Ok(Profile {
        session_id: text(reader, Key::SessionId)?,
        message_id: reader.u16(Key::MsgId.name())?,
        target: text(reader, Key::Target)?,
        manufacturer: text(reader, Key::Man)?,
        model: text(reader, Key::Mod)?,
        dm_version: DmVersion::read(reader, Key::DmV.name())?,
        language: text(reader, Key::Lang)?,
        software_version: text(reader, Key::SwV)?,
        app_version: text(reader, Key::App)?,
        name: text(reader, Key::Name)?,
        time_zone: text(reader, Key::Tz)?,
        network: Network::read(reader, Key::Net.name())?,
        power_source: PowerSource::read(reader, Key::Power.name())?,
        battery_percent: reader.u8(Key::Power.name())?,
        agent: Agent::read(reader, Key::Agent.name())?,
    })
}
