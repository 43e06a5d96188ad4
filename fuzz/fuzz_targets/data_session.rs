//! The data connection, both sides, up to the hand-over, against a reference model.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(DATA_SESSION);
