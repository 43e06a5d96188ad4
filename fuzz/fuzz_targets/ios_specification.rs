//! iOS bodies: the same.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(IOS_SPECIFICATION);
