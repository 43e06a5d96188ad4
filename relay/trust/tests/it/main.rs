//! Real handshakes in memory, and files on disk: everything that `relay-trust` promises to the crates above it.

mod device_keys;
mod handshake;
mod identities;
mod limbo;
mod make;
mod profiles;
mod servers;
