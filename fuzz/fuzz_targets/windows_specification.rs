//! Windows bodies: the validator and the specification oracle give the same verdict, code and meaning; what is accepted survives its own format and the canonical encoding; memory stays within its bound.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(WINDOWS_SPECIFICATION);
