//! Every frame, grant and preface is refused, or means what the second decoder says and encodes to the same bytes.
#![cfg_attr(fuzzing, no_main)]

fuzz::target!(FRAMES_CANONICAL);
