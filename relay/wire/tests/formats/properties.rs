//! What holds for every request and every body, of macOS, iOS and Windows Phone.

use proptest::{prelude::*, sample::Index};
use relay_wire::{Code, Operation, Platform, Profile, Request, Validator, canonical};

use crate::{
    examples::{self, check},
    generate::requests,
};

const PLATFORMS: [Platform; 3] = [Platform::MacOs, Platform::Ios, Platform::WindowsPhone];

/// A valid body of one of the three platforms.
fn bodies() -> impl Strategy<Value = (Platform, Vec<u8>)> {
    let example = (0..PLATFORMS.len(), 1..=3).prop_map(|(platform, number)| {
        let platform = PLATFORMS[platform];
        (platform, examples::body(platform, &format!("V{number}")))
    });
    prop_oneof![example, requests().prop_map(|request| (request.platform(), request.to_body()))]
}

/// Whether `request` fits into a body; 64 long paths may not.
fn fits(request: &Request) -> bool {
    request.to_body().len() <= relay_wire::limits::BODY_BYTES_MAX
}

/// White space between the elements of the body, at each place where `spaces` has one.
fn spaced(body: &str, spaces: &[bool]) -> String {
    let mut result = String::new();
    let mut spaces = spaces.iter().cycle();
    let start = body.find("<plist v").or(body.find("<SyncML")).expect("the root");
    result.push_str(&body[..start]);
    let mut rest = &body[start..];
    while let Some(end) = rest.find('>') {
        let (tag, after) = rest.split_at(end + 1);
        result.push_str(tag);
        // Between two tags unless they are the start and the end of one element.
        let opens = !tag.contains("</") && !tag.ends_with("/>");
        if after.starts_with('<') && !(opens && after.starts_with("</")) && spaces.next() == Some(&true) {
            result.push_str(" \r\n\t");
        }
        rest = after;
    }
    result + rest
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn emission_and_parsing_are_inverse(request in requests().prop_filter("fits", fits)) {
        let body = request.to_body();
        let parsed = check(request.platform(), &body);
        prop_assert_eq!(parsed.as_ref(), Ok(&request), "{}", String::from_utf8_lossy(&body));
    }

    #[test]
    fn the_canonical_encoding_loses_nothing(request in requests().prop_filter("fits", fits)) {
        let encoded = canonical::encode(&request).expect("within limits");
        prop_assert!(encoded.len() <= relay_wire::limits::CANONICAL_BYTES_MAX);
        let decoded = canonical::decode(&encoded);
        prop_assert_eq!(decoded.as_ref(), Ok(&request));
        let checked = Validator::default().check_canonical(&encoded).expect("valid");
        prop_assert_eq!(&*checked, &request);
    }

    #[test]
    fn a_body_cut_short_is_refused((platform, body) in bodies(), cut in any::<Index>()) {
        let cut = cut.index(body.len());
        let rejection = check(platform, &body[..cut]).expect_err("not whole");
        prop_assert!(matches!(rejection.code, Code::Frame | Code::Encoding | Code::Syntax), "{}", rejection);
    }

    /// Whatever passes is a request like any other, however it was written.
    #[test]
    fn a_changed_body_is_refused_or_means_something(
        (platform, mut body) in bodies(),
        changes in proptest::collection::vec((any::<Index>(), any::<u8>(), 0..3_u8), 1..4),
    ) {
        for (place, byte, kind) in changes {
            let place = place.index(body.len());
            match kind {
                0 => body[place] = byte,
                1 => body.insert(place, byte),
                _ => { body.remove(place); }
            }
        }
        if let Ok(request) = check(platform, &body) {
            prop_assert_eq!(check(platform, &request.to_body()), Ok(request));
        }
    }

    #[test]
    fn two_bodies_spliced_do_not_panic((platform, one) in bodies(), (_, other) in bodies(), at in any::<Index>(), to in any::<Index>()) {
        let body = [&one[..at.index(one.len())], &other[to.index(other.len())..]].concat();
        if !body.is_empty() {
            let _ = check(platform, &body);
        }
    }

    #[test]
    fn anything_at_all_does_not_panic(platform in 0..PLATFORMS.len(), body in "[\\[\\]{}<>/&;\"\\\\:,a-z0-9 .eE+-]{1,200}") {
        prop_assert!(check(PLATFORMS[platform], body.as_bytes()).is_err());
    }

    #[test]
    fn white_space_between_elements_means_nothing(
        request in requests().prop_filter("XML with room", |request| request.platform() != Platform::Ios && request.to_body().len() < 12_000),
        spaces in proptest::collection::vec(any::<bool>(), 1..40),
    ) {
        let body = String::from_utf8(request.to_body()).expect("UTF-8");
        let body = spaced(&body, &spaces);
        prop_assert_eq!(check(request.platform(), body.as_bytes()), Ok(request), "{}", body);
    }

    /// JSON members in any order, every character escaped: the same request.
    #[test]
    fn spelling_of_json_means_nothing(
        request in requests().prop_filter("iOS with room", |request| request.platform() == Platform::Ios && request.to_body().len() < 2_500),
        turn in any::<Index>(),
    ) {
        let body = String::from_utf8(request.to_body()).expect("UTF-8");
        let mut members = members(&body);
        let turn = turn.index(members.len());
        members.rotate_left(turn);
        let body = format!("{{ {} }}", members.iter().map(|member| escaped(member)).collect::<Vec<_>>().join(" ,\n"));
        prop_assert_eq!(check(Platform::Ios, body.as_bytes()), Ok(request), "{}", body);
    }
}

/// The members of an object's text.
fn members(body: &str) -> Vec<String> {
    let mut members = vec![String::new()];
    let (mut depth, mut is_text, mut is_escape) = (0, false, false);
    for character in body[1..body.len() - 1].chars() {
        match character {
            ',' if depth == 0 && !is_text => {
                members.push(String::new());
                continue;
            }
            '"' if !is_escape => is_text = !is_text,
            '{' | '[' if !is_text => depth += 1,
            '}' | ']' if !is_text => depth -= 1,
            _ => {}
        }
        is_escape = character == '\\' && !is_escape;
        members.last_mut().expect("one at least").push(character);
    }
    members
}

/// `json` with every character of its strings that is not escaped yet as `\u`.
fn escaped(json: &str) -> String {
    let mut result = String::new();
    let (mut is_text, mut is_escape) = (false, false);
    for character in json.chars() {
        let is_quote = character == '"' && !is_escape;
        if is_text && !is_quote && !is_escape && character != '\\' {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                result.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            result.push(character);
        }
        is_text ^= is_quote;
        is_escape = is_text && character == '\\' && !is_escape;
    }
    result
}

/// The profile that the generator drew is the profile that was asked for: the three platforms, every operation.
#[test]
fn the_generator_reaches_everything() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..300 {
        let request = requests().new_tree(&mut runner).expect("a request").current();
        let platform = match request.content.profile {
            Profile::MacOs(_) => "macos",
            Profile::Ios(_) => "ios",
            Profile::WindowsPhone(_) => "wp",
            Profile::Windows(_) | Profile::Linux(_) | Profile::Android(_) => "other",
        };
        let operation = match request.content.operation {
            Operation::Register { .. } => "register",
            Operation::Auth => "auth",
            Operation::Ping => "ping",
            Operation::Transfer { .. } => "transfer",
        };
        seen.insert((platform, operation));
    }
    assert_eq!(seen.len(), 12, "{seen:?}");
}
