//! The forms in which rules are written. Each writes the same rules; what one of them cannot say, its text says.

use clap::ValueEnum;

use crate::{
    error::Error,
    needs::Needs,
    network::Family,
    rules::{Direction, Place, Purpose, RuleSet},
};

mod aws;
mod azure;
mod firewalld;
mod iptables;
mod json;
mod kubernetes;
pub mod nftables;
mod table;
mod terraform;
mod ufw;
mod windows;

/// The forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A file for `nft -f`, for each place.
    Nftables,
    /// Files for `iptables-restore` and `ip6tables-restore`, for each place.
    Iptables,
    /// A shell script of `ufw` commands, for each place.
    Ufw,
    /// A shell script of `firewall-cmd` commands, for each place.
    Firewalld,
    /// A PowerShell script for the edge host.
    Windows,
    /// Security groups, as Terraform's HCL.
    AwsTerraform,
    /// Network security groups, as Terraform's HCL.
    AzureTerraform,
    /// NetworkPolicies.
    Kubernetes,
    /// A table for people.
    Table,
    /// The rules as data.
    Json,
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// Writes rule sets.
///
/// # Errors
/// [`Error::Usage`] where the form has no means for any of the places.
pub fn render(format: Format, needs: &Needs, sets: &[RuleSet]) -> Result<Vec<Document>, Error> {
    Ok(match format {
        Format::Nftables => sets.iter().map(nftables::render).collect(),
        Format::Iptables => sets.iter().flat_map(iptables::render).collect(),
        Format::Ufw => sets.iter().map(ufw::render).collect(),
        Format::Firewalld => sets.iter().map(firewalld::render).collect(),
        Format::Windows => windows::render(sets)?,
        Format::AwsTerraform => vec![aws::render(sets)],
        Format::AzureTerraform => vec![azure::render(sets)],
        Format::Kubernetes => vec![kubernetes::render(sets)],
        Format::Table => vec![table::render(sets)],
        Format::Json => vec![json::render(needs, sets)?],
    })
}

/// Files one behind the other. Of several, each begins with its name in a comment.
pub fn joined(documents: &[Document]) -> String {
    match documents {
        [only] => only.text.clone(),
        several => {
            let texts = several.iter().map(|document| format!("# ===== {} =====\n{}", document.name, document.text));
            texts.collect::<Vec<_>>().join("\n")
        }
    }
}

/// What every file says of itself, line by line.
pub fn preamble(set: &RuleSet) -> Vec<String> {
    let has = |purpose: Purpose| set.rules.iter().any(|rule| rule.purpose == purpose);
    let optional = if has(Purpose::Administration) { ", and what is marked optional" } else { "" };
    let scope = match set.place {
        Place::Firewall1 => format!(
            "Only the inside opens connections, to the edge's port{optional}. Everything else that would pass is dropped."
        ),
        Place::Firewall2 => {
            let time = if has(Purpose::TimeSync) { "; the edge host asks for the time" } else { "" };
            format!(
                "Only devices open connections, to the edge's port{time}. Everything else that would pass is dropped."
            )
        }
        Place::EdgeHost(_) => {
            let none = if has(Purpose::TimeSync) { "none but for the time" } else { "none" };
            format!("Others connect to the edge's port{optional}; this host opens {none}. Everything else is dropped.")
        }
    };
    let mut lines = vec![format!("Sallyport: {}.", set.place.title()), scope];
    if matches!(set.place, Place::EdgeHost(_)) && !has(Purpose::Administration) {
        lines.push("That ends log-in over the network too; --ssh-from NETWORK would allow it.".to_owned());
    }
    for family in Family::ALL.into_iter().filter(|family| !set.families.contains(family)) {
        lines.push(format!("No edge here has an {family} address: {family} is dropped altogether."));
    }
    lines
}

/// The preamble as comments that begin with `#`.
fn header(set: &RuleSet) -> String {
    preamble(set).iter().map(|line| format!("# {line}\n")).collect()
}

/// The chains that a place has rules in.
const fn directions(place: &Place) -> &'static [Direction] {
    match place {
        Place::Firewall1 | Place::Firewall2 => &[Direction::Forward],
        Place::EdgeHost(_) => &[Direction::Input, Direction::Output],
    }
}
