//! FORMATS §6: SyncML.

use std::fmt::Write as _;

use data_encoding::BASE64;

use super::{
    Platform, Refusal, Value,
    fields::Fields,
    refusal,
    row::place,
    rows,
    tables::windows_phone::HEADERS,
    xml::{self, Pieces, SYNTAX},
};

pub(super) fn fields(body: &[u8]) -> Result<Fields<'_>, Refusal> {
    let document = xml::decoded(body)?.strip_prefix("<?xml version=\"1.0\" encoding=\"utf-8\"?>").ok_or(SYNTAX)?;
    let mut pieces = Pieces::cut(document)?;
    let mut named = Vec::with_capacity(32);
    let mut header = |text| named.push((Some(named.len()), Value::Text(text)));
    pieces.expect("SyncML xmlns=\"SYNCML:SYNCML1.2\"")?;
    pieces.expect("SyncHdr")?;
    pieces.constant("VerDTD", "1.2")?;
    pieces.constant("VerProto", "DM/1.2")?;
    header(pieces.text("SessionID")?);
    header(pieces.text("MsgID")?);
    for name in ["Target", "Source"] {
        pieces.expect(name)?;
        header(pieces.text("LocURI")?);
        pieces.expect(&format!("/{name}"))?;
    }
    pieces.expect("Cred")?;
    pieces.expect("Meta")?;
    pieces.constant("Format xmlns=\"syncml:metinf\"", "b64")?;
    pieces.constant("Type xmlns=\"syncml:metinf\"", "syncml:auth-basic")?;
    pieces.expect("/Meta")?;
    header(pieces.text("Data")?);
    pieces.expect("/Cred")?;
    pieces.expect("/SyncHdr")?;
    pieces.expect("SyncBody")?;
    pieces.expect("Alert")?;
    pieces.constant("CmdID", "1")?;
    pieces.constant("Data", "1201")?;
    pieces.expect("/Alert")?;
    pieces.expect("Replace")?;
    pieces.constant("CmdID", "2")?;
    let items = &rows(Platform::WindowsPhone)[HEADERS..];
    let mut near = 0;
    while !pieces.accept("/Replace")? {
        pieces.expect("Item")?;
        pieces.expect("Source")?;
        let name = pieces.text("LocURI")?;
        pieces.expect("/Source")?;
        let data = pieces.text("Data")?;
        pieces.expect("/Item")?;
        let place = place(items, near, |row| row.name == name);
        near = place.unwrap_or(near);
        named.push((place.map(|place| HEADERS + place), Value::Text(data)));
    }
    pieces.nothing("Final")?;
    pieces.expect("/SyncBody")?;
    pieces.expect("/SyncML")?;
    pieces.end()?;
    Fields::named(Platform::WindowsPhone, named)
}

pub(super) fn conflicts(fields: &Fields<'_>) -> Result<(), Refusal> {
    let id = BASE64.decode(fields.text("./DevInfo/DevId").as_bytes()).unwrap_or_default();
    let mut source = "urn:wp:".to_owned();
    for byte in id {
        let _ = write!(source, "{byte:02X}");
    }
    if source != fields.text("Source") {
        return Err(refusal("E_CONFLICT", "./DevInfo/DevId"));
    }
    let charge = fields.text("./Edge/Power").strip_prefix("External:").and_then(|charge| charge.parse::<u8>().ok());
    let strong =
        charge.is_some_and(|charge| charge >= 90) && matches!(fields.text("./Edge/Net"), "Wireless80211" | "Ethernet");
    if fields.text("./Edge/Agent") == "ResourceIntensive" && !strong {
        return Err(refusal("E_CONFLICT", "./Edge/Agent"));
    }
    Ok(())
}
