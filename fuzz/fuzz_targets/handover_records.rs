//! From TLS to raw: whatever the records and however they are cut, not one byte behind the last record is taken.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(HANDOVER_RECORDS);
