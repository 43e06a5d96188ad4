//! Printing rules: what `firewall-rules` does without a command.

use std::{fs, path::PathBuf, str::FromStr};

use clap::Args;

use crate::{
    cli::{print, talk},
    error::Error,
    format::{self, Format},
    needs::{self, Name, Needs, Stated, arguments::NeedsArgs},
    rules::{self, Place, RuleSet},
};

/// The heading of options that do not say what must flow.
pub const OUTPUT: &str = "Output";

/// Options of printing rules.
#[derive(Debug, Args)]
pub struct PrintArgs {
    #[command(flatten)]
    needs: NeedsArgs,
    /// The form of the rules.
    #[arg(long, value_enum, default_value = "nftables", help_heading = OUTPUT)]
    format: Format,
    /// The rules of this place only: firewall-1, firewall-2, edge-host, or edge-host=NAME for one of several edges. Without
    /// it, those of all.
    #[arg(long, help_heading = OUTPUT)]
    place: Option<PlaceArg>,
    /// Write a file for each place into this folder, instead of all to standard output.
    #[arg(long, value_name = "DIR", help_heading = OUTPUT)]
    dir: Option<PathBuf>,
}

/// A place that rules are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlaceArg {
    /// The router between the inside and the DMZ.
    Firewall1,
    /// The router between the DMZ and the internet.
    Firewall2,
    /// The host of each edge, or of one.
    EdgeHost(Option<Name>),
}

impl FromStr for PlaceArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "firewall-1" => Ok(Self::Firewall1),
            None if text == "firewall-2" => Ok(Self::Firewall2),
            None if text == "edge-host" => Ok(Self::EdgeHost(None)),
            Some(("edge-host", name)) => Ok(Self::EdgeHost(Some(name.parse()?))),
            _ => Err("write firewall-1, firewall-2, edge-host, or edge-host=NAME for one of several edges".to_owned()),
        }
    }
}

impl PlaceArg {
    /// Whether it means this place.
    fn selects(&self, place: &Place) -> bool {
        match place {
            Place::Firewall1 => *self == Self::Firewall1,
            Place::Firewall2 => *self == Self::Firewall2,
            Place::EdgeHost(edge) => match self {
                Self::EdgeHost(name) => name.as_ref().is_none_or(|name| name == edge),
                Self::Firewall1 | Self::Firewall2 => false,
            },
        }
    }

    /// The rule sets that it means.
    ///
    /// # Errors
    /// [`Error::Usage`] if no edge has the name.
    pub fn select(this: Option<&Self>, needs: &Needs) -> Result<Vec<RuleSet>, Error> {
        let all = rules::all(needs);
        let Some(place) = this else { return Ok(all) };
        let sets: Vec<RuleSet> = all.into_iter().filter(|set| place.selects(&set.place)).collect();
        if sets.is_empty() {
            let names: Vec<&str> = needs.edges.iter().map(|edge| edge.name.as_str()).collect();
            return Err(Error::Usage(format!("--place: no edge has this name; there are {}", names.join(", "))));
        }
        Ok(sets)
    }
}

impl PrintArgs {
    /// Prints the rules; returns the exit code.
    ///
    /// # Errors
    /// [`Error`] where the needs are not stated, or the result cannot be written.
    pub fn execute(&self) -> Result<u8, Error> {
        let Stated { needs, notes } = needs::combine(&self.needs)?;
        let sets = PlaceArg::select(self.place.as_ref(), &needs)?;
        let documents = format::render(self.format, &needs, &sets)?;
        talk(&notes);
        let Some(folder) = &self.dir else {
            print(&format::joined(&documents))?;
            return Ok(tools::exit::OK);
        };
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
        let mut written = String::new();
        for document in &documents {
            let path = folder.join(&document.name);
            fs::write(&path, &document.text).map_err(Error::file("write", &path))?;
            written.push_str(&format!("{}\n", path.display()));
        }
        print(&written)?;
        Ok(tools::exit::OK)
    }
}
