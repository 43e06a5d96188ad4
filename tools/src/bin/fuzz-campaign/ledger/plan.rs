//! Which targets a planted defect is tried on, in which order, and how long each turn is.

use std::{cmp::Reverse, path::Path};

use crate::targets::{Group, TargetInfo};

/// Executions of a target's first turn.
const TURN: u64 = 20_000;
/// Executions of a turn at most.
const TURN_MAX: u64 = 1_280_000;
/// Turns that the targets which cover the patched files have alone.
const ALONE: u32 = 2;

/// The targets that can see a defect, those that are the ones to judge the patched files first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Names, in their order.
    pub targets: Vec<String>,
    /// How many of them cover a patched file.
    pub first: usize,
}

/// One turn of one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Its place in [`Plan::targets`].
    pub target: usize,
    /// Which of its turns this is, from 0.
    pub number: u32,
    /// Executions.
    pub runs: u64,
}

impl Plan {
    /// For a patch that touches these files; `None` if no target links any of them.
    pub fn new(touched: &[impl AsRef<Path>], targets: &[&TargetInfo]) -> Option<Self> {
        let groups: Vec<Group> = touched.iter().filter_map(|file| group_of(file.as_ref())).collect();
        if groups.is_empty() {
            return None;
        }
        // How much of a patched file's path a target names: the one that names most is most likely the one to see it.
        let covers = |target: &TargetInfo| {
            let files = touched.iter().filter_map(|file| file.as_ref().to_str());
            files
                .flat_map(|file| target.covers.iter().filter(move |prefix| file.starts_with(prefix.as_str())))
                .map(String::len)
                .max()
        };
        // What lies below is linked by every group, and best seen by the smallest; what lies above only by the large ones.
        // Of files at several heights nobody knows which one holds the defect.
        let sees = |target: &TargetInfo| {
            groups.iter().any(|group| match group {
                Group::Wire => target.group == Group::Wire,
                Group::Trust => target.group >= Group::Trust,
                Group::Relay => target.group == Group::Relay,
            })
        };
        let (mut first, others): (Vec<&TargetInfo>, Vec<&TargetInfo>) = targets
            .iter()
            .copied()
            .filter(|target| covers(target).is_some() || sees(target))
            .partition(|target| covers(target).is_some());
        first.sort_by_key(|target| Reverse(covers(target)));
        let names: Vec<String> = first.iter().chain(&others).map(|target| target.name.clone()).collect();
        (!names.is_empty()).then_some(Self { targets: names, first: first.len() })
    }

    /// The turns in their order, without end: each target's grow, and the targets that cover nothing join later.
    pub fn turns(&self) -> impl Iterator<Item = Turn> {
        let (first, all) =
            if self.first == 0 { (self.targets.len(), self.targets.len()) } else { (self.first, self.targets.len()) };
        (0_u32..).flat_map(move |round| {
            let late = round.checked_sub(ALONE);
            let joined = if late.is_some() { all } else { first };
            (0..joined).map(move |target| {
                let number = if target < first { round } else { late.unwrap_or_default() };
                let runs = TURN.saturating_mul(1_u64.checked_shl(number).unwrap_or(u64::MAX)).min(TURN_MAX);
                Turn { target, number, runs }
            })
        })
    }
}

/// The smallest group that links a file; `None`: no target does.
fn group_of(file: &Path) -> Option<Group> {
    let is_below = |folders: &[&str]| folders.iter().any(|folder| file.starts_with(folder));
    if is_below(&["relay/wire", "fuzz", "Cargo.toml", "Cargo.lock", ".cargo"]) {
        Some(Group::Wire)
    } else if is_below(&["relay/trust"]) {
        Some(Group::Trust)
    } else if is_below(&["relay/runtime", "relay/edge", "relay/backend"]) {
        Some(Group::Relay)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str, group: Group, covers: &[&str]) -> TargetInfo {
        TargetInfo {
            name: name.to_owned(),
            property: String::new(),
            group,
            max_len: 1,
            dictionary: None,
            covers: covers.iter().map(|prefix| (*prefix).to_owned()).collect(),
        }
    }

    fn plan(touched: &[&str]) -> Option<(Vec<String>, usize)> {
        let targets = [
            target("linux", Group::Wire, &["relay/wire/src/request/linux"]),
            target("ios", Group::Wire, &["relay/wire/src/request/ios", "relay/wire/src/request/json"]),
            target("stream", Group::Wire, &["relay/wire/src/session"]),
            target("device", Group::Wire, &["relay/wire/src/session", "relay/wire/src/session/device"]),
            target("config", Group::Relay, &["relay/edge/src/config"]),
            target("certificates", Group::Trust, &["relay/trust/src"]),
            target("hello", Group::Relay, &["relay/runtime/src/listen"]),
        ];
        let targets: Vec<&TargetInfo> = targets.iter().collect();
        Plan::new(touched, &targets).map(|plan| (plan.targets, plan.first))
    }

    #[test]
    fn the_targets_that_cover_a_file_come_first_and_no_more_is_linked_than_sees_it() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let some = |list: &[&str], first| Some((names(list), first));
        assert_eq!(plan(&["relay/wire/src/request/json.rs"]), some(&["ios", "linux", "stream", "device"], 1));
        assert_eq!(plan(&["relay/wire/src/time.rs"]), some(&["linux", "ios", "stream", "device"], 0));
        // The one that names more of the path first.
        assert_eq!(plan(&["relay/wire/src/session/device.rs"]), some(&["device", "stream", "linux", "ios"], 2));
        assert_eq!(plan(&["relay/trust/src/pin.rs"]), some(&["certificates", "config", "hello"], 1));
        assert_eq!(plan(&["relay/edge/src/config.rs", "docs/x.md"]), some(&["config", "hello"], 1));
        assert_eq!(
            plan(&["relay/wire/src/request/linux.rs", "relay/edge/src/config/raw.rs"]),
            some(&["linux", "config", "ios", "stream", "device", "hello"], 2)
        );
        assert_eq!(plan(&["client-sim/src/main.rs"]), None);
        assert_eq!(plan(&["docs/x.md"]), None);
    }

    #[test]
    fn turns_grow_and_the_others_join_later() {
        let plan = Plan { targets: ["a", "b", "c"].map(str::to_owned).to_vec(), first: 1 };
        let turns: Vec<_> = plan.turns().take(8).map(|turn| (turn.target, turn.number, turn.runs)).collect();
        let expected = [
            (0, 0, 20_000),
            (0, 1, 40_000),
            (0, 2, 80_000),
            (1, 0, 20_000),
            (2, 0, 20_000),
            (0, 3, 160_000),
            (1, 1, 40_000),
            (2, 1, 40_000),
        ];
        assert_eq!(turns, expected);
        assert!(plan.turns().take(200).all(|turn| turn.runs <= TURN_MAX));
        // Where none covers the files, all begin together.
        let nobody = Plan { first: 0, ..plan };
        assert_eq!(nobody.turns().take(4).map(|turn| turn.target).collect::<Vec<_>>(), [0, 1, 2, 0]);
    }
}
