//! Command-line tools around the relay.
