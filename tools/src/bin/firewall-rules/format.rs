//! The forms in which rules are written.

use clap::ValueEnum;

use crate::{
    network::Family,
    rules::{Place, RuleSet},
};

pub mod nftables;

/// The forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A file for `nft -f`.
    Nftables,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// What every file says of itself, line by line.
pub fn preamble(set: &RuleSet) -> Vec<String> {
    let scope = match set.place {
        Place::Firewall1 => {
            "Only the inside opens connections, to the edge's port. Everything else that this router would pass on is dropped."
        }
        Place::Firewall2 => {
            "Only devices open connections, to the edge's port. Everything else that this router would pass on is dropped."
        }
        Place::EdgeHost(_) => {
            "Others connect to the edge's port; this host opens no connection. Everything else is dropped."
        }
    };
    let mut lines = vec![scope.to_owned()];
    for family in Family::ALL.into_iter().filter(|family| !set.families.contains(family)) {
        lines.push(format!("No edge here has an {family} address: {family} is dropped altogether."));
    }
    lines
}

/// Writes a rule set.
pub fn render(format: Format, set: &RuleSet) -> Vec<Document> {
    match format {
        Format::Nftables => vec![nftables::render(set)],
    }
}
