//! What can end a run of the lab before it has a result.

use std::io;

use thiserror::Error;

/// Why there is no result. Each names its remedy.
#[derive(Debug, Error)]
pub enum LabError {
    /// Root, a program or a binary is missing; the user can put it right.
    #[error("{0}")]
    Missing(String),
    /// This environment cannot have namespaces or packet filters.
    #[error("{0}")]
    Unsupported(String),
    /// Something that should work did not.
    #[error("cannot {action}: {reason}")]
    Failed {
        /// What was tried.
        action: String,
        /// What came of it.
        reason: String,
    },
    /// A signal came.
    #[error("ended by a signal; what the lab had made is removed")]
    Stopped,
}

impl LabError {
    /// What was tried, and what came of it.
    pub fn failed(action: impl Into<String>, reason: impl ToString) -> Self {
        Self::Failed { action: action.into(), reason: reason.to_string() }
    }

    /// For `map_err`: what was tried.
    pub fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::failed(action, error)
    }
}
