//! The control connection, both sides, against a reference model.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(CONTROL_SESSION);
