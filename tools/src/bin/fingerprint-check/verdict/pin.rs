//! Whether a pin names the server's own certificate. Compared whole, on that certificate alone.

use relay_trust::{Pin, PinKind};

use super::{Answer, Finding, NamedRoots};
use crate::{
    codes::Code,
    evidence::{Certificate, Chain},
    pins::{Given, diagnose},
};

pub fn judge(chain: &Chain, pins: Option<&[Given]>, roots: &[NamedRoots]) -> Answer {
    let Some(pins) = pins else {
        return Finding::not_asked(Code::PIN_NOT_ASKED, "no pin was given").into();
    };
    let presented = chain.leaf.fingerprints;
    let matching = pins.iter().find_map(|given| match given {
        Given::Pin(pin) if pin.matches_fingerprints(&presented) => Some(pin),
        Given::Pin(_) | Given::Other { .. } => None,
    });
    match matching {
        Some(pin) => Finding::ok(Code::PIN_MATCH, format!("{pin} names it")).into(),
        None => mismatch(chain, pins, roots).into(),
    }
}

fn mismatch(chain: &Chain, pins: &[Given], roots: &[NamedRoots]) -> Finding {
    let presented = chain.leaf.fingerprints;
    let (leaf, spki) = (Pin::new(PinKind::Leaf, presented.leaf), Pin::new(PinKind::Spki, presented.spki));
    let which = if let [_] = pins {
        "the pin does not name it".to_owned()
    } else {
        format!("none of {} pins names it", pins.len())
    };
    let text = format!("{which}: it is {leaf} and {spki}");
    let named: Vec<Certificate> = roots.iter().flat_map(|set| set.named.iter().cloned()).collect();
    let other = "if the certificate was replaced on purpose, deploy the new pin; otherwise somebody is in between";
    let (text, remedy) = match pins.iter().find_map(|given| diagnose(given, chain, &named)) {
        Some(diagnosis) => (format!("{text}; {}", diagnosis.text), diagnosis.remedy),
        None => (text, None),
    };
    Finding::fail(Code::PIN_MISMATCH, text, remedy.unwrap_or_else(|| other.to_owned()))
}
