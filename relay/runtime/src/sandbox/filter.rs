//! seccomp: system calls that a relay never needs answer `EPERM`.
//!
//! The list names what is refused and not what is allowed: a list of everything that a C library, an allocator and a runtime
//! may call ages with each of them, and an edge that dies of an update is turned off by its operator. Each entry is there
//! because it reaches another process, another network, another program or the kernel itself.

use std::collections::BTreeMap;

use libc::{c_int, c_long};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter_all_threads, sock_filter,
};

use super::{Held, Layer, Network, SandboxError};

/// A kind of socket that old programs take packets from the wire with; the kernel still has it.
const PACKET: c_int = 10;

/// The bits of a socket's type that say its kind; the others are flags.
const KIND: c_int = 0xF;

/// Bits of a file's mode that let others in, or lend its owner's rights to whoever runs it.
const FOR_OTHERS: [c_int; 6] = [0o4000, 0o2000, 0o1000, 0o4, 0o2, 0o1];

/// Calls that the C library has no names for yet; their numbers are the same on every architecture (Linux 6.6, 6.13, 6.15,
/// 6.17).
const FCHMODAT2: c_long = 452;
const SETXATTRAT: c_long = 463;
const REMOVEXATTRAT: c_long = 466;
const OPEN_TREE_ATTR: c_long = 467;
const FILE_SETATTR: c_long = 469;

/// Refused whatever the arguments.
const NEVER: &[c_long] = &[
    // Other programs.
    libc::SYS_execve,
    libc::SYS_execveat,
    // Other processes, and this one's memory from outside.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_process_madvise,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    // Only old C libraries call it; it names a thread of whatever process.
    libc::SYS_tkill,
    // Memory, queues and semaphores that are shared by number or name with whoever runs as the same user.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    // Whose a file is, who may read, write and run it, and when it was written. Landlock has no rules for these: they would
    // reach every file that belongs to this user, by its path, and root's files are most of a machine.
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchownat,
    libc::SYS_fchown,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    SETXATTRAT,
    REMOVEXATTRAT,
    FILE_SETATTR,
    libc::SYS_utimensat,
    // A second way into the kernel for everything that is refused here.
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    // Namespaces, mounts, roots.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_open_tree,
    OPEN_TREE_ATTR,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_mknodat,
    // The machine.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_syslog,
    libc::SYS_vhangup,
    libc::SYS_personality,
    // Keys of the kernel.
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Who it is.
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
    // New addresses.
    libc::SYS_listen,
];

#[cfg(target_arch = "x86_64")]
const NEVER_HERE: &[c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_mknod,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS_kexec_file_load,
];
#[cfg(not(target_arch = "x86_64"))]
const NEVER_HERE: &[c_long] = &[];

/// Installs the filters for every thread; one entry for the layer.
pub(super) fn install(network: &Network) -> Result<Held, SandboxError> {
    let layer = Layer::Syscalls;
    let failed = |error: seccompiler::Error| SandboxError::Failed { layer, reason: error.to_string() };
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else {
        let detail = format!("seccomp filters are not written for {}", std::env::consts::ARCH);
        return Ok(Held { layer, holds: false, detail });
    };
    for program in programs(network, arch).map_err(|error| failed(error.into()))? {
        apply_filter_all_threads(&program).map_err(failed)?;
    }
    let sockets = match network {
        Network::Accepts => "no socket can be made, bound or connected",
        Network::Dials { names: true, .. } => "no socket but TCP, UDP and local ones, and none listens",
        Network::Dials { names: false, .. } => "no socket but TCP, and none listens",
    };
    let count = NEVER.len() + NEVER_HERE.len();
    Ok(Held { layer, holds: true, detail: format!("{sockets}; {count} more system calls are refused") })
}

fn programs(network: &Network, arch: TargetArch) -> Result<Vec<BpfProgram>, BackendError> {
    let filter = |rules, errno: c_int| -> Result<BpfProgram, BackendError> {
        let refusal = SeccompAction::Errno(errno.unsigned_abs());
        SeccompFilter::new(rules, SeccompAction::Allow, refusal, arch)?.try_into()
    };
    // The C library takes `clone` where there is no `clone3`; of that one a filter can see the flags.
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    let mut programs = vec![filter(rules(network)?, libc::EPERM)?, filter(clone3, libc::ENOSYS)?];
    if cfg!(target_arch = "x86_64") {
        programs.push(no_x32());
    }
    Ok(programs)
}

fn dword(argument: u8, operator: SeccompCmpOp, value: c_int) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, u64::from(value.cast_unsigned()))
}

/// Where the argument has all the bits of `flag`, or, with another value, that value in them.
fn bits(flag: c_int) -> SeccompCmpOp {
    SeccompCmpOp::MaskedEq(u64::from(flag.cast_unsigned()))
}

/// Sockets that a process which dials TCP does not need. Landlock's rules are for TCP proper: a socket of another protocol
/// that reaches the same ports (MPTCP, SCTP) would pass by them.
fn dialling_sockets(names: bool) -> Result<Vec<SeccompRule>, BackendError> {
    use SeccompCmpOp::{Eq, Ne};
    let (family, kind, protocol) = (0, 1, 2);
    let mut families = vec![libc::AF_INET, libc::AF_INET6];
    if names {
        // A name service may be behind a local socket; the C library asks the kernel for its addresses over netlink.
        families.extend([libc::AF_UNIX, libc::AF_NETLINK]);
    }
    let others: Result<Vec<_>, _> = families.iter().map(|other| dword(family, Ne, *other)).collect();
    let mut rules = vec![SeccompRule::new(others?)?];
    let mut kinds = vec![libc::SOCK_RAW, libc::SOCK_RDM, libc::SOCK_SEQPACKET, libc::SOCK_DCCP, PACKET];
    if !names {
        kinds.push(libc::SOCK_DGRAM);
    }
    for inet in [libc::AF_INET, libc::AF_INET6] {
        for other in &kinds {
            rules.push(SeccompRule::new(vec![dword(family, Eq, inet)?, dword(kind, bits(KIND), *other)?])?);
        }
        for (of, its) in [(libc::SOCK_STREAM, libc::IPPROTO_TCP), (libc::SOCK_DGRAM, libc::IPPROTO_UDP)] {
            rules.push(SeccompRule::new(vec![
                dword(family, Eq, inet)?,
                dword(kind, bits(KIND), of)?,
                dword(protocol, Ne, 0)?,
                dword(protocol, Ne, its)?,
            ])?);
        }
    }
    Ok(rules)
}

fn rules(network: &Network) -> Result<BTreeMap<c_long, Vec<SeccompRule>>, BackendError> {
    let one = |condition: Result<SeccompCondition, _>| SeccompRule::new(vec![condition?]);
    let mut rules: BTreeMap<c_long, Vec<SeccompRule>> =
        NEVER.iter().chain(NEVER_HERE).map(|call| (*call, Vec::new())).collect();
    // Threads, and neither processes nor namespaces.
    let namespaces = [
        libc::CLONE_NEWNS,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWNET,
        libc::CLONE_NEWCGROUP,
    ];
    let mut clone = vec![one(dword(0, bits(libc::CLONE_THREAD), 0))?];
    for flag in namespaces {
        clone.push(one(dword(0, bits(flag), flag))?);
    }
    rules.insert(libc::SYS_clone, clone);
    // Signals to another process; Landlock refuses them too where it has scopes.
    let own = c_int::try_from(std::process::id()).unwrap_or(c_int::MAX);
    for call in [libc::SYS_kill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo, libc::SYS_rt_tgsigqueueinfo] {
        rules.insert(call, vec![one(dword(0, SeccompCmpOp::Ne, own))?]);
    }
    // The limits of this process, and of no other.
    let other = [dword(0, SeccompCmpOp::Ne, 0)?, dword(0, SeccompCmpOp::Ne, own)?];
    rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(other.to_vec())?]);
    // What is typed at the terminal that the process was started from is its starter's to say.
    let typing = [libc::TIOCSTI, libc::TIOCLINUX].map(c_int::try_from).into_iter().flatten();
    rules
        .insert(libc::SYS_ioctl, typing.map(|order| one(dword(1, SeccompCmpOp::Eq, order))).collect::<Result<_, _>>()?);
    match network {
        Network::Accepts => {
            rules.insert(libc::SYS_fchmod, Vec::new());
            for call in [libc::SYS_socket, libc::SYS_connect, libc::SYS_bind] {
                rules.insert(call, Vec::new());
            }
            // With an address: to somebody else than the peer. In `sendmsg` a filter cannot see it.
            let address = SeccompCondition::new(4, SeccompCmpArgLen::Qword, SeccompCmpOp::Ne, 0)?;
            rules.insert(libc::SYS_sendto, vec![SeccompRule::new(vec![address])?]);
            for call in [libc::SYS_sendmsg, libc::SYS_sendmmsg] {
                rules.insert(call, Vec::new());
            }
        }
        Network::Dials { names, .. } => {
            rules.insert(libc::SYS_socket, dialling_sockets(*names)?);
            // SQLite gives its further files the mode of the registry, which is its owner's alone.
            let modes = FOR_OTHERS.into_iter().map(|bit| one(dword(1, bits(bit), bit)));
            rules.insert(libc::SYS_fchmod, modes.collect::<Result<_, _>>()?);
            // Another protocol (SMC) below a TCP socket: Landlock's rules would no longer hold for it.
            let below =
                vec![dword(1, SeccompCmpOp::Eq, libc::IPPROTO_TCP)?, dword(2, SeccompCmpOp::Eq, libc::TCP_ULP)?];
            rules.insert(libc::SYS_setsockopt, vec![SeccompRule::new(below)?]);
            // A connection that is opened by its first data passes by Landlock's rules for `connect`.
            for (call, flags) in [(libc::SYS_sendto, 3), (libc::SYS_sendmsg, 2), (libc::SYS_sendmmsg, 3)] {
                rules.insert(call, vec![one(dword(flags, bits(libc::MSG_FASTOPEN), libc::MSG_FASTOPEN))?]);
            }
        }
    }
    // A pair of stream sockets leads nowhere else; one of datagrams can be written to with any address.
    let kinds = [libc::SOCK_DGRAM, libc::SOCK_RAW, libc::SOCK_RDM, libc::SOCK_SEQPACKET];
    let pairs: Result<Vec<_>, _> = kinds.into_iter().map(|kind| one(dword(1, bits(KIND), kind))).collect();
    rules.insert(libc::SYS_socketpair, pairs?);
    Ok(rules)
}

/// The x32 calls of x86-64 have numbers of their own for what is refused above.
fn no_x32() -> BpfProgram {
    const X32: u32 = 0x4000_0000;
    const LOAD_NUMBER: u16 = 0x20;
    const JUMP_AT_LEAST: u16 = 0x35;
    const RETURN: u16 = 0x06;
    let step = |code, k, jt, jf| sock_filter { code, jt, jf, k };
    vec![
        step(LOAD_NUMBER, 0, 0, 0),
        step(JUMP_AT_LEAST, X32, 0, 1),
        step(RETURN, SeccompAction::Errno(libc::EPERM.unsigned_abs()).into(), 0, 0),
        step(RETURN, SeccompAction::Allow.into(), 0, 0),
    ]
}
