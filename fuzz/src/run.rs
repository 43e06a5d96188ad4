//! What stands between the fuzzer and an oracle: findings with a class, findings already known, memory, mutators.

use std::{
    collections::BTreeSet,
    fmt::Display,
    fs::File,
    os::unix::fs::FileExt,
    panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, panic_any},
    process::ExitCode,
    sync::{LazyLock, OnceLock},
};

use peak_alloc::PeakAlloc;

/// One fuzz target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As in `targets.toml`.
    pub name: &'static str,
    /// Panics when the property does not hold.
    pub oracle: fn(&[u8]),
    /// Knows the input's structure.
    pub mutate: Option<Mutate>,
    /// Real inputs, made by our own writers.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Changes an input, knowing its structure; the result has at most the given length. `None` leaves it to libFuzzer, which
/// knows bytes, the dictionary and what the code compared.
pub type Mutate = fn(input: &[u8], max_len: usize, chance: &mut fastrand::Rng) -> Option<Vec<u8>>;

/// Classes that are known already, separated by newlines: they do not stop a campaign again.
pub const KNOWN: &str = "SALLYPORT_FUZZ_KNOWN";
/// `off`: oracles run what they test and judge nothing, so that only panics are found. The control of a ledger.
pub const ORACLES: &str = "SALLYPORT_FUZZ_ORACLES";
/// A file that holds the input at work: what is left of a process that ended without a word, as by a stack overflow. It costs two
/// system calls an execution.
pub const LAST: &str = "SALLYPORT_FUZZ_LAST";

/// The allocator of every target; [`bounded`] reads it.
pub static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What an oracle found. It is a panic of its own kind, so that a campaign can tell it from a panic in what is tested.
#[derive(Clone, Debug)]
pub struct Finding {
    class: String,
    detail: String,
}

/// Ends the oracle with a finding. `oracle` and `class` are the finding's class: what two inputs share if they show one defect.
/// The detail is for people.
///
/// # Panics
/// Always; unless the oracles are off, when it does nothing.
pub fn finding(oracle: &str, class: impl Display, detail: impl Display) {
    if judging() {
        panic_any(Finding { class: format!("{oracle}: {class}").replace('\n', " "), detail: detail.to_string() });
    }
}

/// Whether oracles judge ([`ORACLES`]).
pub fn judging() -> bool {
    static JUDGING: OnceLock<bool> = OnceLock::new();
    *JUDGING.get_or_init(|| std::env::var_os(ORACLES).is_none_or(|value| value != "off"))
}

/// Runs `tested` and finds it wasteful if it held more than `factor` times `input` bytes and `allowance` bytes at once.
/// Without [`ALLOCATOR`] it measures nothing.
pub fn bounded<T>(oracle: &str, input: usize, factor: usize, allowance: usize, tested: impl FnOnce() -> T) -> T {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = tested();
    let held = ALLOCATOR.peak_usage().saturating_sub(before);
    if held > input * factor + allowance {
        finding(oracle, "memory", format_args!("{held} bytes held for an input of {input}"));
    }
    result
}

/// One execution: a finding that is known already is passed over.
pub fn once(target: &Target, data: &[u8]) {
    static LAST_FILE: LazyLock<Option<File>> = LazyLock::new(|| File::create(std::env::var_os(LAST)?).ok());
    if let Some(file) = &*LAST_FILE {
        // A full disk must not end a campaign.
        let _ = file.set_len(data.len() as u64).and_then(|()| file.write_all_at(data, 0));
    }
    let _ = catch_unwind(AssertUnwindSafe(|| (target.oracle)(data)));
}

/// Runs the oracle on one input.
///
/// # Errors
/// The class and the detail of what it found.
pub fn judge(target: &Target, data: &[u8]) -> Result<(), (String, String)> {
    thread_local!(static PANIC: std::cell::RefCell<Option<(String, String)>> = const { std::cell::RefCell::new(None) });
    static HOOK: OnceLock<()> = OnceLock::new();
    HOOK.get_or_init(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let judged = PANIC.with_borrow_mut(|slot| slot.as_mut().map(|slot| *slot = describe(info)).is_some());
            if !judged {
                before(info);
            }
        }));
    });
    PANIC.set(Some((String::new(), String::new())));
    let result = catch_unwind(AssertUnwindSafe(|| (target.oracle)(data)));
    let seen = PANIC.take().unwrap_or_default();
    result.map_err(|_| seen)
}

/// Called by a fuzz target before its first execution: a panic whose class is known unwinds to [`once`]; any other is
/// told on standard error and aborts, as libFuzzer expects.
pub fn start() {
    let known: BTreeSet<String> = std::env::var(KNOWN).unwrap_or_default().lines().map(ToOwned::to_owned).collect();
    std::panic::set_hook(Box::new(move |info| {
        let (class, detail) = describe(info);
        if known.contains(&class) {
            return;
        }
        eprintln!("\nFINDING {class}\n{detail}");
        std::process::abort();
    }));
}

/// The class and the detail of a panic: an oracle's finding, or the place of a panic in what is tested.
fn describe(info: &PanicHookInfo<'_>) -> (String, String) {
    if let Some(Finding { class, detail }) = info.payload().downcast_ref() {
        return (class.clone(), detail.clone());
    }
    let place = info.location().map_or_else(String::new, |at| {
        // The same place in every checkout and every copy of the tree.
        let file = ["relay/", "fuzz/"].iter().find_map(|top| at.file().rfind(top).map(|start| &at.file()[start..]));
        format!("{}:{}", file.unwrap_or(at.file()), at.line())
    });
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    (format!("panic: {place}"), text.unwrap_or("a panic without a text").to_owned())
}

/// Runs `target` over the files named on the command line: how a finding is replayed without a fuzzer. Exit codes: 0 the
/// property holds for all, 1 it does not, 2 a file cannot be read or none was named.
pub fn replay(target: &Target) -> ExitCode {
    let paths: Vec<_> = std::env::args_os().skip(1).collect();
    if paths.is_empty() {
        eprintln!("{}: name files that a fuzzer wrote", target.name);
        return ExitCode::from(2);
    }
    let mut status = ExitCode::SUCCESS;
    for path in paths {
        let data = match std::fs::read(&path) {
            Ok(data) => data,
            Err(error) => {
                eprintln!("cannot read {}: {error}; name files that a fuzzer wrote", path.display());
                return ExitCode::from(2);
            }
        };
        if let Err((class, detail)) = judge(target, &data) {
            eprintln!("{}: FINDING {class}\n{detail}", path.display());
            status = ExitCode::FAILURE;
        }
    }
    status
}

/// The mutator that libFuzzer calls: the target's own where it has one and does not pass, otherwise libFuzzer's.
#[cfg(fuzzing)]
pub fn mutate(target: &Target, data: &mut [u8], size: usize, max_len: usize, seed: u32) -> usize {
    if let Some(mutate) = target.mutate {
        let mut chance = fastrand::Rng::with_seed(u64::from(seed));
        if let Some(changed) = mutate(&data[..size], max_len, &mut chance).filter(|changed| changed.len() <= max_len) {
            data[..changed.len()].copy_from_slice(&changed);
            return changed.len();
        }
    }
    libfuzzer_sys::fuzzer_mutate(data, size, max_len)
}

/// The body of a file in `fuzz_targets`: under a fuzzer its entry points, otherwise a `main` that replays files.
#[macro_export]
macro_rules! target {
    ($target:ident) => {
        #[global_allocator]
        static ALLOCATOR: peak_alloc::PeakAlloc = $crate::run::ALLOCATOR;

        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(init: $crate::run::start(), |data: &[u8]| {
            $crate::run::once(&$crate::targets::$target, data)
        });
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::run::mutate(&$crate::targets::$target, data, size, max_size, seed)
        });

        #[cfg(not(fuzzing))]
        fn main() -> std::process::ExitCode {
            $crate::run::replay(&$crate::targets::$target)
        }
    };
}
