//! A backend against a hand-made edge: the sessions of relay-wire and the driver of relay-runtime, nothing else of the
//! project's edge. What the backend does on its sockets is what is tested.

mod harness;

mod master;
mod spares;
mod tunnels;
