//! An edge's configuration: parsed, printed and parsed again it is the same; a mistake is a list of problems, never a panic.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(EDGE_CONFIG);
