//! Windows Phone bodies: the same.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(WP_SPECIFICATION);
