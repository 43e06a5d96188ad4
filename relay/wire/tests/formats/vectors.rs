//! Every example of FORMATS gives the verdict that stands there; what passes survives emission and the canonical encoding.

use relay_wire::{Platform, Validator, canonical};

use crate::examples::{self, check};

/// Each platform's examples: three valid, five invalid.
const EXAMPLES: usize = 8;

#[test]
fn verdicts() {
    for platform in Platform::ALL {
        let vectors = examples::of(platform);
        assert_eq!(vectors.len(), EXAMPLES, "{platform}");
        for vector in vectors {
            let verdict = check(vector.platform, &vector.body).err().map(|rejection| rejection.code);
            assert_eq!(verdict, vector.code, "{}", vector.name);
        }
    }
}

/// The examples are written as our emitters write, so emission gives the very bytes back.
#[test]
fn emission() {
    for platform in Platform::ALL {
        for vector in examples::of(platform).into_iter().filter(|vector| vector.code.is_none()) {
            let request = check(platform, &vector.body).expect("a valid example");
            let emitted = request.to_body();
            assert_eq!(String::from_utf8_lossy(&emitted), String::from_utf8_lossy(&vector.body), "{}", vector.name);
            assert_eq!(emitted, vector.body, "{}", vector.name);
        }
    }
}

/// The canonical encoding is what proofs are made over: its bytes are as fixed as the formats'.
#[test]
fn canonical_encoding() {
    for platform in Platform::ALL {
        for example in ["V1", "V2", "V3"] {
            let request = check(platform, &examples::body(platform, example)).expect("a valid example");
            let encoded = canonical::encode(&request).expect("within limits");
            if std::env::var_os("SALLYPORT_WRITE_VECTORS").is_some() {
                examples::write_canonical(platform, example, &encoded);
            }
            assert_eq!(encoded, examples::canonical(platform, example), "{platform} {example}");
            assert_eq!(canonical::decode(&encoded).as_ref(), Ok(&request), "{platform} {example}");
            assert_eq!(*Validator::default().check_canonical(&encoded).expect("checked again"), request);
        }
    }
}
