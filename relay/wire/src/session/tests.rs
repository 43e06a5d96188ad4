//! The machines joined together on a virtual clock, and each by itself.

mod describe;
mod harness;
mod samples;
mod trio;
