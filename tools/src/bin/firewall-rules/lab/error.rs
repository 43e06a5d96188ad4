//! What can end a run of the lab before it has a result.

use std::io;

use thiserror::Error;

/// What an environment must give.
pub const CAPABILITIES: &str = "The lab needs root with the capabilities CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW, as a \
    virtual machine or a privileged container has; `docker run --privileged` gives them";

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

    /// A failure that the next try will have too, because of where it was tried; other errors stay what they are.
    pub fn unsupported(self, because: &str) -> Self {
        match self {
            Self::Failed { action, reason } => {
                Self::Unsupported(format!("{because} (cannot {action}: {reason}). {CAPABILITIES}"))
            }
            Self::Missing(_) | Self::Unsupported(_) | Self::Stopped => self,
        }
    }

    /// For `map_err`: what was tried.
    pub fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::failed(action, error)
    }
}
