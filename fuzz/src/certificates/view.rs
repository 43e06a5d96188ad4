//! A third reader of certificates: DER walked element by element, as far as the judgement needs.

/// One element of DER.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    /// The identifier octet.
    pub(super) tag: u8,
    /// What is inside.
    pub(super) content: &'a [u8],
    /// With identifier and length.
    pub(super) whole: &'a [u8],
}

/// The next element, and the input moves on behind it. Lengths have one encoding, the shortest.
pub(super) fn next<'a>(input: &mut &'a [u8]) -> Option<Element<'a>> {
    let start = *input;
    let (tag, rest) = start.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            let length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            let shortest = if bytes.len() == 1 { length > 0x7f } else { bytes[0] != 0 };
            (shortest.then_some(length)?, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    *input = rest;
    Some(Element { tag: *tag, content, whole: &start[..start.len() - rest.len()] })
}

/// All elements of `input`, which has nothing else.
pub(super) fn all(mut input: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut elements = Vec::new();
    while !input.is_empty() {
        elements.push(next(&mut input)?);
    }
    Some(elements)
}

const SEQUENCE: u8 = 0x30;

/// What a certificate says.
#[derive(Debug, Default)]
pub(super) struct View<'a> {
    /// All that is signed.
    pub(super) signed: &'a [u8],
    /// `SubjectPublicKeyInfo`.
    pub(super) spki: &'a [u8],
    /// The last second in which it is valid, where it is written as RFC 5280 asks.
    pub(super) not_after: Option<u64>,
    /// The alternative names that are DNS names.
    pub(super) dns: Vec<&'a [u8]>,
    /// The alternative names that are addresses.
    pub(super) addresses: Vec<&'a [u8]>,
}

/// The certificate in `der`; `None` where an element is not what belongs in its place.
pub(super) fn of(der: &[u8]) -> Option<View<'_>> {
    let [certificate] = all(der)?.try_into().ok()?;
    let [signed, _, _] = all(certificate.content)?.try_into().ok()?;
    let elements = all(signed.content)?;
    let tags: Vec<u8> = elements.iter().map(|element| element.tag).collect();
    let plain = [0xa0, 0x02, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE];
    if [certificate.tag, signed.tag] != [SEQUENCE; 2] || !tags.starts_with(&plain) {
        return None;
    }
    let not_after = all(elements[4].content).and_then(|times| seconds(times.get(1)?));
    let mut view = View { signed: signed.whole, spki: elements[6].whole, not_after, ..View::default() };
    if let Some(extensions) = elements.get(7).filter(|element| element.tag == 0xa3) {
        let [list] = all(extensions.content)?.try_into().ok()?;
        for extension in all(list.content)? {
            names(extension.content, &mut view);
        }
    }
    Some(view)
}

/// The names in an extension, if it is subjectAltName (2.5.29.17); as many as can be read.
fn names<'a>(extension: &'a [u8], view: &mut View<'a>) {
    let Some(parts) = all(extension) else { return };
    let (Some(oid), Some(value)) = (parts.first(), parts.last()) else { return };
    if oid.content != [0x55, 0x1d, 17] || value.tag != 0x04 {
        return;
    }
    let mut value = value.content;
    let Some(list) = next(&mut value) else { return };
    let mut names = list.content;
    while let Some(name) = next(&mut names) {
        match name.tag {
            0x82 => view.dns.push(name.content),
            0x87 => view.addresses.push(name.content),
            _ => {}
        }
    }
}

/// Whether it is an ECDSA P-256 key with an uncompressed point, the one kind of key that devices have (RFC 5480).
pub(super) fn is_p256(spki: &[u8]) -> bool {
    let parts = || -> Option<bool> {
        let [whole] = all(spki)?.try_into().ok()?;
        let [algorithm, key]: [Element<'_>; 2] = all(whole.content)?.try_into().ok()?;
        let [kind, curve]: [Element<'_>; 2] = all(algorithm.content)?.try_into().ok()?;
        let tags = [whole.tag, algorithm.tag, kind.tag, curve.tag, key.tag];
        let ec_public_key = kind.content == [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
        let prime256v1 = curve.content == [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        let uncompressed = key.content.len() == 66 && key.content.starts_with(&[0, 4]);
        Some(tags == [0x30, 0x30, 0x06, 0x06, 0x03] && ec_public_key && prime256v1 && uncompressed)
    };
    parts().unwrap_or(false)
}

/// `UTCTime` or `GeneralizedTime` in the one form of RFC 5280 section 4.1.2.5, as seconds since 1970.
fn seconds(time: &Element<'_>) -> Option<u64> {
    let text = std::str::from_utf8(time.content).ok()?;
    let (year, rest) = match time.tag {
        0x17 => {
            let year: u64 = digits(text.get(..2)?)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, text.get(2..)?)
        }
        0x18 => (digits(text.get(..4)?)?, text.get(4..)?),
        _ => return None,
    };
    let rest = rest.strip_suffix('Z').filter(|rest| rest.len() == 10)?;
    let at = |place: usize| digits(rest.get(place..place + 2)?);
    let (month, day, hour, minute, second) = (at(0)?, at(2)?, at(4)?, at(6)?, at(8)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = usize::try_from(month).ok()?.checked_sub(1)?;
    let valid = year >= 1970 && (1..=*lengths.get(month)?).contains(&day) && hour < 24 && minute < 60 && second < 60;
    let days_before = |year: u64| (year - 1) * 365 + (year - 1) / 4 - (year - 1) / 100 + (year - 1) / 400;
    valid.then(|| {
        let days = days_before(year) - days_before(1970) + lengths[..month].iter().sum::<u64>() + day - 1;
        days * 86_400 + hour * 3600 + minute * 60 + second
    })
}

fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
