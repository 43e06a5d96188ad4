//! macOS bodies: the same.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(MACOS_SPECIFICATION);
