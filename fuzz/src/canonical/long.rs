//! Requests whose bodies are just as long as a body may be, and one character longer: longer than inputs of a fuzzer are.

use relay_wire::canonical;

use super::{BODY, TARGET, too_long};
use crate::{
    finding,
    spec::{self, Meaning, Platform},
    validator::VALIDATOR,
};

/// Characters of a path's last component at most, on any platform.
const LAST: usize = 245;

/// P paths (C2) that are as long as paths may be, or nearly; and how many bytes of the body each of their last characters is.
fn paths(platform: Platform) -> (Vec<Vec<u8>>, usize) {
    let (count, before, last, width) = match platform {
        Platform::Windows => (64, r"C:\".to_owned(), "a", 2),
        Platform::MacOs | Platform::Linux => (64, "/".to_owned(), "a", 1),
        Platform::Ios => (16, format!("file:Documents/{}", format!("{}/", "b".repeat(250)).repeat(3)), "a", 1),
        Platform::Android => (16, format!("/storage/emulated/0/{}", format!("{}/", "b".repeat(250)).repeat(3)), "a", 1),
        Platform::WindowsPhone => (16, "isostore:/".to_owned(), "&", 5),
    };
    (vec![(before + &last.repeat(LAST)).into_bytes(); count], width)
}

/// The length of a meaning's body, and its canonical encoding.
fn body(meaning: &Meaning) -> Option<(usize, Vec<u8>)> {
    let encoded = spec::canonical::encode(meaning)?;
    let body = canonical::decode(&encoded).ok()?.to_body();
    Some((body.len(), encoded))
}

/// The longest such request that fits a body, and by how many bytes it is shorter.
fn longest(meaning: &Meaning) -> Option<(Meaning, usize)> {
    let (paths, width) = paths(meaning.platform?);
    let mut long = Meaning { paths, ..meaning.clone() };
    let (length, _) = body(&long)?;
    let mut over = length.checked_sub(BODY)?.div_ceil(width);
    for path in &mut long.paths {
        let cut = over.min(LAST - 1);
        path.truncate(path.len() - cut);
        over -= cut;
    }
    let (length, _) = body(&long)?;
    (over == 0).then_some((long, BODY.checked_sub(length)?))
}

/// A transfer like this one with so many paths that its body is as long as may be is accepted, and refused with one character more.
pub(super) fn judge(meaning: &Meaning) {
    if meaning.node.is_none() {
        return;
    }
    let Some((mut long, _)) = longest(meaning) else {
        return finding(TARGET, "its paths cannot be lengthened", format_args!("{meaning:?}"));
    };
    let Some((_, encoded)) = body(&long) else { return };
    if let Err(rejection) = VALIDATOR.check_canonical(&encoded) {
        finding(TARGET, format_args!("refused with {rejection}, and its body is as long as may be"), BODY);
    }
    let Some(path) = long.paths.iter_mut().min_by_key(|path| path.len()) else { return };
    let last = path.last().copied().unwrap_or_default();
    path.push(last);
    let Some((length, encoded)) = body(&long) else { return };
    too_long(&VALIDATOR.check_canonical(&encoded), length);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{canonical::seeds, spec::canonical::decode};

    #[test]
    fn a_body_is_filled_on_every_platform() {
        let mut filled = std::collections::BTreeMap::new();
        for meaning in seeds().iter().filter_map(|seed| decode(seed)).filter(|meaning| meaning.node.is_some()) {
            let (long, room) = longest(&meaning).unwrap();
            let width = if meaning.platform == Some(Platform::WindowsPhone) { 5 } else { 1 };
            assert!(room < width, "{:?}: {room}", meaning.platform);
            judge(&long);
            *filled.entry(meaning.platform).or_insert(0) += 1;
        }
        assert_eq!(filled.len(), 6, "{filled:?}");
    }
}
