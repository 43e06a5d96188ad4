//! Android bodies: the same.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(ANDROID_SPECIFICATION);
