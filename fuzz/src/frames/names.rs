//! SPEC §2.2: names, numbers, device ids, nonces; and tokens (§7.2).

use relay_wire::{
    grant::{operation_from_number, operation_number},
    ids::{BackendName, DeviceId, Nonce, Role, ServiceName, Token},
    request::Platform,
};

use super::{compare, disagree, layout::is_name};

const SUFFIX: &str = ".tunnel.sallyport";

/// §2.2.3: whether two identifiers are one device. relay-wire says it by its registry's key.
pub(crate) fn same_device(platform: u8, one: &str, other: &str) -> bool {
    let strip = |text: &str| if platform == 5 { text.trim_start_matches('0').to_owned() } else { text.to_owned() };
    strip(one) == strip(other)
}

/// The first byte is a number, 16 follow for a token and a nonce, then two texts that end with a zero or the input.
pub(crate) fn judge(message: &[u8]) {
    let Some((number, rest)) = message.split_first() else { return };
    numbers(*number);
    let texts = match rest.split_first_chunk::<16>() {
        Some((bytes, rest)) => {
            binary(bytes);
            rest
        }
        None => rest,
    };
    let mut texts = texts.splitn(2, |byte| *byte == 0).filter_map(|text| std::str::from_utf8(text).ok());
    let (Some(one), other) = (texts.next(), texts.next().unwrap_or("")) else { return };
    text(one);
    text(other);
    ids(*number, one, other);
}

fn numbers(number: u8) {
    let role = Role::from_number(number);
    let expected = match number {
        1 => Some("master"),
        2 => Some("storage-node"),
        _ => None,
    };
    if role.map(Role::as_str) != expected || role.is_some_and(|role| role.number() != number) {
        disagree("role", "", "another meaning", "this meaning", number);
    }
    let platform = Platform::from_number(number);
    let back = platform.map(|platform| (platform.number(), compare::platform(platform)));
    if back != (1..=6).contains(&number).then_some((number, u64::from(number))) {
        disagree("platform", "", "another meaning", "this meaning", number);
    }
    let names = ["register", "auth", "backup", "restore", "ping", "sync"];
    let expected = usize::from(number).checked_sub(1).and_then(|place| names.get(place).copied());
    let operation = operation_from_number(number);
    if operation.map(|operation| operation.as_str()) != expected
        || operation.is_some_and(|operation| operation_number(operation) != number)
    {
        disagree("operation", "", "another meaning", "this meaning", number);
    }
}

fn binary(bytes: &[u8; 16]) {
    let zero = bytes.iter().all(|byte| *byte == 0);
    let nonce = Nonce::new(*bytes);
    if nonce.is_none() != zero || nonce.is_some_and(|nonce| nonce.bytes() != bytes) {
        disagree("nonce", "", "another meaning", "this meaning", bytes);
    }
    let mut name: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    name.push_str(SUFFIX);
    if Token::new(*bytes).server_name() != name {
        disagree("token", "", "another server name", "this server name", bytes);
    }
    token(&name);
    // Its neighbours: other letters' case, a digit more or less, another end.
    let (digits, suffix) = name.split_at(32);
    for other in [
        digits.to_ascii_uppercase() + suffix,
        digits[..31].to_owned() + &digits[31..].to_ascii_uppercase() + suffix,
        digits.to_owned() + &suffix.to_ascii_uppercase(),
        digits[1..].to_owned() + suffix,
        digits.to_owned() + "0" + suffix,
        digits.to_owned() + suffix + ".",
        digits.to_owned() + suffix + suffix,
        digits.to_owned(),
    ] {
        token(&other);
    }
}

fn token(name: &str) {
    let theirs = Token::from_server_name(name).map(|token| *token.bytes());
    if theirs != claimed(name) {
        disagree("token", "", "another claim", "this claim", name);
    }
}

/// §7.2.2: `<32 lower-case hex digits>.tunnel.sallyport`.
pub(crate) fn claimed(name: &str) -> Option<[u8; 16]> {
    let (digits, behind) = name.split_at_checked(32)?;
    let lower = digits.chars().all(|digit| digit.is_ascii_digit() || ('a'..='f').contains(&digit));
    let number = u128::from_str_radix(digits, 16).ok()?;
    (lower && behind == SUFFIX).then_some(number.to_be_bytes())
}

fn text(text: &str) {
    let expected = is_name(text.as_bytes()).then_some(text);
    let backend = BackendName::new(text).ok();
    let service = ServiceName::new(text).ok();
    if backend.as_ref().map(BackendName::as_str) != expected || service.as_ref().map(ServiceName::as_str) != expected {
        disagree("name", "", "another verdict", "this verdict", text);
    }
    token(text);
}

fn ids(number: u8, one: &str, other: &str) {
    let platform = 1 + number % 6;
    // No Android identifier is longer (FORMATS §5), and the registry's key is padded to that.
    if platform == 5 && (one.len() > 16 || other.len() > 16) {
        return;
    }
    let Some(known) = Platform::from_number(platform) else { return };
    let key = |platform, text: &str| DeviceId::new(platform, text.to_owned()).registry_key();
    if (key(known, one) == key(known, other)) != same_device(platform, one, other) {
        disagree("device id", "", "another identity", "this identity", (platform, one, other));
    }
    let next = Platform::from_number(1 + platform % 6).unwrap_or(known);
    if key(known, one) == key(next, one) {
        disagree("device id", "", "one device", "devices of two platforms", (platform, one));
    }
}
