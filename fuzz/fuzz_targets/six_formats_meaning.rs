//! One abstract request, written in six formats by writers of our own, is accepted six times with one meaning; with one rule broken it is refused by all that carry the rule, with its code.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(SIX_FORMATS_MEANING);
