//! C1 and C2: which fields an operation has.

use super::{Broken, conflict, is_phone};
use crate::{
    doc::{Document, Platform, table::path_slot},
    mutate::operation::{self, roles},
    six_formats::{
        request::Abstract,
        write::{self, put},
    },
};

/// The slots of both proofs and the user.
fn of_c1(platform: Platform) -> Vec<usize> {
    let roles = roles(platform);
    vec![roles.mass, roles.device, roles.user]
}

pub(super) fn both_proofs(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let roles = roles(document.platform);
    if is_phone(document.platform) {
        return None;
    }
    put(document, roles.mass, write::mass(&request.mass).as_bytes());
    put(document, roles.device, write::device(&request.device).as_bytes());
    conflict(&of_c1(document.platform))
}

pub(super) fn no_proof(document: &mut Document<'_>, _: &Abstract, _: u8) -> Option<Broken> {
    let roles = roles(document.platform);
    if is_phone(document.platform) {
        return None;
    }
    document.clear(roles.mass);
    document.clear(roles.device);
    conflict(&of_c1(document.platform))
}

pub(super) fn other_proof(document: &mut Document<'_>, request: &Abstract, detail: u8) -> Option<Broken> {
    let roles = roles(document.platform);
    let (mass, device) = (write::mass(&request.mass), write::device(&request.device));
    let user = if request.is_register() == (detail.is_multiple_of(2)) { request.user.as_str() } else { "" };
    if is_phone(document.platform) {
        document.set(roles.mass, operation::credentials(if request.is_register() { &device } else { &mass }, user));
        return conflict(&of_c1(document.platform));
    }
    document.clear(roles.mass);
    document.clear(roles.device);
    document.clear(roles.user);
    if request.is_register() {
        put(document, roles.device, device.as_bytes());
    } else {
        put(document, roles.mass, mass.as_bytes());
    }
    if !user.is_empty() {
        put(document, roles.user, user.as_bytes());
    }
    conflict(&of_c1(document.platform))
}

pub(super) fn needless_user(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let roles = roles(document.platform);
    if request.is_register() {
        return None;
    }
    if is_phone(document.platform) {
        document.set(roles.user, operation::credentials(&write::device(&request.device), &request.user));
    } else {
        put(document, roles.user, request.user.as_bytes());
    }
    conflict(&of_c1(document.platform))
}

pub(super) fn no_user(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let roles = roles(document.platform);
    if !request.is_register() {
        return None;
    }
    if is_phone(document.platform) {
        document.set(roles.user, operation::credentials(&write::mass(&request.mass), ""));
    } else {
        document.clear(roles.user);
    }
    conflict(&of_c1(document.platform))
}

pub(super) fn needless_node(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let slot = roles(document.platform).node;
    if request.is_transfer() {
        return None;
    }
    put(document, slot, request.node.as_bytes());
    conflict(&[slot])
}

pub(super) fn needless_paths(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    if request.is_transfer() {
        return None;
    }
    let paths: Vec<Vec<u8>> = request.paths.iter().map(|path| write::path(document.platform, path)).collect();
    write::set_paths(document, &paths);
    conflict(&[path_slot(document.platform)])
}

pub(super) fn no_node(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let slot = roles(document.platform).node;
    document.clear(slot);
    request.is_transfer().then(|| conflict(&[slot])).flatten()
}

pub(super) fn no_paths(document: &mut Document<'_>, request: &Abstract, _: u8) -> Option<Broken> {
    let slot = path_slot(document.platform);
    document.clear(slot);
    request.is_transfer().then(|| conflict(&[slot])).flatten()
}

pub(super) fn empty_list(document: &mut Document<'_>, _: &Abstract, _: u8) -> Option<Broken> {
    let slot = path_slot(document.platform);
    if !matches!(document.platform, Platform::MacOs | Platform::Ios) {
        return None;
    }
    document.set_empty_list();
    conflict(&[slot])
}

pub(super) fn too_many_paths(document: &mut Document<'_>, request: &Abstract, detail: u8) -> Option<Broken> {
    if !request.is_transfer() {
        return None;
    }
    operation::fill_paths(document, operation::paths_max(document.platform) + 1 + usize::from(detail % 3));
    conflict(&[path_slot(document.platform)])
}
