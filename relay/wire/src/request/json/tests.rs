//! Documents, strings, depth and repeated names.

use super::*;
use alloc::{format, vec};

fn read(text: &str) -> Result<bool, Rejection> {
    let mut reader = Reader::new(text);
    reader.document(|reader, _| reader.value().map(|_| ()))?;
    Ok(reader.repeats())
}

fn string(text: &str) -> Result<String, Rejection> {
    match Reader::new(text).value()? {
        Value::Text(text) => Ok(text.resolve().into_owned()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Object => Err(SYNTAX),
    }
}

#[test]
fn body_bytes() {
    assert!(text("a\u{FEFF}\0\u{FFFF}".as_bytes()).is_ok());
    for bad in [&b"\xEF\xBB\xBF{}"[..], b"\xC0\x80", b"\xED\xA0\x80", b"\xFF"] {
        assert_eq!(text(bad).map_err(|r| r.code), Err(Code::Encoding));
    }
}

#[test]
fn documents() {
    for good in [
        "{}",
        " \t\r\n{ \n } ",
        r#"{"":0}"#,
        r#"{"a":[],"b":[ 1 , "x" ,null,true,false,{}],"c":{"d":-0.0e+0}}"#,
        r#"{"a":1E5,"b":1e-05,"c":0.00,"d":-12}"#,
        "{\"a\":\"\u{7F}\u{2028}\"}",
    ] {
        assert_eq!(read(good), Ok(false), "{good:?}");
    }
    let bad = [
        "",
        " ",
        "[]",
        "1",
        "\"a\"",
        "null",
        "{",
        "}",
        "{}{}",
        "{} x",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        r#"{"a":1 "b":2}"#,
        r#"{a:1}"#,
        r#"{'a':1}"#,
        r#"{"a":01}"#,
        r#"{"a":+1}"#,
        r#"{"a":.5}"#,
        r#"{"a":1.}"#,
        r#"{"a":1e}"#,
        r#"{"a":-}"#,
        r#"{"a":1e+}"#,
        r#"{"a":--1}"#,
        r#"{"a":0x1}"#,
        r#"{"a":NaN}"#,
        r#"{"a":Infinity}"#,
        r#"{"a":nul}"#,
        r#"{"a":True}"#,
        r#"{"a":truex}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":[,1]}"#,
        r#"{"a":[1 2]}"#,
        r#"{"a":[1}"#,
        r#"{"a":"x}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\u12"}"#,
        r#"{"a":"\u+123"}"#,
        r#"{"a":"\"#,
        "{\"a\":\"\n\"}",
        "{\"a\":\"\0\"}",
        "{\"a\":1}\u{A0}",
        "\u{B}{}",
        "{\"a\":1/**/}",
        "{\"a\tb\":1}",
        "\0{}",
    ];
    for bad in bad {
        assert_eq!(read(bad), Err(SYNTAX), "{bad:?}");
    }
}

#[test]
fn strings() {
    for (written, resolved) in [
        (r#""""#, ""),
        (r#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
        (r#""\u00e9\u00E9\u0000x\uFFFF""#, "éé\0x\u{FFFF}"),
        (r#""\ud83d\udcf1!\uD800\uDC00\uDBFF\uDFFF""#, "📱!\u{10000}\u{10FFFF}"),
        ("\"é📱\u{FEFF}\"", "é📱\u{FEFF}"),
    ] {
        assert_eq!(string(written).as_deref(), Ok(resolved), "{written}");
    }
    for bad in [
        r#""\ud83d""#,
        r#""\ud83d\ud83d""#,
        r#""\udcf1""#,
        r#""\ud83dx""#,
        r#""\ud83d\n""#,
        r#""\ud83d\u0041""#,
        r#""\udcf1\ud83d""#,
        r#""\ud83d\u""#,
    ] {
        assert_eq!(string(bad), Err(SYNTAX), "{bad}");
    }
}

#[test]
fn depth() {
    let nested =
        |open: &str, close: &str, levels: usize| format!("{{\"a\":{}0{}}}", open.repeat(levels), close.repeat(levels));
    assert_eq!(read(&nested("[", "]", 7)), Ok(false));
    assert_eq!(read(&nested("[", "]", 8)), Err(SYNTAX));
    assert_eq!(read(&nested("{\"b\":", "}", 7)), Ok(false));
    assert_eq!(read(&nested("{\"b\":", "}", 8)), Err(SYNTAX));
    assert_eq!(read(&"[".repeat(16_384)), Err(SYNTAX));
    assert_eq!(read(&format!("{{\"a\":{}0", "[".repeat(16_000))), Err(SYNTAX));
    let wide = format!("{{\"a\":[{}[[]]]}}", "[[]],".repeat(3_000));
    assert_eq!(read(&wide), Ok(false));
}

#[test]
fn repeated_names_in_skipped_objects() {
    for (text, repeats) in [
        (r#"{"a":{"b":1,"c":2}}"#, false),
        (r#"{"a":{"b":1,"b":2}}"#, true),
        (r#"{"a":{"b":1,"\u0062":2}}"#, true),
        (r#"{"a":{"b":{"b":1},"c":{"b":2}}}"#, false),
        (r#"{"a":[[{"b":1,"c":0,"b":2}]]}"#, true),
        (r#"{"a":{"":1,"":2}}"#, true),
        (r#"{"a":{"b":{"c":1},"d":[{"c":2},{"c":3}],"e":1}}"#, false),
        (r#"{"a":{"📱":1,"\ud83d\udcf1":2}}"#, true),
        (r#"{"a":{"e\u0301":1,"é":2}}"#, false),
    ] {
        assert_eq!(read(text), Ok(repeats), "{text}");
    }
    let many: String = (0..1_500).map(|n| format!("\"{n:x}\":0,")).collect();
    assert_eq!(read(&format!("{{\"a\":{{{many}\"z\":0}}}}")), Ok(false));
    assert_eq!(read(&format!("{{\"a\":{{{many}\"0\":0}}}}")), Ok(true));
}

#[test]
fn elements() {
    let Ok(Value::List(list)) = Reader::new(r#"[ 1 ,"a,]" , [2,[3]],{"b":4},null ]"#).value() else { panic!("a list") };
    let kinds: Vec<String> = list.elements().map(|value| format!("{value:?}").chars().take(4).collect()).collect();
    assert_eq!(kinds, vec!["Numb", "Text", "List", "Obje", "Null"]);
    let Ok(Value::List(list)) = Reader::new("[ \n ]").value() else { panic!("a list") };
    assert_eq!(list.elements().count(), 0);
}

#[test]
fn written_strings_are_read_back() {
    let value = "\"\\/\0\u{1F}\u{7F}é📱";
    let mut body = vec![];
    push_string(&mut body, value.as_bytes());
    assert_eq!(string(text(&body).unwrap()).as_deref(), Ok(value));
}
