//! The device connection, both sides, against a reference model: any sequence of inputs, commands and times.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(DEVICE_SESSION);
