//! FORMATS §4: one JSON object.

use std::{borrow::Cow, sync::LazyLock};

use super::{
    Kind, Platform, Refusal, Value, When,
    fields::Fields,
    json::{self, Json},
    refusal, rows,
};

/// For each row the object that it is a member of, none if it is the root, and its name there.
static NAMES: LazyLock<Vec<(Option<&str>, &str)>> = LazyLock::new(|| {
    let split =
        |row: &super::Row| row.name.split_once('.').map_or((None, row.name), |(object, name)| (Some(object), name));
    rows(Platform::Ios).iter().map(split).collect()
});

/// The place of a name of the root, or of a member of one of the root's objects.
fn place(object: Option<&str>, name: &str) -> Option<usize> {
    NAMES.iter().position(|row| row.1 == name && row.0 == object)
}

/// Whether the root's value at this place is one whose members are fields.
fn is_object(place: usize) -> bool {
    rows(Platform::Ios)[place].kind == Kind::Object
}

pub(super) fn fields(body: &[u8]) -> Result<Fields<'_>, Refusal> {
    let text = std::str::from_utf8(body).map_err(|_| refusal("E_ENCODING", "body"))?;
    if text.starts_with('\u{FEFF}') {
        return Err(refusal("E_ENCODING", "body"));
    }
    let root = json::parse(text)?;
    let Json::Object(members) = &root else { return Err(refusal("E_SYNTAX", "top")) };
    let unknown = refusal("E_UNKNOWN", "name");
    for (name, value) in members {
        let at = place(None, name).ok_or(unknown)?;
        if let (Json::Object(inner), true) = (value, is_object(at)) {
            inner.iter().try_for_each(|(member, _)| place(Some(name), member).map(|_| ()).ok_or(unknown))?;
        }
    }
    if root.repeats_a_name() {
        return Err(refusal("E_DUPLICATE", "name"));
    }
    let mut list = Vec::with_capacity(40);
    let Json::Object(members) = root else { return Err(refusal("E_SYNTAX", "top")) };
    for (name, value) in members {
        let at = place(None, &name).ok_or(unknown)?;
        if is_object(at)
            && let Json::Object(inner) = value
        {
            list.push((at, Value::Object));
            for (member, value) in inner {
                list.push((place(Some(&name), &member).ok_or(unknown)?, plain(value)));
            }
        } else {
            list.push((at, plain(value)));
        }
    }
    list.sort_by_key(|(place, _)| *place);
    let has = |place: usize| list.iter().find(|(at, _)| *at == place).map(|(_, value)| value);
    // Whether the row's parent is a value that has members at all.
    let mut inside = true;
    for (place, row) in rows(Platform::Ios).iter().enumerate() {
        let member = NAMES[place].0.is_some();
        let value = has(place);
        if value.is_none() && row.when == When::Required && (inside || !member) {
            return Err(refusal("E_MISSING", row.name));
        }
        if row.kind == Kind::Object {
            inside = value == Some(&Value::Object);
        }
    }
    Ok(Fields::sorted(Platform::Ios, list))
}

/// The value as a field's value.
fn plain(value: Json<'_>) -> Value<'_> {
    match value {
        Json::Object(_) => Value::Object,
        Json::Array(elements) => Value::List(elements.into_iter().map(plain).collect()),
        Json::Text(text) => Value::Text(text),
        Json::Number(spelled) => Value::Number(Cow::Borrowed(spelled)),
        Json::Boolean(boolean) => Value::Boolean(boolean),
        Json::Null => Value::Null,
    }
}

pub(super) fn conflicts(fields: &Fields<'_>) -> Result<(), Refusal> {
    let major =
        fields.text("system.version").split('.').next().and_then(|major| major.parse::<u32>().ok()).unwrap_or_default();
    let train = if major <= 18 { major + 4 } else { major - 3 };
    if !fields.text("system.build").starts_with(&train.to_string()) {
        return Err(refusal("E_CONFLICT", "system.build"));
    }
    let pad = fields.text("model").starts_with("iPad");
    if fields.text("system.name") == "iPadOS" && (major < 13 || !pad) {
        return Err(refusal("E_CONFLICT", "system.name"));
    }
    Ok(())
}
