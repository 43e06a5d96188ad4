//! stub
use relay_wire::ids::ServiceName;
use std::{fmt, net::SocketAddr, str::FromStr};
/// A forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// l
    pub listen: SocketAddr,
    /// s
    pub service: ServiceName,
}
impl FromStr for Forward {
    type Err = String;
    fn from_str(_t: &str) -> Result<Self, String> {
        Err("x".into())
    }
}
/// run
pub fn run(_a: crate::cli::ConnectArgs) -> Result<(), crate::Error> {
    Ok(())
}
