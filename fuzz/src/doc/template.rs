//! Bodies without a field, to be filled.

use super::{Document, Platform};

/// The two lines that a property list begins with.
pub const PLIST_PROLOG: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n",
);
const PLIST: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
    "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n",
    "<plist version=\"1.0\"><dict></dict></plist>",
);
/// What a SyncML body begins with.
pub const SYNCML_PROLOG: &str = "<?xml version=\"1.0\" encoding=\"utf-8\"?>";
const SYNCML: &str = concat!(
    "<?xml version=\"1.0\" encoding=\"utf-8\"?><SyncML xmlns=\"SYNCML:SYNCML1.2\"><SyncHdr><VerDTD>1.2</VerDTD>",
    "<VerProto>DM/1.2</VerProto><SessionID></SessionID><MsgID></MsgID><Target><LocURI></LocURI></Target>",
    "<Source><LocURI></LocURI></Source><Cred><Meta><Format xmlns=\"syncml:metinf\">b64</Format>",
    "<Type xmlns=\"syncml:metinf\">syncml:auth-basic</Type></Meta><Data></Data></Cred></SyncHdr><SyncBody><Alert>",
    "<CmdID>1</CmdID><Data>1201</Data></Alert><Replace><CmdID>2</CmdID></Replace><Final/></SyncBody></SyncML>",
);

/// A body of this format with all that is constant and no field (a SyncML header's fields are there and empty).
#[must_use]
pub fn blank(platform: Platform) -> Document<'static> {
    let body = match platform {
        Platform::Windows => "\0\0",
        Platform::MacOs => PLIST,
        Platform::Linux => "EDGE-AGENT/1 \nEND\n",
        Platform::Ios => "{}",
        Platform::Android => "",
        Platform::WindowsPhone => SYNCML,
    };
    let mut document = Document::decode(platform, body.as_bytes());
    if platform == Platform::Android {
        document.fields.clear();
    }
    document
}
