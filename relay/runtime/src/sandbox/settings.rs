//! What a configuration says of a sandbox: `sandbox` and `user`.

use std::{fmt, str::FromStr};

use serde::Serialize;

use crate::config::Setting;

/// What happens where the kernel cannot give everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// The process does not start.
    Require,
    /// It takes what there is, and says what is missing.
    #[default]
    Prefer,
    /// Nothing is given up.
    Off,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Require => "require",
            Self::Prefer => "prefer",
            Self::Off => "off",
        })
    }
}

/// A word that is no [`Mode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a mode of the sandbox")]
pub struct UnknownMode;

impl FromStr for Mode {
    type Err = UnknownMode;
    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        match text {
            "require" => Ok(Self::Require),
            "prefer" => Ok(Self::Prefer),
            "off" => Ok(Self::Off),
            _ => Err(UnknownMode),
        }
    }
}

impl Setting for Mode {
    const REMEDY: &'static str = "write \"require\", \"prefer\" or \"off\"";
}

/// The name of an account of this machine: 1 to 32 bytes, none of which would end it in the file of users.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct UserName(String);

impl UserName {
    /// The longest name that Linux takes, in bytes (`utmp` keeps no more).
    pub const BYTES_MAX: usize = 32;

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Why this machine has no such account that a process can become, and what to do; for `check`, before a start finds it out.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        #[cfg(target_os = "linux")]
        return super::identity::find(self).err().map(|error| error.to_string());
        #[cfg(not(target_os = "linux"))]
        return None;
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no [`UserName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of an account")]
pub struct UserNameError;

impl FromStr for UserName {
    type Err = UserNameError;
    fn from_str(text: &str) -> Result<Self, UserNameError> {
        let ends_a_name =
            |character: char| ":/,".contains(character) || character.is_whitespace() || character.is_control();
        if text.is_empty() || text.len() > Self::BYTES_MAX || text.contains(ends_a_name) {
            return Err(UserNameError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl Setting for UserName {
    const REMEDY: &'static str = "name an account of this machine, for example \"sallyport\", or leave it out";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_read_as_it_is_written() {
        for mode in [Mode::Require, Mode::Prefer, Mode::Off] {
            assert_eq!(mode.to_string().parse(), Ok(mode));
        }
        assert_eq!("on".parse::<Mode>(), Err(UnknownMode));
        assert_eq!(Mode::default(), Mode::Prefer);
    }

    #[test]
    fn what_would_end_a_name_is_in_none() {
        assert_eq!("sallyport".parse::<UserName>().map(|user| user.to_string()), Ok("sallyport".to_owned()));
        if cfg!(target_os = "linux") {
            let trouble = "no-such-user-here".parse::<UserName>().unwrap().trouble().unwrap_or_default();
            assert!(trouble.contains("useradd"), "{trouble}");
        }
        for text in ["", "a:b", "a b", "a\n", "../x", &"u".repeat(33)] {
            assert_eq!(text.parse::<UserName>(), Err(UserNameError), "{text:?}");
        }
    }
}
