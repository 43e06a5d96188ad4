//! Pins, certificates, verifiers, proofs.
