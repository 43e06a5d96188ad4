//! The operation and the fields that C1 and C2 tie to it: together, and torn apart.

use std::{borrow::Cow, sync::LazyLock};

use fastrand::Rng;

use super::{
    identities::base64,
    texts::{DEVICE, MASS},
    values::{path_pool, pool},
};
use crate::{
    doc::{Document, Platform, Wire, escape, slots, table::path_slot},
    spec::{When, rows},
};

/// Operations in the order in which the tables list them.
pub const NAMES: [&str; 6] = ["register", "auth", "backup", "restore", "ping", "sync"];
/// The place of `register` in [`NAMES`].
pub const REGISTER: usize = 0;
/// Operations that have a node and paths.
const TRANSFERS: [usize; 3] = [2, 3, 5];

/// Where a table has what every table has. Windows Phone has proofs and user in one field, `Cred`.
#[derive(Clone, Copy, Debug)]
pub struct Roles {
    /// The operation.
    pub op: usize,
    /// The mass proof, the device proof and the user; or `Cred` three times.
    pub mass: usize,
    /// See [`Self::mass`].
    pub device: usize,
    /// See [`Self::mass`].
    pub user: usize,
    /// The node.
    pub node: usize,
    /// The nonce.
    pub nonce: usize,
    /// The time.
    pub sent: usize,
    /// The estimate.
    pub estimate: usize,
    /// The device's identifier.
    pub id: usize,
}

/// The roles of a platform's rows.
#[must_use]
pub fn roles(platform: Platform) -> &'static Roles {
    static ROLES: LazyLock<[Roles; 6]> = LazyLock::new(|| Platform::ALL.map(find_roles));
    &ROLES[platform as usize - 1]
}

fn find_roles(platform: Platform) -> Roles {
    let rows = rows(platform);
    let ends = |ends: &[&str]| {
        let matches = |name: &str| ends.iter().any(|end| name.to_ascii_lowercase().ends_with(end));
        rows.iter().position(|row| matches(row.name)).unwrap_or_default()
    };
    let cred = rows.iter().position(|row| row.name == "Cred");
    let c1 = |at: usize| {
        cred.or_else(|| rows.iter().enumerate().filter(|(_, row)| row.when == When::C1).nth(at).map(|(at, _)| at))
    };
    // On macOS the device proof stands before the mass proof.
    let (mass, device) = if platform == Platform::MacOs { (c1(1), c1(0)) } else { (c1(0), c1(1)) };
    let id: &[&str] = &["machineguid", "udid", "machine_id", "idfv", "android_id", "devid"];
    let op = match platform {
        Platform::MacOs => ends(&["messagetype"]),
        Platform::WindowsPhone => ends(&["/op"]),
        Platform::Windows | Platform::Linux | Platform::Ios | Platform::Android => 0,
    };
    Roles {
        op,
        mass: mass.unwrap_or_default(),
        device: device.unwrap_or_default(),
        user: c1(2).unwrap_or_default(),
        node: rows.iter().position(|row| row.when == When::C2 && row.path.is_none()).unwrap_or_default(),
        nonce: ends(&["nonce"]),
        sent: ends(&["sent", "sentat"]),
        estimate: rows.len() - 1 - rows.iter().rev().position(|row| row.when == When::Optional).unwrap_or_default(),
        id: ends(id),
    }
}

/// How many paths C2 allows.
#[must_use]
pub const fn paths_max(platform: Platform) -> usize {
    match platform {
        Platform::Windows | Platform::MacOs | Platform::Linux => 64,
        Platform::Ios | Platform::Android | Platform::WindowsPhone => 16,
    }
}

/// The operation's value on the wire.
#[must_use]
pub fn value_of(platform: Platform, operation: usize) -> Vec<u8> {
    let row = &rows(platform)[roles(platform).op];
    match row.words.get(operation) {
        Some(word) => escape::wire(slots(platform)[roles(platform).op].wire, word.as_bytes()),
        None => u16::try_from(operation + 1).unwrap_or_default().to_le_bytes().to_vec(),
    }
}

/// `Cred` with this proof and user.
#[must_use]
pub fn credentials(proof: &str, user: &str) -> Vec<u8> {
    base64(format!("{proof}:{user}").as_bytes()).into_bytes()
}

/// Makes it a request for `operation` with all that belongs to one and nothing more; what is there already is kept.
pub fn switch(document: &mut Document<'_>, operation: usize, chance: &mut Rng) {
    let platform = document.platform;
    let roles = roles(platform);
    document.set(roles.op, value_of(platform, operation));
    let (needed, other): (&[usize], &[usize]) = if operation == REGISTER {
        (&[roles.mass, roles.user], &[roles.device])
    } else {
        (&[roles.device], &[roles.mass, roles.user])
    };
    if platform == Platform::WindowsPhone {
        let users = super::identities::good_users();
        let user = users.get(chance.usize(..users.len())).map_or("", String::as_str);
        document.set(roles.mass, if operation == REGISTER { credentials(MASS, user) } else { credentials(DEVICE, "") });
    } else {
        other.iter().for_each(|slot| document.clear(*slot));
        needed.iter().for_each(|slot| supply(document, *slot, chance));
    }
    if TRANSFERS.contains(&operation) {
        supply(document, roles.node, chance);
        if document.paths().is_empty() {
            let count = if chance.u8(..8) == 0 { chance.usize(1..=paths_max(platform)) } else { chance.usize(1..=3) };
            put_paths(document, count, chance);
        }
    } else {
        document.clear(roles.node);
        document.clear(path_slot(platform));
    }
}

/// Puts a good value at `slot` if there is none.
fn supply(document: &mut Document<'_>, slot: usize, chance: &mut Rng) {
    if document.get(slot).is_none() {
        document.set(slot, Cow::Borrowed(pool(document.platform, slot).good(chance)));
    }
}

/// Replaces the paths by `count` good ones; many of them are short, or the body would be too long.
pub fn put_paths(document: &mut Document<'_>, count: usize, chance: &mut Rng) {
    let platform = document.platform;
    let paths: Vec<Cow<'_, [u8]>> = (0..count)
        .map(|_| {
            let path = bounded(chance, |chance| path_pool(platform).good(chance));
            Cow::Borrowed(if path.len() * count < 4096 { path } else { short_path(platform) })
        })
        .collect();
    document.set_paths(&paths);
}

/// A value that is mostly not long: long ones are slow to judge, and few are needed.
pub fn bounded<'a>(chance: &mut Rng, mut pick: impl FnMut(&mut Rng) -> &'a [u8]) -> &'a [u8] {
    let value = pick(chance);
    if value.len() > 600 && chance.u8(..8) > 0 { pick(chance) } else { value }
}

/// A short good path, as on the wire.
#[must_use]
pub fn short_path(platform: Platform) -> &'static [u8] {
    static SHORT: LazyLock<[Vec<u8>; 6]> = LazyLock::new(|| {
        Platform::ALL.map(|platform| {
            let plain: &[u8] = match platform {
                Platform::Windows => b"C:\\",
                Platform::MacOs | Platform::Linux => b"/a",
                Platform::Ios => b"file:Library/a",
                Platform::Android => b"/storage/emulated/0",
                Platform::WindowsPhone => b"isostore:/a",
            };
            let wire: Wire = slots(platform)[path_slot(platform)].wire;
            escape::wire_path(wire, plain)
        })
    });
    &SHORT[platform as usize - 1]
}

/// Changes the operation alone, or which of its fields are there, without asking what belongs together.
pub fn tear(document: &mut Document<'_>, chance: &mut Rng) {
    let platform = document.platform;
    let roles = roles(platform);
    if chance.bool() {
        document.set(roles.op, value_of(platform, chance.usize(..NAMES.len())));
        if chance.bool() {
            return;
        }
    }
    if platform == Platform::WindowsPhone && chance.bool() {
        let proof = [MASS, DEVICE][chance.usize(..2)];
        document.set(roles.mass, credentials(proof, ["", "ana.lopez@example.com"][chance.usize(..2)]));
    }
    for slot in [roles.mass, roles.device, roles.user, roles.node] {
        let is_cred = platform == Platform::WindowsPhone && slot == roles.mass;
        if is_cred || chance.u8(..3) > 0 {
            continue;
        }
        if document.get(slot).is_some() {
            document.clear(slot);
        } else {
            document.set(slot, Cow::Borrowed(pool(platform, slot).good(chance)));
        }
    }
    let max = paths_max(platform);
    match chance.u8(..8) {
        0 => document.clear(path_slot(platform)),
        1 => document.set_empty_list(),
        2 => put_paths(document, 1, chance),
        3 => fill_paths(document, max + [0, 1, 2, 256][chance.usize(..4)]),
        4 => fill_paths(document, max - 1),
        _ => {}
    }
}

/// Adds short paths, or takes some away, until there are `count`.
pub fn fill_paths(document: &mut Document<'_>, count: usize) {
    let mut paths: Vec<Cow<'_, [u8]>> =
        document.paths().into_iter().map(|path| Cow::Owned(path.into_owned())).collect();
    paths.resize(count, Cow::Borrowed(short_path(document.platform)));
    document.set_paths(&paths);
}
