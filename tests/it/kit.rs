//! What the tests of trust share: a site of real parts that can be looked into, a log per test, and a captured edge.

pub mod captured;
pub mod log;
pub mod middle;
pub mod site;

use std::time::Duration;

use tokio::time::timeout;

/// Longer than anything here takes on a busy machine; a test that waits for it has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for what must happen soon.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("it takes too long")
}
