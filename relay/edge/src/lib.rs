//! The edge: the one server in the DMZ, which never dials.
