//! SPEC §5.3: the relay's one encoding of a request. What crosses the DMZ is this, never a device's bytes; and what a
//! device's proof is made over is this, without the proof.

use alloc::{borrow::ToOwned, vec::Vec};

use crate::{
    codec::{Malformed, Reader, TooLong, Writer},
    grant::{operation_from_number, operation_number},
    ids::{BackendName, DeviceId, Nonce},
    request::{
        Content, Operation, OperationName, Platform, Profile, Proof, Request, TransferKind, android, ios, linux, macos,
        windows, windows_phone,
    },
    time::WallTime,
};

/// The version of this encoding, its first byte.
const VERSION: u8 = 1;
const PROOF_MASS: u8 = 1;
const PROOF_DEVICE: u8 = 2;

/// The encoding of a request's content: what a proof is made over ([`crate::proof`]).
///
/// # Errors
/// [`TooLong`] if a text or path is longer than 65,535 bytes; a checked request never is.
pub fn encode_content(content: &Content) -> Result<Vec<u8>, TooLong> {
    let mut writer = Writer::new();
    write_content(content, &mut writer)?;
    Ok(writer.into_bytes())
}

/// The encoding of a request: the encoding of its content, then the proof.
///
/// # Errors
/// [`TooLong`] as [`encode_content`].
pub fn encode(request: &Request) -> Result<Vec<u8>, TooLong> {
    let mut writer = Writer::new();
    write_content(&request.content, &mut writer)?;
    match &request.proof {
        Proof::Mass(proof) => writer.u8(PROOF_MASS).raw(proof),
        Proof::Device(proof) => writer.u8(PROOF_DEVICE).raw(proof),
    };
    Ok(writer.into_bytes())
}

/// The request of an encoding. Not yet checked: [`crate::Validator::check_canonical`] does that.
///
/// # Errors
/// [`Malformed`] if the bytes are not exactly what [`encode`] writes.
pub fn decode(encoded: &[u8]) -> Result<Request, Malformed> {
    let mut reader = Reader::new(encoded);
    let content = read_content(&mut reader)?;
    let field = "proof";
    let proof = match reader.u8(field)? {
        PROOF_MASS => Proof::Mass(reader.array(field)?),
        PROOF_DEVICE => Proof::Device(reader.array(field)?),
        _ => return Err(Malformed { field }),
    };
    reader.finish("end of request")?;
    Ok(Request { content, proof })
}

fn write_content(content: &Content, writer: &mut Writer) -> Result<(), TooLong> {
    writer.u8(VERSION).u8(content.profile.platform().number());
    writer.text16(content.device_id.text(), "device id")?;
    writer.u8(operation_number(content.operation.name()));
    match &content.operation {
        Operation::Register { user } => {
            writer.text16(user, "user")?;
        }
        Operation::Auth | Operation::Ping => {}
        Operation::Transfer { kind: _, node, paths } => {
            writer.text16(node.as_str(), "node")?;
            writer.u16(u16::try_from(paths.len()).map_err(|_| TooLong { field: "paths" })?);
            for path in paths {
                writer.bytes16(path, "path")?;
            }
        }
    }
    writer.u64(content.sent_at.ticks()).raw(content.nonce.bytes());
    match content.estimate {
        None => writer.u8(0),
        Some(estimate) => writer.u8(1).u64(estimate),
    };
    match &content.profile {
        Profile::Windows(profile) => windows::write_profile(profile, writer),
        Profile::MacOs(profile) => macos::write_profile(profile, writer),
        Profile::Linux(profile) => linux::write_profile(profile, writer),
        Profile::Ios(profile) => ios::write_profile(profile, writer),
        Profile::Android(profile) => android::write_profile(profile, writer),
        Profile::WindowsPhone(profile) => windows_phone::write_profile(profile, writer),
    }
}

fn read_content(reader: &mut Reader<'_>) -> Result<Content, Malformed> {
    if reader.u8("version")? != VERSION {
        return Err(Malformed { field: "version" });
    }
    let platform = Platform::from_number(reader.u8("platform")?).ok_or(Malformed { field: "platform" })?;
    let device_id = DeviceId::new(platform, reader.text16("device id")?.to_owned());
    let operation = read_operation(reader)?;
    let sent_at = WallTime::from_ticks(reader.u64("sent at")?);
    let nonce = Nonce::new(reader.array("nonce")?).ok_or(Malformed { field: "nonce" })?;
    let estimate = read_flag(reader, "estimate")?.then(|| reader.u64("estimate")).transpose()?;
    let profile = match platform {
        Platform::Windows => Profile::Windows(windows::read_profile(reader)?),
        Platform::MacOs => Profile::MacOs(macos::read_profile(reader)?),
        Platform::Linux => Profile::Linux(linux::read_profile(reader)?),
        Platform::Ios => Profile::Ios(ios::read_profile(reader)?),
        Platform::Android => Profile::Android(android::read_profile(reader)?),
        Platform::WindowsPhone => Profile::WindowsPhone(windows_phone::read_profile(reader)?),
    };
    Ok(Content { device_id, operation, sent_at, nonce, estimate, profile })
}

fn read_operation(reader: &mut Reader<'_>) -> Result<Operation, Malformed> {
    let field = "operation";
    let name = operation_from_number(reader.u8(field)?).ok_or(Malformed { field })?;
    Ok(match name {
        OperationName::Register => Operation::Register { user: reader.text16("user")?.to_owned() },
        OperationName::Auth => Operation::Auth,
        OperationName::Ping => Operation::Ping,
        OperationName::Backup => read_transfer(reader, TransferKind::Backup)?,
        OperationName::Restore => read_transfer(reader, TransferKind::Restore)?,
        OperationName::Sync => read_transfer(reader, TransferKind::Sync)?,
    })
}

fn read_transfer(reader: &mut Reader<'_>, kind: TransferKind) -> Result<Operation, Malformed> {
    let node = BackendName::new(reader.text16("node")?).map_err(|_| Malformed { field: "node" })?;
    let count = reader.u16("paths")?;
    // Grown as paths come: a count alone makes nobody allocate.
    let mut paths = Vec::new();
    for _ in 0..count {
        paths.push(reader.bytes16("path")?.to_owned());
    }
    Ok(Operation::Transfer { kind, node, paths })
}

/// One byte, 0 or 1, in the canonical encoding.
pub(crate) fn read_flag(reader: &mut Reader<'_>, field: &'static str) -> Result<bool, Malformed> {
    match reader.u8(field)? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed { field }),
    }
}
