//! Whether a [`Meaning`] that no body brought is one that a body could bring.
//!
//! Each value is spelled as its platform would spell it and judged by its row, without a container around it.

use std::borrow::Cow;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXUPPER};

use super::{
    Kind, Meaning, OPERATIONS, Platform, Refusal, Role, Row, Value, conflicts, fields::Fields, refusal, rows, time,
};

/// Judges all that a request says.
///
/// # Errors
/// What no body of that platform can say.
pub fn judge(meaning: &Meaning) -> Result<(), Refusal> {
    let platform = meaning.platform.ok_or(refusal("E_FRAME", "platform"))?;
    let mut list = Vec::with_capacity(40);
    for (place, row) in rows(platform).iter().enumerate() {
        let wrong = refusal("E_FORMAT", row.name);
        list.extend(spelled(platform, row, meaning).ok_or(wrong)?.into_iter().map(|value| (place, value)));
    }
    let xml = matches!(platform, Platform::MacOs | Platform::WindowsPhone);
    if xml && list.iter().any(|(_, value)| uncarried(value)) {
        return Err(refusal("E_ENCODING", "text"));
    }
    let fields = Fields::sorted(platform, list);
    fields.judge()?;
    let again = fields.meaning()?;
    conflicts(platform, &fields)?;
    if again == *meaning { Ok(()) } else { Err(refusal("E_FORMAT", "another spelling")) }
}

/// What no XML document can hold, and no rule of a value forbids.
fn uncarried(value: &Value<'_>) -> bool {
    if let Value::List(elements) = value {
        return elements.iter().any(uncarried);
    }
    value.as_text().is_some_and(|text| text.contains(['\u{FFFE}', '\u{FFFF}']))
}

/// The values of a row, none if it is absent. `None` if the platform has no spelling for what is said.
fn spelled<'a>(platform: Platform, row: &Row, meaning: &'a Meaning) -> Option<Vec<Value<'a>>> {
    let one = |value: String| vec![typed(row, value)];
    let all = |value: Option<&'a String>| value.map(|value| Value::Text(Cow::Borrowed(value))).into_iter().collect();
    Some(match row.role {
        Role::Operation => {
            let number = OPERATIONS.iter().position(|name| *name == meaning.operation)?;
            match platform {
                Platform::Windows => vec![Value::Bytes(Cow::Owned(vec![u8::try_from(number).ok()? + 1, 0]))],
                Platform::MacOs | Platform::Linux | Platform::Ios | Platform::Android | Platform::WindowsPhone => {
                    one(row.words[number].to_owned())
                }
            }
        }
        Role::Id if platform == Platform::WindowsPhone => one(format!("urn:wp:{}", meaning.device_id)),
        Role::Id => one(meaning.device_id.clone()),
        Role::Proof => {
            let (length, _) = row.length?;
            let proof = proof(meaning);
            if proof.len() == length { one(proof) } else { Vec::new() }
        }
        Role::User => all(meaning.user.as_ref()),
        Role::Credentials => {
            let user = meaning.user.as_deref().unwrap_or_default();
            one(BASE64.encode(format!("{}:{user}", proof(meaning)).as_bytes()))
        }
        Role::SentAt => one_time(platform, row, meaning.sent_at)?,
        Role::Nonce => match (platform, row.length) {
            (Platform::Windows, _) => vec![Value::Bytes(Cow::Borrowed(&meaning.nonce))],
            (_, Some((32, _))) => one(data_encoding::HEXLOWER.encode(&meaning.nonce)),
            (_, _) => one(BASE64.encode(&meaning.nonce)),
        },
        Role::Node => all(meaning.node.as_ref()),
        Role::Path => paths(platform, meaning)?,
        Role::Estimate => match (platform, meaning.estimate) {
            (_, None) => Vec::new(),
            (Platform::Windows, Some(estimate)) => vec![Value::Bytes(Cow::Owned(estimate.to_le_bytes().to_vec()))],
            (_, Some(estimate)) => one(estimate.to_string()),
        },
        Role::Fact => {
            let fact = meaning.facts.iter().find(|(name, _)| *name == row.name);
            fact.map(|(_, text)| fact_value(row, text))
                .map_or(Some(Vec::new()), |value| value.map(|value| vec![value]))?
        }
        Role::Silent if row.kind == Kind::Object => vec![Value::Object],
        // DevId, the other spelling of Source.
        Role::Silent => one(BASE64.encode(&HEXUPPER.decode(meaning.device_id.as_bytes()).ok()?)),
    })
}

fn proof(meaning: &Meaning) -> String {
    let letter = if meaning.proof.len() == 32 { "M1." } else { "D1." };
    format!("{letter}{}", BASE64URL_NOPAD.encode(&meaning.proof))
}

/// A text in the type of its row.
fn typed<'a>(row: &Row, text: String) -> Value<'a> {
    let text = Cow::Owned(text);
    match row.kind {
        Kind::Number => Value::Number(text),
        Kind::Data => Value::Data(text),
        Kind::Date => Value::Date(text),
        Kind::Boolean => Value::Boolean(text == "true"),
        Kind::Text | Kind::Binary | Kind::List | Kind::Object => Value::Text(text),
    }
}

fn paths(platform: Platform, meaning: &Meaning) -> Option<Vec<Value<'_>>> {
    if meaning.node.is_none() {
        return Some(Vec::new());
    }
    let mut values = Vec::with_capacity(meaning.paths.len());
    for path in &meaning.paths {
        values.push(match platform {
            Platform::Linux => Value::Bytes(Cow::Borrowed(path)),
            Platform::Windows | Platform::MacOs | Platform::Ios | Platform::Android | Platform::WindowsPhone => {
                Value::Text(Cow::Borrowed(std::str::from_utf8(path).ok()?))
            }
        });
    }
    Some(match platform {
        Platform::MacOs | Platform::Ios => vec![Value::List(values)],
        Platform::Windows | Platform::Linux | Platform::Android | Platform::WindowsPhone => values,
    })
}

/// A time in the platform's spelling, if that is fine enough to say it.
fn one_time<'a>(platform: Platform, row: &Row, ticks: u64) -> Option<Vec<Value<'a>>> {
    let whole = |unit: u64| ticks.is_multiple_of(unit).then_some(ticks / unit);
    let (seconds, rest) = (ticks / 10_000_000, ticks % 10_000_000);
    let text = match platform {
        Platform::Windows => {
            let file_time = ticks.checked_add(11_644_473_600 * 10_000_000)?;
            return Some(vec![Value::Bytes(Cow::Owned(file_time.to_le_bytes().to_vec()))]);
        }
        Platform::MacOs => format!("{}Z", time::date(whole(10_000_000)?)?),
        Platform::Linux => whole(10_000_000)?.to_string(),
        Platform::Ios => format!("{}.{:03}Z", time::date(seconds)?, whole(10_000).map(|_| rest / 10_000)?),
        Platform::Android => whole(10_000)?.to_string(),
        Platform::WindowsPhone => format!("{}.{rest:07}Z", time::date(seconds)?),
    };
    Some(vec![typed(row, text)])
}

/// A fact in its container's type.
fn fact_value<'a>(row: &Row, text: &'a str) -> Option<Value<'a>> {
    if row.kind != Kind::Binary && row.name != "power.level" {
        return Some(if row.kind == Kind::Text {
            Value::Text(Cow::Borrowed(text))
        } else {
            typed(row, text.to_owned())
        });
    }
    if row.name == "power.level" {
        let units: u64 = if text == "-1" { return Some(typed(row, text.to_owned())) } else { text.parse().ok()? };
        let spelled = format!("{}.{:018}", units / 10_u64.pow(18), units % 10_u64.pow(18));
        return Some(typed(row, spelled.trim_end_matches('0').trim_end_matches('.').to_owned()));
    }
    let numbers: Vec<u64> = text.split(['.', ' ']).map(str::parse).collect::<Result<_, _>>().ok()?;
    let (width, _) = row.length?;
    let each = width / numbers.len();
    let mut bytes = Vec::with_capacity(width);
    // VS_FIXEDFILEINFO swaps the halves of each pair.
    let order: &[usize] = if row.name == "appVersion" { &[1, 0, 3, 2] } else { &[0, 1, 2, 3] };
    for place in order.iter().take(numbers.len()) {
        bytes.extend_from_slice(&numbers.get(*place)?.to_le_bytes()[..each]);
    }
    Some(Value::Bytes(Cow::Owned(bytes)))
}
