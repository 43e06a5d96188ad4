//! Who the process is: another user than root, no capability, no new privileges.

use std::fs;

use rustix::{
    io::Errno,
    process::{Gid, Uid, geteuid, getgid, getuid},
    thread::{
        CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set, remove_capability_from_bounding_set,
        set_capabilities, set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
    },
};

use super::{Held, Layer, SandboxError, UserName};

/// A database of users larger than this is not read.
const PASSWD_BYTES_MAX: u64 = 4 << 20;

fn held(layer: Layer, detail: impl Into<String>) -> Held {
    Held { layer, holds: true, detail: detail.into() }
}

/// Becomes `user` if the process is root; says who it is.
pub(super) fn become_user(user: Option<&UserName>) -> Result<Held, SandboxError> {
    let now = geteuid();
    if !now.is_root() {
        return match user {
            Some(name) if find(name)?.0 != now => Err(SandboxError::User {
                user: name.clone(),
                reason: format!("this process runs as user {}, and only root can; start it as that user", now.as_raw()),
            }),
            Some(_) | None => Ok(held(Layer::User, format!("runs as user {}, not root", now.as_raw()))),
        };
    }
    let Some(name) = user else {
        let detail = "runs as root, without its capabilities; name another with `user`, or start it as another";
        return Ok(Held { layer: Layer::User, holds: false, detail: detail.to_owned() });
    };
    let (uid, gid) = find(name)?;
    let failed = |errno: Errno| SandboxError::User { user: name.clone(), reason: errno.to_string() };
    set_thread_groups(&[gid]).map_err(failed)?;
    set_thread_res_gid(gid, gid, gid).map_err(failed)?;
    set_thread_res_uid(uid, uid, uid).map_err(failed)?;
    if getuid() != uid || getgid() != gid {
        return Err(SandboxError::User { user: name.clone(), reason: "the kernel did not change it".to_owned() });
    }
    Ok(held(Layer::User, format!("runs as {name} (user {}, group {})", uid.as_raw(), gid.as_raw())))
}

/// User and group of a name in `/etc/passwd`. Other databases of users are not asked: that takes code from outside the
/// process, at the moment when it has all its rights.
pub(super) fn find(name: &UserName) -> Result<(Uid, Gid), SandboxError> {
    let error = |reason: String| SandboxError::User { user: name.clone(), reason };
    let file = "/etc/passwd";
    let length = fs::metadata(file).map_err(|source| error(format!("{file}: {source}")))?.len();
    if length > PASSWD_BYTES_MAX {
        return Err(error(format!("{file} has more than {PASSWD_BYTES_MAX} bytes")));
    }
    let text = fs::read(file).map_err(|source| error(format!("{file}: {source}")))?;
    let (uid, gid) = entry(&String::from_utf8_lossy(&text), name.as_str()).ok_or_else(|| {
        error(format!("{file} does not have it; make it, for example with `useradd --system {name}`"))
    })?;
    if uid == 0 {
        return Err(error("that is root; name an account of its own".to_owned()));
    }
    Ok((Uid::from_raw(uid), Gid::from_raw(gid)))
}

fn entry(passwd: &str, name: &str) -> Option<(u32, u32)> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        let (uid, gid) = (fields.nth(1)?, fields.next()?);
        Some((uid.parse().ok()?, gid.parse().ok()?))
    })
}

/// Gives every capability up, those that a started program could get back included.
pub(super) fn drop_capabilities() -> Result<Held, SandboxError> {
    let failed = |errno: Errno| SandboxError::Failed { layer: Layer::Capabilities, reason: errno.to_string() };
    let before = capabilities(None).map_err(failed)?;
    if before.effective.contains(CapabilitySet::SETPCAP) {
        for bit in 0..u64::BITS {
            match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(1 << bit)) {
                // The first that this kernel does not know: there are no more.
                Err(Errno::INVAL) => break,
                removed => removed.map_err(failed)?,
            }
        }
    }
    match clear_ambient_capability_set() {
        // Kernels before 4.3 have no such set.
        Ok(()) | Err(Errno::INVAL) => {}
        Err(errno) => return Err(failed(errno)),
    }
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none }).map_err(failed)?;
    let detail = if before.permitted.is_empty() { "there were none" } else { "all given up" };
    Ok(held(Layer::Capabilities, detail))
}

pub(super) fn no_new_privileges() -> Result<Held, SandboxError> {
    set_no_new_privs(true)
        .map_err(|errno| SandboxError::Failed { layer: Layer::NoNewPrivileges, reason: errno.to_string() })?;
    Ok(held(Layer::NoNewPrivileges, "no program can be started with more rights"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_by_its_whole_name() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\nrelay-old:x:7:7::/:\nrelay:x:998:997::/:/sbin/nologin\nbad:x:a:b::/:\n";
        assert_eq!(entry(passwd, "relay"), Some((998, 997)));
        assert_eq!(entry(passwd, "root"), Some((0, 0)));
        assert_eq!((entry(passwd, "rela"), entry(passwd, "bad"), entry(passwd, "")), (None, None, None));
    }

    #[test]
    fn root_and_strangers_are_nobody_to_become() {
        let find = |name: &str| find(&name.parse().unwrap());
        assert!(find("root").unwrap_err().to_string().contains("that is root"));
        assert!(find("no-such-user-here").unwrap_err().to_string().contains("useradd"));
    }
}
