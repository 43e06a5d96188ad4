//! A canonical encoding is refused, or decodes to a request that its platform's format accepts with the same meaning, and encodes to the same bytes.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(CANONICAL_AGREEMENT);
