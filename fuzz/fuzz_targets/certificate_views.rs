//! Our reader of a certificate and webpki's agree on key and names, or refuse.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(CERTIFICATE_VIEWS);
