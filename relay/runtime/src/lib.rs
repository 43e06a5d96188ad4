//! The I/O side shared by edge and backend.
