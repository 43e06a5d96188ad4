//! Integration tests, tidy tests, benchmarks.
