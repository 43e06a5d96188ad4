//! Every code that a verdict can carry, in one table: what it means and what to do. `explain` prints it.

/// The name of a finding in reports. It never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(&'static str);

impl Code {
    /// As reports write it.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

/// What there is to say about a code.
#[derive(Debug, Clone, Copy)]
pub struct Explanation {
    /// The code.
    pub code: Code,
    /// One line.
    pub title: &'static str,
    /// What was seen, why it matters, and what to do.
    pub text: &'static str,
}

/// Names the codes and lists what there is to say about each, in one place, so that none is without an explanation.
macro_rules! codes {
    ($($name:ident = $text:literal, $title:literal, $explanation:literal;)*) => {
        impl Code {
            $(#[doc = $title] pub const $name: Code = Code($text);)*
        }

        /// All codes, in the order in which documents list them.
        pub const ALL: &[Explanation] = &[
            $(Explanation { code: Code::$name, title: $title, text: $explanation },)*
        ];
    };
}

codes! {
    PIN_MATCH = "FC-PIN-MATCH", "A pin names this certificate",
        "One of the pins given is the SHA-256 of the server's own certificate (leaf) or of its public key (SPKI).";
    PIN_MISMATCH = "FC-PIN-MISMATCH", "No pin names this certificate",
        "None of the pins given is the SHA-256 of the server's own certificate or of its public key. Every client that has \
         these pins halts. If the certificate was replaced on purpose, deploy the new pin; otherwise somebody is in between. \
         A pin of an issuer further up the chain does not count: whoever that issuer serves would pass.";
    PIN_NOT_ASKED = "FC-PIN-NOT-ASKED", "No pin was given",
        "Nothing was compared. Give --pin to find out whether clients that have that pin would connect.";
}

/// The explanation of a code, in either case.
pub fn find(code: &str) -> Option<&'static Explanation> {
    ALL.iter().find(|explanation| explanation.code.as_str().eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_of_one_form() {
        let unique: BTreeSet<&str> = ALL.iter().map(|explanation| explanation.code.as_str()).collect();
        assert_eq!(unique.len(), ALL.len());
        for explanation in ALL {
            let code = explanation.code.as_str();
            assert!(
                code.starts_with("FC-")
                    && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-')
            );
            assert!(explanation.text.ends_with('.') && !explanation.title.ends_with('.'), "{code}");
            assert!(find(&code.to_lowercase()).is_some());
        }
    }
}
