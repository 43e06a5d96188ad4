//! Writing: the body, and the facts in the canonical encoding.

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};

use super::{Key, NetworkInterface, PROLOG, Profile, spell};
use crate::{
    canonical::read_flag,
    codec::{Malformed, Reader, TooLong, Writer},
    request::{Request, cross::Parts, grammar, xml},
};

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
