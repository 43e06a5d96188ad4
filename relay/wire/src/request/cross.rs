//! SPEC §5.2.2: the cross-field rules C1 and C2, which every platform obeys.

use alloc::{string::String, vec::Vec};

use super::{Operation, OperationName, Platform, Proof};
use crate::{
    error::{Code, Rejection},
    ids::BackendName,
    limits,
};

/// The fields that C1 and C2 judge, each already good by itself.
#[derive(Debug, Default)]
pub(crate) struct CrossFields {
    pub(crate) mass: Option<[u8; 32]>,
    pub(crate) device: Option<[u8; 64]>,
    pub(crate) user: Option<String>,
    pub(crate) node: Option<BackendName>,
    /// `Some` if the field is there, even as an empty list.
    pub(crate) paths: Option<Vec<Vec<u8>>>,
}

impl CrossFields {
    /// Notes one more path. Those that no platform allows are counted no further: one too many is refused like many, and
    /// costs a peer's choice of memory less.
    pub(crate) fn push_path(&mut self, path: Vec<u8>) {
        let paths = self.paths.get_or_insert_default();
        if paths.len() <= limits::PATHS_DESKTOP_MAX {
            paths.push(path);
        }
    }

    /// Judges C1, then C2.
    ///
    /// # Errors
    /// `E_CONFLICT`, naming the rule.
    pub(crate) fn judge(self, platform: Platform, name: OperationName) -> Result<(Operation, Proof), Rejection> {
        let c1 = || Rejection::new(Code::Conflict, "C1");
        let c2 = || Rejection::new(Code::Conflict, "C2");
        let Self { mass, device, user, node, paths } = self;
        let (proof, user) = if name == OperationName::Register {
            match (mass, user, device) {
                (Some(mass), Some(user), None) => (Proof::Mass(mass), user),
                _ => return Err(c1()),
            }
        } else {
            match (mass, user, device) {
                (None, None, Some(device)) => (Proof::Device(device), String::new()),
                _ => return Err(c1()),
            }
        };
        let transfer = match (name.transfer_kind(), node, paths) {
            (Some(kind), Some(node), Some(paths)) if (1..=platform.paths_max()).contains(&paths.len()) => {
                Some(Operation::Transfer { kind, node, paths })
            }
            (None, None, None) => None,
            _ => return Err(c2()),
        };
        let operation = match name {
            OperationName::Register => Operation::Register { user },
            OperationName::Auth => Operation::Auth,
            OperationName::Ping => Operation::Ping,
            OperationName::Backup | OperationName::Restore | OperationName::Sync => transfer.ok_or_else(c2)?,
        };
        Ok((operation, proof))
    }
}

/// What [`CrossFields::judge`] joined, taken apart again for an emitter.
pub(crate) struct Parts<'a> {
    pub(crate) mass: Option<&'a [u8; 32]>,
    pub(crate) device: Option<&'a [u8; 64]>,
    pub(crate) user: Option<&'a str>,
    pub(crate) node: Option<&'a BackendName>,
    pub(crate) paths: &'a [Vec<u8>],
}

impl<'a> Parts<'a> {
    pub(crate) fn of(request: &'a super::Request) -> Self {
        let (mass, device) = match &request.proof {
            Proof::Mass(proof) => (Some(proof), None),
            Proof::Device(proof) => (None, Some(proof)),
        };
        let mut parts = Self { mass, device, user: None, node: None, paths: &[] };
        match &request.content.operation {
            Operation::Register { user } => parts.user = Some(user),
            Operation::Auth | Operation::Ping => {}
            Operation::Transfer { node, paths, .. } => {
                parts.node = Some(node);
                parts.paths = paths;
            }
        }
        parts
    }
}
