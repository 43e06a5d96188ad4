//! A trust store is read as its second reader reads it, line by line, and written as it was read.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(TRUST_STORE_LINES);
