//! The command line: what can be asked for, with examples in every help text.

use std::io::{self, Write};

use clap::{Args, Parser, ValueEnum};

use crate::{
    error::Error,
    format::{self, Document, Format},
    needs::{self, Stated, arguments::NeedsArgs},
    rules::{self, Place, RuleSet},
};

/// Prints the rules that the relay needs of firewall 1, of firewall 2 and of the edge host, from its configurations.
#[derive(Debug, Parser)]
#[command(name = "firewall-rules", version, arg_required_else_help = true)]
pub struct Cli {
    /// What to print.
    #[command(flatten)]
    pub print: PrintArgs,
}

/// Options of printing rules.
#[derive(Debug, Args)]
pub struct PrintArgs {
    #[command(flatten)]
    needs: NeedsArgs,
    /// The form of the rules.
    #[arg(long, value_enum, default_value = "nftables")]
    format: Format,
    /// Print the rules of this place only; without it, those of all.
    #[arg(long, value_enum)]
    place: Option<PlaceArg>,
}

/// A place that rules are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PlaceArg {
    /// The router between the inside and the DMZ.
    #[value(name = "firewall-1")]
    Firewall1,
    /// The router between the DMZ and the internet.
    #[value(name = "firewall-2")]
    Firewall2,
    /// The host of each edge.
    EdgeHost,
}

impl PlaceArg {
    /// Whether it means this place.
    pub const fn selects(self, place: &Place) -> bool {
        match place {
            Place::Firewall1 => matches!(self, Self::Firewall1),
            Place::Firewall2 => matches!(self, Self::Firewall2),
            Place::EdgeHost(_) => matches!(self, Self::EdgeHost),
        }
    }
}

impl PrintArgs {
    /// Prints the rules; returns the exit code.
    ///
    /// # Errors
    /// [`Error`] where the needs are not stated, or standard output cannot be written.
    pub fn execute(&self) -> Result<u8, Error> {
        let Stated { needs, notes } = needs::combine(&self.needs)?;
        talk(&notes);
        let selected = |set: &RuleSet| self.place.is_none_or(|place| place.selects(&set.place));
        let sets: Vec<RuleSet> = rules::all(&needs).into_iter().filter(selected).collect();
        let documents: Vec<Document> = sets.iter().flat_map(|set| format::render(self.format, set)).collect();
        let texts: Vec<&str> = documents.iter().map(|document| document.text.as_str()).collect();
        print(&texts.join("\n"))?;
        Ok(tools::exit::OK)
    }
}

/// Writes a result to standard output. A reader that has seen enough (`| head`) is no failure.
///
/// # Errors
/// If it cannot be written.
pub fn print(text: &str) -> Result<(), Error> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::System { action: "write to standard output", source })
        }
        _ => Ok(()),
    }
}

/// Writes remarks to standard error.
pub fn talk(notes: &[String]) {
    for note in notes {
        // Whoever reads standard error may be gone.
        let _ = writeln!(io::stderr(), "firewall-rules: note: {note}");
    }
}
