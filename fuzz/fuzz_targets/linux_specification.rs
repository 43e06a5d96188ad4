//! Linux bodies: the same.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(LINUX_SPECIFICATION);
