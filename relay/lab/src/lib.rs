//! A whole relay on loopback in one process.
