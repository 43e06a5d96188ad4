//! FORMATS §2: an XML property list.

use super::{
    Platform, Refusal, Value,
    fields::Fields,
    refusal,
    row::place,
    rows,
    xml::{self, Pieces, SYNTAX},
};

const PROLOG: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n",
);

pub(super) fn fields(body: &[u8]) -> Result<Fields<'_>, Refusal> {
    let document = xml::decoded(body)?.strip_prefix(PROLOG).ok_or(SYNTAX)?;
    let mut pieces = Pieces::cut(document)?;
    let table = rows(Platform::MacOs);
    let mut named = Vec::with_capacity(32);
    let mut near = 0;
    pieces.expect("plist version=\"1.0\"")?;
    if !pieces.accept("dict/")? {
        pieces.expect("dict")?;
        while !pieces.accept("/dict")? {
            let key = pieces.text("key")?;
            let place = place(table, near, |row| row.name == key);
            near = place.unwrap_or(near);
            let mut value = value(&mut pieces)?;
            if let Value::Data(text) = &mut value {
                // The white space of 0.1 is dropped first.
                if text.contains([' ', '\t', '\n', '\r']) {
                    text.to_mut().retain(|character| !" \t\n\r".contains(character));
                }
            }
            named.push((place, value));
        }
    }
    pieces.expect("/plist")?;
    pieces.end()?;
    Fields::named(Platform::MacOs, named)
}

fn value<'a>(pieces: &mut Pieces<'a>) -> Result<Value<'a>, Refusal> {
    let tag = pieces.tag();
    match tag.strip_suffix('/').unwrap_or(tag) {
        "string" => pieces.text("string").map(Value::Text),
        "integer" => pieces.text("integer").map(Value::Number),
        "data" => pieces.text("data").map(Value::Data),
        "date" => pieces.text("date").map(Value::Date),
        "true" => pieces.nothing("true").map(|()| Value::Boolean(true)),
        "false" => pieces.nothing("false").map(|()| Value::Boolean(false)),
        "array" => {
            let mut elements = Vec::new();
            if !pieces.accept("array/")? {
                pieces.expect("array")?;
                while !pieces.accept("/array")? {
                    elements.push(Value::Text(pieces.text("string")?));
                }
            }
            Ok(Value::List(elements))
        }
        _ => Err(SYNTAX),
    }
}

pub(super) fn conflicts(fields: &Fields<'_>) -> Result<(), Refusal> {
    if fields.get("OnBattery") == Some(&Value::Boolean(true)) && fields.get("BatteryPercent").is_none() {
        return Err(refusal("E_CONFLICT", "BatteryPercent"));
    }
    let mut version = fields.text("OSVersion").split('.').filter_map(|number| number.parse::<u32>().ok());
    let (major, minor) = (version.next().unwrap_or_default(), version.next().unwrap_or_default());
    let train = match major {
        10 => minor + 4,
        11..=15 => major + 9,
        _ => major - 1,
    };
    if fields.text("BuildVersion").starts_with(&train.to_string()) {
        Ok(())
    } else {
        Err(refusal("E_CONFLICT", "BuildVersion"))
    }
}
