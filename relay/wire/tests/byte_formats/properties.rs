//! What holds for every request, and for every body made from one.

use proptest::{prelude::*, sample::Index, test_runner::RngSeed};
use relay_wire::{Platform, Validator, canonical};

use crate::generators;

/// A body that passes is the one body of what it says; one that does not is refused without a panic.
fn assert_canonical_bytes(platform: Platform, body: &[u8]) -> Result<(), TestCaseError> {
    let Ok(checked) = Validator::default().check(platform, body) else { return Ok(()) };
    prop_assert_eq!(checked.to_body(), body);
    let encoded = canonical::encode(&checked).expect("within limits");
    prop_assert_eq!(Validator::default().check_canonical(&encoded), Ok(checked));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    /// FORMATS §0: what we emit passes, and means what was meant.
    #[test]
    fn a_request_survives_its_body(request in generators::request()) {
        let body = request.to_body();
        let checked = Validator::default().check(request.platform(), &body);
        prop_assert_eq!(checked.as_deref(), Ok(&request));
    }

    /// SPEC §5.3: what crosses the DMZ is judged on the other side as it was on this one.
    #[test]
    fn a_request_survives_the_canonical_encoding(request in generators::request()) {
        let encoded = canonical::encode(&request).unwrap();
        prop_assert!(encoded.starts_with(&canonical::encode_content(&request.content).unwrap()));
        let decoded = canonical::decode(&encoded);
        prop_assert_eq!(decoded.as_ref(), Ok(&request));
        let checked = Validator::default().check(request.platform(), &request.to_body());
        prop_assert_eq!(Validator::default().check_canonical(&encoded), checked);
    }

    #[test]
    fn a_body_cut_short(request in generators::request(), at: Index) {
        let body = request.to_body();
        let end = at.index(body.len());
        assert_canonical_bytes(request.platform(), &body[..end])?;
        if request.platform() != Platform::Android {
            prop_assert!(Validator::default().check(request.platform(), &body[..end]).is_err());
        }
    }

    #[test]
    fn a_body_with_another_byte(request in generators::request(), at: Index, byte: u8) {
        let mut body = request.to_body();
        let at = at.index(body.len());
        body[at] = byte;
        assert_canonical_bytes(request.platform(), &body)?;
    }

    #[test]
    fn a_body_for_another_platform(request in generators::request()) {
        let body = request.to_body();
        for platform in Platform::ALL.into_iter().filter(|platform| *platform != request.platform()) {
            prop_assert!(Validator::default().check(platform, &body).is_err());
        }
    }

    /// SPEC §5.3: an encoding that decodes is the one encoding of what it says, and cut short it is none.
    #[test]
    fn an_encoding_with_another_byte(request in generators::request(), at: Index, byte: u8) {
        let mut encoded = canonical::encode(&request).unwrap();
        let at = at.index(encoded.len());
        prop_assert!(canonical::decode(&encoded[..at]).is_err());
        encoded[at] = byte;
        if let Ok(decoded) = canonical::decode(&encoded) {
            prop_assert_eq!(canonical::encode(&decoded).unwrap(), encoded.clone());
        }
        let _ = Validator::default().check_canonical(&encoded);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for platform in [Platform::Windows, Platform::Linux, Platform::Android] {
            assert_canonical_bytes(platform, &bytes)?;
        }
        let _ = canonical::decode(&bytes);
    }
}
