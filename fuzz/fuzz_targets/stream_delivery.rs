//! A stream of frames gives the same events whole, byte by byte and cut anywhere, in every session.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(STREAM_DELIVERY);
