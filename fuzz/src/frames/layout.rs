//! SPEC §2.1 by another way than `relay-wire` goes: a message is a table of fields, and one reader and one writer go
//! through any table. What a table allows decides how long a body may be; nothing is counted by hand.

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field {
    /// An unsigned big-endian number of `bytes` bytes, `least..=most`.
    Number { bytes: usize, least: u64, most: u64 },
    /// That many bytes.
    Fixed(usize),
    /// bytes16 (§2.1.2), `least..=most` bytes.
    Bytes { least: usize, most: usize },
    /// text16, `least..=most` bytes of UTF-8.
    Text { least: usize, most: usize },
    /// text16, a name (§2.2.1).
    Name,
    /// A byte, and the fields that it stands for.
    Choice(&'static [(u8, &'static [Field])]),
    /// A count u8 in 1..=16 and that many names, ascending, none twice (§7.1.1).
    Names,
}

/// u16, any.
pub(crate) const U16: Field = Field::Number { bytes: 2, least: 0, most: 0xffff };
/// u32, any.
pub(crate) const U32: Field = Field::Number { bytes: 4, least: 0, most: 0xffff_ffff };
/// u64, any.
pub(crate) const U64: Field = Field::Number { bytes: 8, least: 0, most: u64::MAX };

/// The value of a field. A choice is its byte, followed by the values of what it stands for; names are their count, followed
/// by each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Number(u64),
    Bytes(Vec<u8>),
}

impl Value {
    pub(crate) fn number(&self) -> u64 {
        match self {
            Self::Number(number) => *number,
            Self::Bytes(_) => u64::MAX,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Number(_) => &[],
            Self::Bytes(bytes) => bytes,
        }
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&[u8]> for Value {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

const NAMES_MAX: u64 = 16;
const NAME_BYTES_MAX: usize = 63;

/// §2.2.1: `[a-z0-9]([a-z0-9-]*[a-z0-9])?`, 1..63 characters.
pub(crate) fn is_name(text: &[u8]) -> bool {
    let inner = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    match text {
        [] => false,
        [b'-', ..] | [.., b'-'] => false,
        all => all.len() <= NAME_BYTES_MAX && all.iter().all(|byte| inner(*byte)),
    }
}

/// How many bytes the fields may take.
pub(crate) fn bounds(fields: &[Field]) -> (usize, usize) {
    fields.iter().map(one).fold((0, 0), |(least, most), (a, b)| (least + a, most + b))
}

fn one(field: &Field) -> (usize, usize) {
    match *field {
        Field::Number { bytes, .. } => (bytes, bytes),
        Field::Fixed(bytes) => (bytes, bytes),
        Field::Bytes { least, most } | Field::Text { least, most } => (2 + least, 2 + most),
        Field::Name => (2 + 1, 2 + NAME_BYTES_MAX),
        Field::Choice(choices) => {
            let each = choices.iter().map(|(_, fields)| bounds(fields));
            let least = each.clone().map(|(least, _)| least).min().unwrap_or(0);
            (1 + least, 1 + each.map(|(_, most)| most).max().unwrap_or(0))
        }
        Field::Names => (1 + 3, 1 + 16 * (2 + NAME_BYTES_MAX)),
    }
}

/// Takes `count` bytes off the front.
fn cut<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (head, tail) = (rest.get(..count)?, rest.get(count..)?);
    *rest = tail;
    Some(head)
}

fn number(rest: &mut &[u8], bytes: usize) -> Option<u64> {
    Some(cut(rest, bytes)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

fn sized<'a>(rest: &mut &'a [u8], least: usize, most: usize) -> Option<&'a [u8]> {
    let length = usize::try_from(number(rest, 2)?).ok()?;
    if length < least || length > most { None } else { cut(rest, length) }
}

/// Reads `fields` off the front of `rest`; `None` if it does not hold them.
pub(crate) fn read(fields: &[Field], rest: &mut &[u8], values: &mut Vec<Value>) -> Option<()> {
    for field in fields {
        match *field {
            Field::Number { bytes, least, most } => {
                let number = number(rest, bytes)?;
                if number < least || number > most {
                    return None;
                }
                values.push(Value::Number(number));
            }
            Field::Fixed(bytes) => values.push(cut(rest, bytes)?.into()),
            Field::Bytes { least, most } => values.push(sized(rest, least, most)?.into()),
            Field::Text { least, most } => values.push(std::str::from_utf8(sized(rest, least, most)?).ok()?.into()),
            Field::Name => values.push(name(rest)?.into()),
            Field::Choice(choices) => {
                let tag = number(rest, 1)?;
                let (_, fields) = choices.iter().find(|(choice, _)| u64::from(*choice) == tag)?;
                values.push(Value::Number(tag));
                read(fields, rest, values)?;
            }
            Field::Names => {
                let count = number(rest, 1)?;
                if count == 0 || count > NAMES_MAX {
                    return None;
                }
                values.push(Value::Number(count));
                let mut before: &[u8] = b"";
                for _ in 0..count {
                    let name = name(rest)?;
                    if name <= before {
                        return None;
                    }
                    before = name;
                    values.push(name.into());
                }
            }
        }
    }
    Some(())
}

fn name<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    sized(rest, 0, usize::MAX).filter(|name| is_name(name))
}

/// Reads `fields`, and nothing may be left.
pub(crate) fn read_all(fields: &[Field], bytes: &[u8]) -> Option<Vec<Value>> {
    let (mut rest, mut values) = (bytes, Vec::new());
    read(fields, &mut rest, &mut values)?;
    rest.is_empty().then_some(values)
}

/// Writes values as `fields` say; bounds are not looked at, so that it writes wrong messages too.
pub(crate) fn write(fields: &[Field], values: &mut impl Iterator<Item = Value>, out: &mut Vec<u8>) {
    for field in fields {
        let Some(value) = values.next() else { return };
        match *field {
            Field::Number { bytes, .. } => put(value.number(), bytes, out),
            Field::Fixed(_) => out.extend_from_slice(value.bytes()),
            Field::Bytes { .. } | Field::Text { .. } | Field::Name => put_sized(value.bytes(), out),
            Field::Choice(choices) => {
                put(value.number(), 1, out);
                let known = choices.iter().find(|(choice, _)| u64::from(*choice) == value.number());
                // A choice that there is not looks like the last that there is, so that only its byte is wrong.
                if let Some((_, fields)) = known.or(choices.last()) {
                    write(fields, values, out);
                }
            }
            Field::Names => {
                put(value.number(), 1, out);
                for name in values.by_ref().take(usize::try_from(value.number()).unwrap_or(0)) {
                    put_sized(name.bytes(), out);
                }
            }
        }
    }
}

/// A number in its last `bytes` bytes.
pub(crate) fn put(number: u64, bytes: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_be_bytes()[8 - bytes..]);
}

fn put_sized(bytes: &[u8], out: &mut Vec<u8>) {
    put(bytes.len() as u64, 2, out);
    out.extend_from_slice(bytes);
}

/// What the bytes that have come of a message are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Come<T> {
    /// A beginning.
    Part,
    /// No beginning of any message.
    Wrong,
    /// A message, and how many bytes it takes.
    Whole(T, usize),
}

/// A length that is a u32: its bytes that have come are the beginning of one in `least..=most`, or not. Big-endian numbers
/// are in the order of their bytes, and so are their beginnings.
pub(crate) fn length_may_be(come: &[u8], (least, most): (usize, usize)) -> bool {
    let bytes = |bound: usize| u32::try_from(bound).unwrap_or(u32::MAX).to_be_bytes();
    let come = &come[..come.len().min(4)];
    bytes(least)[..come.len()] <= *come && *come <= bytes(most)[..come.len()]
}
