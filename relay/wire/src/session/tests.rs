//! The machines joined together on a virtual clock, and each by itself.

mod control;
mod data;
mod describe;
mod device;
mod harness;
mod samples;
mod split;
mod transitions;
mod trio;
mod world;
