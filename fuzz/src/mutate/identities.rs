//! Users, credentials, targets and base64 at their bounds.

use super::{
    texts::{DEVICE, MASS},
    values::Group,
};

/// USER at its bounds: local 64, label 63, tld 63, 254 in all.
pub(super) fn users() -> (Group, Group) {
    let x = |count: usize| "x".repeat(count);
    let of_length = |length: usize| {
        let fixed = format!("{}@{}.{}.{}.", x(64), x(63), x(63), x(50));
        format!("{fixed}{}", "t".repeat(length - fixed.len()))
    };
    let good = vec![
        "ana.lopez@example.com".into(),
        "a@b.cc".into(),
        format!("{}@b.cc", x(64)),
        format!("a@{}.cc", x(63)),
        format!("a@b.{}", x(63)),
        format!("a@{}.cc", vec!["b"; 60].join(".")),
        of_length(254),
        of_length(253),
        "A.Z_9%+'-@EXAMPLE.Org".into(),
        ".a.@b.cc".into(),
        "..@b.cc".into(),
        "'@0.aa".into(),
        "a@b-c.d-e.ff".into(),
        "%41@b.cc".into(),
        "a+b@c.dd".into(),
        "-@1.zz".into(),
        "%@b.cc".into(),
        "a%20b@c.dd".into(),
    ];
    let near = vec![
        "a@b.c".into(),
        "a@bcc".into(),
        "@b.cc".into(),
        "a@.cc".into(),
        "a@b.".into(),
        "a@b..cc".into(),
        "a@@b.cc".into(),
        "ab.cc".into(),
        format!("{}@b.cc", x(65)),
        format!("a@{}.cc", x(64)),
        format!("a@b.{}", x(64)),
        of_length(255),
        of_length(256),
        "a@-b.cc".into(),
        "a@b-.cc".into(),
        "a@b.c1".into(),
        "a@b.cc.".into(),
        "a b@c.dd".into(),
        "a@b_c.dd".into(),
        "a@b.cc\n".into(),
        "\u{e9}@b.cc".into(),
        "a@b\u{e9}.cc".into(),
        "a@b.c-c".into(),
        "a\"b@c.dd".into(),
        "a@b.cc@d.ee".into(),
        "a@[1.2.3.4]".into(),
        "a/b@c.dd".into(),
        "a!@b.cc".into(),
        "a#b@c.dd".into(),
        "a@b,cc".into(),
        "a:b@c.dd".into(),
        "a@b.cc:".into(),
        "a&b@c.dd".into(),
        String::new(),
        "a@b.c\0".into(),
        format!("{}@{}.cc", x(64), vec!["b"; 94].join(".")),
        "a@b.c.d".into(),
        "a@1.2.3.4".into(),
        "a*b@c.dd".into(),
        "a`@b.cc".into(),
        "a=b@c.dd".into(),
    ];
    let bytes = |texts: Vec<String>| texts.into_iter().map(String::into_bytes).collect();
    (bytes(good), bytes(near))
}

/// Good users.
pub(super) fn good_users() -> &'static [String] {
    static USERS: std::sync::LazyLock<Vec<String>> = std::sync::LazyLock::new(|| {
        users().0.into_iter().map(|user| String::from_utf8_lossy(&user).into_owned()).collect()
    });
    &USERS
}

/// Base64 (RFC 4648 section 4), padded.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let block = chunk.iter().fold(0_u32, |block, byte| block << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = (block >> (18 - 6 * place)) as usize & 63;
            text.push(if place <= chunk.len() { char::from(ALPHABET[digit]) } else { '=' });
        }
    }
    text
}

/// Base64 that stands for the same bytes and is not canonical, or for none.
pub(super) fn near_base64(text: &str) -> Group {
    let mut near: Vec<String> = vec![
        text.trim_end_matches('=').to_owned(),
        format!("{text}="),
        format!("{text}\n"),
        format!(" {text}"),
        text.replace('+', "-").replace('/', "_"),
        format!("{text}{text}"),
        format!("{}-{}", &text[..4], &text[5..]),
        format!("{}\u{e9}{}", &text[..4], &text[4..]),
        format!("{}={}", &text[..4], &text[4..]),
        format!("{} {}", &text[..4], &text[4..]),
        format!("{}==", text.trim_end_matches('=')),
        text.replacen("==", "=A", 1),
    ];
    // The last character that counts, with unused bits.
    let kept = text.trim_end_matches('=');
    let padding = &text[kept.len()..];
    near.extend("BCDEHJPRfgxz9+/".chars().map(|last| format!("{}{last}{padding}", &kept[..kept.len() - 1])));
    near.retain(|near| near != text);
    near.into_iter().map(String::into_bytes).collect()
}

/// `Cred` of SyncML: the good ones, and what is near.
pub(super) fn credentials() -> (Group, Group) {
    let encode = |text: &str| base64(text.as_bytes()).into_bytes();
    let (users, bad_users) = users();
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    let mut good = vec![encode(&format!("{DEVICE}:"))];
    good.extend(users.iter().map(|user| encode(&format!("{MASS}:{}", text(user)))));
    let mut near: Group = bad_users.iter().map(|user| encode(&format!("{MASS}:{}", text(user)))).collect();
    let device_tail = &DEVICE[..88];
    let mass_tail = &MASS[..45];
    let texts = [
        MASS.to_owned(),
        DEVICE.to_owned(),
        format!("{MASS}:"),
        format!("{DEVICE}:a@b.cc"),
        ":".into(),
        ":a@b.cc".into(),
        String::new(),
        format!("{DEVICE}::"),
        format!("{MASS}::a@b.cc"),
        format!("{MASS}:a@b.cc:"),
        format!("{MASS}:a:b@c.dd"),
        "x:".into(),
        "M1.:".into(),
        "D1.:".into(),
        format!("{device_tail}x:"),
        format!("{mass_tail}l:a@b.cc"),
        format!("{device_tail}:"),
        format!("{mass_tail}:a@b.cc"),
        format!("{DEVICE}A:"),
        format!("{MASS}A:a@b.cc"),
        format!(" {DEVICE}:"),
        format!("{DEVICE} :"),
        format!("{DEVICE}: "),
        format!("{MASS}:\u{e9}@b.cc"),
        format!("{MASS}\u{e9}:a@b.cc"),
        format!("m1{}:a@b.cc", &MASS[2..]),
        format!("M2{}:a@b.cc", &MASS[2..]),
        format!("D1{}:a@b.cc", &MASS[2..]),
        format!("M1{}:", &DEVICE[2..]),
        format!("{DEVICE}:\n"),
        format!("{DEVICE}:\0"),
        format!("\u{7f}{DEVICE}:"),
        format!("{MASS}:a@b.cc\n"),
        format!("M1.{}:a@b.cc", "A".repeat(43)),
        format!("D1.{}:", "A".repeat(86)),
        format!("M1.{}:a@b.cc", "A".repeat(43 + 256)),
        format!("D2{}:", &DEVICE[2..]),
        format!("{DEVICE}:{MASS}"),
        format!("{MASS}:{DEVICE}"),
        format!("M1{DEVICE}:"),
        format!("M1.{DEVICE}:"),
        format!("\u{80}:{DEVICE}"),
        format!("{MASS}\u{80}"),
        format!("{MASS};a@b.cc"),
    ];
    near.extend(texts.iter().map(|text| encode(text)));
    for text in [format!("{DEVICE}:"), format!("{MASS}:ana.lopez@example.com"), format!("{MASS}:na.lopez@example.com")]
    {
        near.extend(near_base64(&base64(text.as_bytes())));
    }
    (good, near)
}

/// `Target` of SyncML.
pub(super) fn targets() -> (Group, Group) {
    let x = |count: usize| "x".repeat(count);
    let of_length = |length: usize| {
        let host = format!("{}.{}.{}.", x(63), x(63), x(63));
        let fixed = "https://".len() + host.len() + "/edge/wp8".len();
        format!("https://{host}{}/edge/wp8", "t".repeat(length - fixed))
    };
    let with_port = |port: &str| format!("https://edge.example.com:{port}/edge/wp8");
    let mut good = vec![
        "https://edge.example.com/edge/wp8".into(),
        "https://a.b/edge/wp8".into(),
        of_length(255),
        of_length(254),
        of_length(253),
    ];
    good.extend(["1", "9", "443", "8443", "65535", "65534", "10000"].map(with_port));
    good.extend([
        format!("https://{}.b/edge/wp8", x(63)),
        "https://A-b.C9.1/edge/wp8".into(),
        "https://1.2.3.4:5/edge/wp8".into(),
    ]);
    let mut near = vec![
        of_length(256),
        "https://a/edge/wp8".into(),
        "https://ab/edge/wp8".into(),
        "http://edge.example.com/edge/wp8".into(),
    ];
    near.extend(
        [
            "65536",
            "99999",
            "0",
            "00443",
            "0443",
            "100000",
            "",
            "+443",
            "443x",
            "70000",
            "131071",
            "-1",
            "65979",
            "4294967739",
        ]
        .map(with_port),
    );
    near.extend([
        "HTTPS://edge.example.com/edge/wp8".into(),
        "https://edge.example.com/edge/wp8/".into(),
        "https://edge.example.com/edge/wp7".into(),
        "https://edge.example.com/EDGE/wp8".into(),
        "https://edge..com/edge/wp8".into(),
        "https://-edge.com/edge/wp8".into(),
        "https://edge-.com/edge/wp8".into(),
        "https://edge.com./edge/wp8".into(),
        format!("https://{}.b/edge/wp8", x(64)),
        "https://a@b.cc/edge/wp8".into(),
        "https://b.cc/edge/wp8?x".into(),
        "https://b.cc//edge/wp8".into(),
        "https://.b.cc/edge/wp8".into(),
        "https://b.cc:1:2/edge/wp8".into(),
        "https://b_c.dd/edge/wp8".into(),
        "https://b.cc/edge/wp8 ".into(),
        "https://[::1]/edge/wp8".into(),
        "https://b.cc".into(),
        "https://example.com".into(),
        "https:///edge/wp8".into(),
        "https://edge.example.com:443".into(),
        "xhttps://b.cc/edge/wp8".into(),
        "https://edge.example.com/edge/wp8/edge/wp8".into(),
        "https://edge.example.com:65535:1/edge/wp8".into(),
    ]);
    let bytes = |texts: Vec<String>| texts.into_iter().map(String::into_bytes).collect();
    (bytes(good), bytes(near))
}
