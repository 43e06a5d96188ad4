//! Fields of the two XML formats, found by their tags.

use std::ops::Range;

use super::FieldSpan;

/// Where `pattern` stands in `body` from `from` on.
fn find(body: &[u8], pattern: &str, from: usize) -> Option<usize> {
    let found = body.get(from..)?.windows(pattern.len().max(1)).position(|window| window == pattern.as_bytes())?;
    Some(from + found)
}

/// The text between the first `open` at or behind `from` and the next `close`.
fn between(body: &[u8], open: &str, close: &str, from: usize) -> Option<Range<usize>> {
    let start = find(body, open, from)? + open.len();
    Some(start..find(body, close, start)?)
}

fn span(body: &[u8], name: &str, range: Range<usize>) -> FieldSpan {
    let value = unescape(&String::from_utf8_lossy(&body[range.clone()]));
    FieldSpan::new(name, range, value)
}

/// The keys of a property list and their values; an array gives one field per string, `true` and `false` give their tag.
pub(super) fn property_list(body: &[u8]) -> Vec<FieldSpan> {
    let mut fields = Vec::new();
    let mut at = 0;
    while let Some(key) = between(body, "<key>", "</key>", at) {
        let name = String::from_utf8_lossy(&body[key.clone()]).into_owned();
        let behind = key.end + "</key>".len();
        let end = find(body, "<key>", behind).unwrap_or(body.len());
        at = end.max(behind);
        let part = &body[..end];
        if let Some(array) = between(part, "<array>", "</array>", behind) {
            let mut inside = array.start;
            while let Some(item) = between(&part[..array.end], "<string>", "</string>", inside) {
                inside = item.end;
                fields.push(span(body, &name, item));
            }
            continue;
        }
        let value = ["string", "integer", "data", "date"]
            .into_iter()
            .find_map(|element| between(part, &format!("<{element}>"), &format!("</{element}>"), behind));
        let flag =
            || ["<true/>", "<false/>"].into_iter().find_map(|tag| find(part, tag, behind).map(|at| at..at + tag.len()));
        if let Some(range) = value {
            fields.push(span(body, &name, range));
        } else if let Some(range) = flag() {
            let shown = if body[range.clone()].starts_with(b"<true") { "true" } else { "false" };
            fields.push(FieldSpan::new(name, range, shown));
        }
    }
    fields
}

/// A new value where a property list has `old`: a flag stays an element, all else is text.
pub(super) fn plist_value(old: &[u8], text: &str) -> Vec<u8> {
    if old.starts_with(b"<") && matches!(text, "true" | "false") {
        return format!("<{text}/>").into_bytes();
    }
    escape(text).into_bytes()
}

/// The header fields of a SyncML message and its items by their LocURI.
pub(super) fn sync_ml(body: &[u8]) -> Vec<FieldSpan> {
    let mut fields = Vec::new();
    for (name, open, close) in [
        ("SessionID", "<SessionID>", "</SessionID>"),
        ("MsgID", "<MsgID>", "</MsgID>"),
        ("Target", "<Target><LocURI>", "</LocURI>"),
        ("Source", "<Source><LocURI>", "</LocURI>"),
    ] {
        if let Some(range) = between(body, open, close, 0) {
            fields.push(span(body, name, range));
        }
    }
    let credentials = find(body, "<Cred>", 0).and_then(|at| between(body, "<Data>", "</Data>", at));
    fields.extend(credentials.map(|range| span(body, "Cred", range)));
    let mut at = 0;
    while let Some(item) = between(body, "<Item>", "</Item>", at) {
        at = item.end;
        let part = &body[..item.end];
        let name = between(part, "<LocURI>", "</LocURI>", item.start);
        let value = between(part, "<Data>", "</Data>", item.start);
        if let (Some(name), Some(value)) = (name, value) {
            fields.push(span(body, &String::from_utf8_lossy(&body[name]), value));
        }
    }
    fields
}

/// Text as XML writes it.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'").replace("&amp;", "&")
}
