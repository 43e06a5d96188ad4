//! Seeds of the specification targets, written by the loose documents' writers: every operation, optional fields there and
//! not, values at their bounds.

use std::{borrow::Cow, sync::LazyLock};

use fastrand::Rng;

use crate::{
    doc::{Document, Platform, slots, template},
    mutate::{
        operation::{self, roles},
        pairs,
        values::{path_pool, pool as values},
    },
    spec::{When, rows},
};

/// The text's own examples of good bodies.
const EXAMPLES: [[&[u8]; 3]; 6] = [
    [
        include_bytes!("../../relay/wire/vectors/windows/V1.ok"),
        include_bytes!("../../relay/wire/vectors/windows/V2.ok"),
        include_bytes!("../../relay/wire/vectors/windows/V3.ok"),
    ],
    [
        include_bytes!("../../relay/wire/vectors/macos/V1.ok"),
        include_bytes!("../../relay/wire/vectors/macos/V2.ok"),
        include_bytes!("../../relay/wire/vectors/macos/V3.ok"),
    ],
    [
        include_bytes!("../../relay/wire/vectors/linux/V1.ok"),
        include_bytes!("../../relay/wire/vectors/linux/V2.ok"),
        include_bytes!("../../relay/wire/vectors/linux/V3.ok"),
    ],
    [
        include_bytes!("../../relay/wire/vectors/ios/V1.ok"),
        include_bytes!("../../relay/wire/vectors/ios/V2.ok"),
        include_bytes!("../../relay/wire/vectors/ios/V3.ok"),
    ],
    [
        include_bytes!("../../relay/wire/vectors/android/V1.ok"),
        include_bytes!("../../relay/wire/vectors/android/V2.ok"),
        include_bytes!("../../relay/wire/vectors/android/V3.ok"),
    ],
    [
        include_bytes!("../../relay/wire/vectors/wp/V1.ok"),
        include_bytes!("../../relay/wire/vectors/wp/V2.ok"),
        include_bytes!("../../relay/wire/vectors/wp/V3.ok"),
    ],
];

/// Variants of each operation.
const VARIANTS: u64 = 6;

/// Good bodies of a platform, which mutators begin from too.
#[must_use]
pub fn pool(platform: Platform) -> &'static [Vec<u8>] {
    static POOL: LazyLock<[Vec<Vec<u8>>; 6]> = LazyLock::new(|| Platform::ALL.map(build));
    &POOL[platform as usize - 1]
}

/// The seeds of a platform's specification target.
#[must_use]
pub fn specification(platform: Platform) -> Vec<Vec<u8>> {
    let mut bodies = pool(platform).to_vec();
    // And one that has nothing in it.
    bodies.push(template::blank(platform).encode());
    bodies.retain(|body| !body.is_empty());
    bodies
}

fn build(platform: Platform) -> Vec<Vec<u8>> {
    let examples = &EXAMPLES[platform as usize - 1];
    let mut bodies: Vec<Vec<u8>> = examples.iter().map(|body| body.to_vec()).collect();
    for operation in 0..operation::NAMES.len() {
        for variant in 0..VARIANTS {
            let mut chance = Rng::with_seed(variant << 8 | operation as u64);
            let example = examples[chance.usize(..examples.len())];
            let mut document = Document::decode(platform, example);
            operation::switch(&mut document, operation, &mut chance);
            if variant > 0 {
                vary(&mut document, variant, &mut chance);
            }
            bodies.push(document.encode());
        }
    }
    bodies.extend(at_their_bounds(platform));
    bodies.sort();
    bodies.dedup();
    // What the second validator refuses was no good body.
    bodies.retain(|body| crate::spec::judge(platform, body).is_ok());
    bodies
}

/// The longest path, and as many paths as there may be. A fuzzer makes no longer inputs than it has seen.
fn at_their_bounds(platform: Platform) -> [Vec<u8>; 2] {
    let with = |change: &dyn Fn(&mut Document<'_>)| {
        let mut document = Document::decode(platform, EXAMPLES[platform as usize - 1][2]);
        change(&mut document);
        document.encode()
    };
    let good = path_pool(platform).all().filter(|(is_good, _)| *is_good).map(|(_, path)| path);
    let longest = good.max_by_key(|path| path.len()).unwrap_or_default();
    [
        with(&|document| document.set_paths(&[Cow::Borrowed(longest)])),
        with(&|document| operation::fill_paths(document, operation::paths_max(platform))),
    ]
}

/// Other values, other optional fields.
fn vary(document: &mut Document<'_>, variant: u64, chance: &mut Rng) {
    let platform = document.platform;
    for (slot, row) in rows(platform).iter().enumerate() {
        let is_free =
            row.path.is_none() && slot != roles(platform).op && !pairs::is_coupled(row.name) && row.name != "Cred";
        if is_free
            && slots(platform)[slot].wire != crate::doc::Wire::Object
            && document.get(slot).is_some()
            && chance.bool()
        {
            document.set(slot, Cow::Borrowed(values(platform, slot).good(chance)));
        }
        if row.when == When::Optional {
            if variant.is_multiple_of(2) {
                document.clear(slot);
            } else {
                document.set(slot, Cow::Borrowed(values(platform, slot).good(chance)));
            }
        }
    }
    pairs::good(document, chance);
    if !document.paths().is_empty() {
        let max = operation::paths_max(platform);
        let count = [1, 2, 3, max][chance.usize(..4)];
        operation::put_paths(document, count, chance);
    }
}
