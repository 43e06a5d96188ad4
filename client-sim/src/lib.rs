//! Simulated and real devices: fleets, forwarder, single requests.
