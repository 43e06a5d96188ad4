//! Whether a pin names the server's own certificate. Compared whole, on that certificate alone.

use relay_trust::{Pin, PinKind, PinSet};

use super::{Answer, Finding};
use crate::{codes::Code, evidence::Chain};

pub fn judge(chain: &Chain, pins: Option<&PinSet>) -> Answer {
    let Some(pins) = pins else {
        return Finding::not_asked(Code::PIN_NOT_ASKED, "no pin was given").into();
    };
    let presented = chain.leaf.fingerprints;
    match pins.iter().find(|pin| pin.matches_fingerprints(&presented)) {
        Some(pin) => Finding::ok(Code::PIN_MATCH, format!("{pin} names it")).into(),
        None => mismatch(chain, pins).into(),
    }
}

fn mismatch(chain: &Chain, pins: &PinSet) -> Finding {
    let presented = chain.leaf.fingerprints;
    let (leaf, spki) = (Pin::new(PinKind::Leaf, presented.leaf), Pin::new(PinKind::Spki, presented.spki));
    let count = pins.iter().count();
    let which =
        if count == 1 { "the pin does not name it".to_owned() } else { format!("none of {count} pins names it") };
    Finding::fail(
        Code::PIN_MISMATCH,
        format!("{which}: it is {leaf} and {spki}"),
        "if the certificate was replaced on purpose, deploy the new pin; otherwise somebody is in between",
    )
}
