//! A backend's configuration: the same.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(BACKEND_CONFIG);
