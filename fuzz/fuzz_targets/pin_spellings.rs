//! Every spelling of a pin gives the same pin; no other text gives one.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(PIN_SPELLINGS);
