//! Paths of each platform: good ones at every bound, and near misses.

use super::{
    texts::{lookalikes, oddities},
    values::Group,
};
use crate::doc::Platform;

mod android;
mod ios;
mod posix;
mod windows;
mod windows_phone;

/// Good paths, plain.
pub(super) fn good(platform: Platform) -> Vec<Group> {
    let mut groups = match platform {
        Platform::Windows => windows::good(),
        Platform::MacOs | Platform::Linux => posix::good(platform),
        Platform::Ios => ios::good(),
        Platform::Android => android::good(),
        Platform::WindowsPhone => windows_phone::good(),
    };
    let (root, _) = root(platform);
    let has_backslash = matches!(platform, Platform::MacOs | Platform::Linux | Platform::Ios);
    let looks = lookalikes().filter(|look| has_backslash || !look.contains(['\\', '"']));
    groups
        .push(looks.flat_map(|look| [format!("{root}{look}"), format!("{root}a{look}b")]).map(String::into).collect());
    groups
}

/// Near misses, plain.
pub(super) fn near(platform: Platform) -> Vec<Group> {
    let mut groups = match platform {
        Platform::Windows => windows::near(),
        Platform::MacOs | Platform::Linux => posix::near(platform),
        Platform::Ios => ios::near(),
        Platform::Android => android::near(),
        Platform::WindowsPhone => windows_phone::near(),
    };
    let (root, separator) = root(platform);
    groups.push(oddities().iter().map(|odd| [root.as_bytes(), b"a", odd, b"b"].concat()).collect());
    groups.push(oddities().iter().map(|odd| [root.as_bytes(), odd].concat()).collect());
    groups.push(dots(root, separator));
    groups.push(vec![
        b"".to_vec(),
        b"/".to_vec(),
        b"\\".to_vec(),
        b"a".to_vec(),
        b".".to_vec(),
        b"..".to_vec(),
        b"//".to_vec(),
    ]);
    groups
}

/// What components may follow, and what joins them.
const fn root(platform: Platform) -> (&'static str, &'static str) {
    match platform {
        Platform::Windows => ("C:\\", "\\"),
        Platform::MacOs | Platform::Linux => ("/", "/"),
        Platform::Ios => ("file:Documents/", "/"),
        Platform::Android => ("/storage/emulated/0/", "/"),
        Platform::WindowsPhone => ("isostore:/", "/"),
    }
}

/// The texts between the bars.
fn texts(listed: &str) -> impl Iterator<Item = &str> + Clone {
    listed.split(" ¦ ")
}

/// The same as values.
fn list(listed: &str) -> Group {
    texts(listed).map(|text| text.as_bytes().to_vec()).collect()
}

/// Components that are dots, in every place, and ones that only look so.
fn dots(root: &str, separator: &str) -> Group {
    let mut group = Group::new();
    for component in
        [".", "..", "", "...", ". ", " .", ".. ", "..a", ".a", "a.", "a..", "%2e%2e", "\u{2024}\u{2024}", "..\0", "\t"]
    {
        group.push(format!("{root}{component}").into_bytes());
        group.push(format!("{root}a{separator}{component}").into_bytes());
        group.push(format!("{root}{component}{separator}a").into_bytes());
        group.push(format!("{root}a{separator}{component}{separator}b{separator}c").into_bytes());
    }
    group
}

/// `root` and components, `length` units in all, none over 255.
fn long(root: &str, separator: &str, unit: &str, length: usize) -> Vec<u8> {
    let mut path = root.to_owned();
    let size = |text: &str| if unit.is_ascii() || unit.len() != 3 { text.len() } else { text.chars().count() };
    let mut component = 0;
    while size(&path) < length {
        let left = length - size(&path);
        if component + unit.len() > 250 && left > 1 {
            path.push_str(separator);
            component = 0;
        } else if size(unit) <= left {
            path.push_str(unit);
            component += unit.len();
        } else {
            path.push('x');
            component += 1;
        }
    }
    path.into_bytes()
}

/// Every name that Windows reserves, in three cases, in each of these forms.
fn reserved<'a>(forms: impl Iterator<Item = &'a str> + Clone) -> Group {
    let numbers = "123456789\u{B9}\u{B2}\u{B3}";
    let numbered =
        ["COM", "LPT"].into_iter().flat_map(|port| numbers.chars().map(move |number| format!("{port}{number}")));
    let names: Vec<String> = ["CON", "PRN", "AUX", "NUL"].map(str::to_owned).into_iter().chain(numbered).collect();
    let cases = |name: &String| {
        [name.clone(), name.to_ascii_lowercase(), name[..1].to_owned() + &name[1..].to_ascii_lowercase()]
    };
    let spelled: Vec<String> = names.iter().flat_map(cases).collect();
    forms
        .flat_map(|form| spelled.iter().map(move |name| form.replace("{}", name).into_bytes()).collect::<Group>())
        .collect()
}

/// Components of these lengths in bytes, out of these characters.
fn wide(root: &str, lengths: &[usize]) -> Group {
    let mut group = Group::new();
    for length in lengths {
        group.push(format!("{root}{}", "c".repeat(*length)).into_bytes());
        group.push(format!("{root}{}{}", "\u{e9}".repeat(length / 2), "x".repeat(length % 2)).into_bytes());
        group.push(format!("{root}{}{}", "\u{1F600}".repeat(length / 4), "x".repeat(length % 4)).into_bytes());
        group.push(format!("{root}{}/z", "c".repeat(*length)).into_bytes());
    }
    group
}
