//! One request of a simulated device, with whatever a user wants to be different about it.

use std::{path::Path, time::SystemTime};

use relay_trust::{DeviceKey, MassSecret, random, read_secret_file};
use relay_wire::{
    Platform, canonical,
    frame::opening::Header,
    ids::{DeviceId, Exporter, Nonce},
    limits, proof,
    request::{Content, Operation, OperationName, Proof, Request, TransferKind},
    time::WallTime,
};

use super::explain::{self, Value};
use crate::{cli::BodyArgs, error::Error, hex, profiles::Persona, target::load_mass_secret};

/// A request's content and what its proof is made with.
pub struct Draft {
    /// All but the proof.
    pub content: Content,
    signer: Signer,
}

enum Signer {
    Mass(MassSecret),
    Device(DeviceKey),
}

impl Draft {
    /// The draft that the options describe. What they leave open is that of the simulated device.
    ///
    /// # Errors
    /// [`Error::Usage`] that names the option that cannot be used.
    pub fn new(platform: Platform, args: &BodyArgs) -> Result<Self, Error> {
        let operation = args.op.ok_or_else(|| Error::Usage("--op OPERATION is needed".into()))?.name();
        let mut persona = Persona::generate(platform, args.index, args.seed);
        if let Some(id) = &args.id {
            persona.id = DeviceId::new(platform, id.clone());
        }
        if let Some(user) = &args.user {
            persona.user.clone_from(user);
        }
        if !args.paths.is_empty() {
            persona.set_paths(args.paths.clone());
        }
        let transfer = |kind: TransferKind| {
            let node = args
                .node
                .clone()
                .ok_or_else(|| Error::Usage(format!("--node NAME is needed with --op {}", operation.as_str())))?;
            Ok::<_, Error>(Operation::Transfer { kind, node, paths: persona.paths() })
        };
        let content = match operation {
            OperationName::Register => Operation::Register { user: persona.user.clone() },
            OperationName::Auth => Operation::Auth,
            OperationName::Ping => Operation::Ping,
            OperationName::Backup => transfer(TransferKind::Backup)?,
            OperationName::Restore => transfer(TransferKind::Restore)?,
            OperationName::Sync => transfer(TransferKind::Sync)?,
        };
        let content = persona.content(content, sent_at(&persona, args.sent_at), nonce(args)?, args.estimate);
        let signer = if operation == OperationName::Register {
            Signer::Mass(args.mass_secret_file.as_deref().map_or_else(|| Ok(MassSecret::generate()), load_mass_secret)?)
        } else {
            Signer::Device(args.key_file.as_deref().map_or_else(|| Ok(DeviceKey::generate()), load_key)?)
        };
        Ok(Self { content, signer })
    }

    /// The content of a request that the validator accepted, to be proved with the same means.
    #[must_use]
    pub fn with_content(self, content: Content) -> Self {
        Self { content, ..self }
    }

    /// The request, proved over the connection of `exporter`.
    ///
    /// # Errors
    /// [`Error::Usage`] if a value is too long for any request.
    pub fn prove(self, exporter: &Exporter) -> Result<Request, Error> {
        let encoded = canonical::encode_content(&self.content).map_err(|error| Error::Usage(error.to_string()))?;
        let proof = match &self.signer {
            Signer::Mass(secret) => Proof::Mass(secret.mac(&proof::mass_register(exporter, &encoded))),
            Signer::Device(key) => Proof::Device(key.sign(&proof::device_request(exporter, &encoded))),
        };
        Ok(Request { content: self.content, proof })
    }
}

fn sent_at(persona: &Persona, seconds: Option<u64>) -> WallTime {
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let time = seconds.map_or_else(
        || WallTime::from_unix(now()),
        |seconds| WallTime::from_ticks(seconds.saturating_mul(WallTime::TICKS_PER_SECOND)),
    );
    persona.sent_at(time)
}

fn nonce(args: &BodyArgs) -> Result<Nonce, Error> {
    let Some(text) = &args.nonce else {
        // All zero is no nonce; the second draw is for that one case in 2^128.
        return Nonce::new(random()).or_else(|| Nonce::new(random())).ok_or_else(|| Error::Usage("no nonce".into()));
    };
    hex::decode(text)
        .and_then(|bytes| bytes.try_into().ok())
        .and_then(Nonce::new)
        .ok_or_else(|| Error::Usage(format!("--nonce {text:?}: give 32 hex digits, not all zero")))
}

fn load_key(path: &Path) -> Result<DeviceKey, Error> {
    let text = read_secret_file(path).map_err(|error| Error::Usage(format!("--key-file: {error}")))?;
    DeviceKey::from_pkcs8_pem(&text).map_err(|error| Error::Usage(format!("--key-file {}: {error}", path.display())))
}

/// The body that the options describe, with a proof over an exporter of zero bytes.
///
/// # Errors
/// [`Error::Usage`] that names the option that cannot be used.
pub fn body(platform: Platform, args: &BodyArgs) -> Result<Vec<u8>, Error> {
    let body = Draft::new(platform, args)?.prove(&Exporter([0; 32]))?.to_body();
    with_fields(platform, body, args)
}

/// `body` with the values of `--field` and `--field-hex` in it.
///
/// # Errors
/// [`Error::Usage`] for a field that is not there.
pub fn with_fields(platform: Platform, mut body: Vec<u8>, args: &BodyArgs) -> Result<Vec<u8>, Error> {
    let split = |option: &str, field: &str| {
        field
            .split_once('=')
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .ok_or_else(|| Error::Usage(format!("{option} {field:?}: give NAME=VALUE")))
    };
    for field in &args.fields {
        let (name, value) = split("--field", field)?;
        body = explain::replace(platform, &body, &name, Value::Text(&value))
            .map_err(|error| Error::Usage(format!("--field: {error}")))?;
    }
    for field in &args.fields_hex {
        let (name, value) = split("--field-hex", field)?;
        let bytes =
            hex::decode(&value).ok_or_else(|| Error::Usage(format!("--field-hex {name}: {value:?} is not hex")))?;
        body = explain::replace(platform, &body, &name, Value::Raw(&bytes))
            .map_err(|error| Error::Usage(format!("--field-hex: {error}")))?;
    }
    Ok(body)
}

/// The opening frame's header for `body`.
///
/// # Errors
/// [`Error::Usage`] if no header can say its length.
pub fn header(platform: Platform, body: &[u8]) -> Result<[u8; limits::DEVICE_HEADER_BYTES], Error> {
    let length =
        u32::try_from(body.len()).map_err(|_| Error::Usage("the body is longer than any frame can say".into()))?;
    Ok(Header::encode(platform, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::OperationArg;

    fn args(op: OperationArg) -> BodyArgs {
        BodyArgs {
            op: Some(op),
            node: Some(relay_wire::ids::BackendName::new("node-a").unwrap()),
            sent_at: Some(1_778_751_000),
            nonce: Some("07".repeat(16)),
            ..BodyArgs::default()
        }
    }

    #[test]
    fn every_operation_of_every_platform_is_valid() {
        let validator = relay_wire::Validator::default();
        for platform in Platform::ALL {
            for op in [
                OperationArg::Register,
                OperationArg::Auth,
                OperationArg::Ping,
                OperationArg::Backup,
                OperationArg::Restore,
                OperationArg::Sync,
            ] {
                let body = body(platform, &args(op)).unwrap();
                let checked = validator.check(platform, &body).unwrap_or_else(|error| panic!("{platform}: {error}"));
                assert_eq!(checked.content.operation.name(), op.name());
            }
        }
    }

    #[test]
    fn fields_are_exchanged_and_mistakes_named() {
        let mut changed = args(OperationArg::Ping);
        changed.fields = vec!["power.level=1.01".into()];
        let body = body(Platform::Ios, &changed).unwrap();
        let verdict = relay_wire::Validator::default().check(Platform::Ios, &body).unwrap_err();
        assert_eq!(verdict.code, relay_wire::Code::Range);
        for (fields, nonce, word) in [("level", "07", "--field"), ("x=1", "07", "x"), ("op=ping", "00", "--nonce")] {
            let wrong =
                BodyArgs { fields: vec![fields.into()], nonce: Some(nonce.repeat(16)), ..args(OperationArg::Ping) };
            let error = super::body(Platform::Ios, &wrong).unwrap_err();
            assert!(error.to_string().contains(word) && error.exit_code() == 2, "{error}");
        }
    }
}
