//! The relay process beside an inside server, which only dials out.
