//! Writing: the body, and the facts in the canonical encoding.

use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};

use super::{BatteryLevel, NetType, PowerState, Profile, SystemName};
use crate::{
    canonical::read_flag,
    codec::{Malformed, Reader, TooLong, Writer},
    request::{Request, cross::Parts, grammar, json},
};

/// Writes members and values, a comma before each but an object's first.
struct Object(Vec<u8>);

impl Object {
    fn name(&mut self, name: &str) {
        if self.0.last().is_some_and(|last| *last != b'{') {
            self.0.push(b',');
        }
        json::push_string(&mut self.0, name.as_bytes());
        self.0.push(b':');
    }

    fn string(&mut self, name: &str, value: &str) {
        self.name(name);
        json::push_string(&mut self.0, value.as_bytes());
    }

    /// A number, `true` or `false`.
    fn bare(&mut self, name: &str, value: &str) {
        self.name(name);
        self.0.extend_from_slice(value.as_bytes());
    }

    fn boolean(&mut self, name: &str, value: bool) {
        self.bare(name, if value { "true" } else { "false" });
    }

    fn open(&mut self, name: &str) {
        self.bare(name, "{");
    }

    fn close(&mut self) {
        self.0.push(b'}');
    }
}

fn written(write: impl FnOnce(&mut String)) -> String {
    let mut text = String::new();
    write(&mut text);
    text
}

pub(crate) fn emit(request: &Request, profile: &Profile) -> Vec<u8> {
    let content = &request.content;
    let mut root = Object(b"{".to_vec());
    root.string("op", content.operation.name().as_str());
    root.string("idfv", content.device_id.text());
    root.string("deviceName", &profile.device_name);
    root.string("model", &profile.model);
    root.open("system");
    root.string("name", profile.system_name.as_str());
    root.string("version", &profile.system_version);
    root.string("build", &profile.system_build);
    root.close();
    root.open("app");
    root.string("bundle", &profile.app_bundle);
    root.string("version", &profile.app_version);
    root.string("build", &profile.app_build);
    root.close();
    root.string("locale", &profile.locale);
    root.string("timeZone", &profile.time_zone);
    root.open("net");
    root.string("type", profile.net_type.as_str());
    root.boolean("expensive", profile.net_expensive);
    root.boolean("constrained", profile.net_constrained);
    root.close();
    root.open("power");
    root.string("state", profile.power_state.as_str());
    root.bare("level", &profile.power_level.spell());
    root.boolean("lowPower", profile.low_power);
    root.close();
    root.string("sentAt", &written(|out| grammar::push_date_time(content.sent_at, 3, out)));
    root.string("nonce", &written(|out| grammar::push_base64(content.nonce.bytes(), out)));
    emit_cross_fields(&mut root, &Parts::of(request));
    if let Some(bytes) = content.estimate {
        root.bare("estBytes", &bytes.to_string());
    }
    root.close();
    root.0
}

fn emit_cross_fields(root: &mut Object, parts: &Parts<'_>) {
    if let Some(proof) = parts.device {
        root.string("deviceToken", &written(|out| grammar::push_device_proof(proof, out)));
    }
    if let Some(proof) = parts.mass {
        root.string("massToken", &written(|out| grammar::push_mass_proof(proof, out)));
    }
    if let Some(user) = parts.user {
        root.string("user", user);
    }
    if let Some(node) = parts.node {
        root.string("node", node.as_str());
        root.bare("items", "[");
        for (at, item) in parts.paths.iter().enumerate() {
            if at > 0 {
                root.0.push(b',');
            }
            json::push_string(&mut root.0, item);
        }
        root.0.push(b']');
    }
}

/// Writes the facts into the canonical encoding.
pub(crate) fn write_profile(profile: &Profile, writer: &mut Writer) -> Result<(), TooLong> {
    writer.text16(&profile.device_name, "deviceName")?;
    writer.text16(&profile.model, "model")?;
    profile.system_name.write(writer);
    writer.text16(&profile.system_version, "system.version")?;
    writer.text16(&profile.system_build, "system.build")?;
    writer.text16(&profile.app_bundle, "app.bundle")?;
    writer.text16(&profile.app_version, "app.version")?;
    writer.text16(&profile.app_build, "app.build")?;
    writer.text16(&profile.locale, "locale")?;
    writer.text16(&profile.time_zone, "timeZone")?;
    profile.net_type.write(writer);
    writer.u8(u8::from(profile.net_expensive)).u8(u8::from(profile.net_constrained));
    profile.power_state.write(writer);
    match profile.power_level {
        BatteryLevel::Unknown => writer.u8(0),
        BatteryLevel::Charge(units) => writer.u8(1).u64(units),
    };
    writer.u8(u8::from(profile.low_power));
    Ok(())
}

/// Reads exactly what [`write_profile`] writes.
pub(crate) fn read_profile(reader: &mut Reader<'_>) -> Result<Profile, Malformed> {
    let text = |reader: &mut Reader<'_>, field| reader.text16(field).map(ToOwned::to_owned);
    Ok(Profile {
        device_name: text(reader, "deviceName")?,
        model: text(reader, "model")?,
        system_name: SystemName::read(reader, "system.name")?,
        system_version: text(reader, "system.version")?,
        system_build: text(reader, "system.build")?,
        app_bundle: text(reader, "app.bundle")?,
        app_version: text(reader, "app.version")?,
        app_build: text(reader, "app.build")?,
        locale: text(reader, "locale")?,
        time_zone: text(reader, "timeZone")?,
        net_type: NetType::read(reader, "net.type")?,
        net_expensive: read_flag(reader, "net.expensive")?,
        net_constrained: read_flag(reader, "net.constrained")?,
        power_state: PowerState::read(reader, "power.state")?,
        power_level: match read_flag(reader, "power.level")? {
            false => BatteryLevel::Unknown,
            true => BatteryLevel::Charge(reader.u64("power.level")?),
        },
        low_power: read_flag(reader, "power.lowPower")?,
    })
}
