use std::collections::BTreeMap;

use super::*;
use crate::targets::CERTIFICATE_VIEWS;

#[test]
fn seeds_hold_and_are_what_the_page_beside_them_says() {
    for seed in seeds() {
        crate::run::judge(&CERTIFICATE_VIEWS, &seed).unwrap_or_else(|(class, detail)| panic!("{class}: {detail}"));
    }
    let readable = |der: &[u8]| fingerprints(der).is_ok();
    assert!(!readable(seeds::VERSION1) && !readable(seeds::CRITICAL));
    let p256 = |der| peer_spki(der).is_ok_and(|spki| view::is_p256(&spki));
    assert!([seeds::SERVER, seeds::DEVICE, seeds::ISSUED, seeds::ODD].into_iter().all(p256));
    assert!(![seeds::COMPRESSED, seeds::P384, seeds::ED25519, seeds::RSA2048].into_iter().any(p256));
    assert_eq!(P256_SIZE, seeds::P256_SPKI.len());
}

const P256_SIZE: usize = 91;

#[test]
fn a_tree_is_written_as_it_was_read() {
    for der in seeds::ALL {
        let nodes = tree::read(der).expect("DER");
        assert_eq!(tree::write(&nodes), *der);
        assert!(tree::count(&nodes) > 25);
    }
}

#[test]
fn mutants_hold_and_many_are_certificates() {
    let seeds = seeds();
    let mut chance = fastrand::Rng::with_seed(1);
    let mut classes = BTreeMap::new();
    let mut readable = 0;
    let mut data = Vec::new();
    for round in 0..20_000 {
        // Steps away from a seed, as a corpus would take them.
        if round % 4 == 0 {
            data.clone_from(chance.choice(&seeds).expect("a seed"));
        }
        data = mutate(&data, 4096, &mut chance).unwrap_or(data);
        assert!(data.len() <= 4096);
        readable += usize::from(fingerprints(&data).is_ok());
        if let Err((class, detail)) = crate::run::judge(&CERTIFICATE_VIEWS, &data) {
            classes.entry(class).or_insert((detail, data.clone()));
        }
    }
    for (class, (detail, data)) in &classes {
        eprintln!("{class}\n  {detail}\n  {}", data_encoding::HEXLOWER.encode(data));
    }
    assert!(classes.is_empty());
    assert!(readable > 2_000, "{readable}");
}
