//! The Sallyport protocol without I/O.
//!
//! `relay/wire/SPEC.md` is the text; this crate is its code. Every module cites the sections it implements.
//!
//! Layers, from the bytes upwards:
//!
//! 1. [`codec`]: a reader and a writer over slices. Lengths are checked before anything is allocated.
//! 2. [`frame`]: what travels between device and edge, and between edge and backend.
//! 3. [`request`]: the abstract request and its six platform formats, parsed and emitted.
//! 4. [`validator`]: the only maker of a [`Checked`] request.
//! 5. [`session`]: device, control and data connections as state machines.
//!
//! There is no socket, clock, thread, environment or randomness here: the crate is `no_std`, time and random bytes are
//! inputs, and what happens comes out as values. Cryptography is an input too: a session asks its owner to check a proof.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod builtin;
pub mod canonical;
pub mod codec;
pub mod error;
pub mod frame;
pub mod grant;
pub mod ids;
pub mod limits;
pub mod proof;
pub mod request;
pub mod session;
pub mod time;
pub mod validator;

pub use error::{Code, Rejection};
pub use request::{Content, Operation, Platform, Profile, Proof, Request};
pub use validator::{Checked, Releases, Validator};
