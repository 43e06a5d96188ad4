//! Files of certificates (PEM, DER, PKCS#7) hold what a second reader finds in them, and are the same in every encoding.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(CERTIFICATE_FILES);
