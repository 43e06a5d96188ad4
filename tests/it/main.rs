//! Integration tests: real processes and real peers, on loopback, ports from the system.
