//! `pins normalize|generate|diff`: pins alone, without a server.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use relay_trust::{Pin, PinKind, Spelling};
use serde::Serialize;

use super::side::Side;
use crate::{
    cli::{Form, json, print},
    error::Error,
    evidence::Certificate,
    file, input,
};

/// Bytes of a list of pins at most.
pub const LIST_BYTES_MAX: u64 = 4 << 20;
/// Pins of one run at most.
const COUNT_MAX: usize = 100_000;
/// Wrong pins that are told of, one by one.
const PROBLEMS_MAX: usize = 20;

/// Commands about pins.
#[derive(Debug, Subcommand)]
pub enum PinsCommand {
    /// Read pins in any spelling and write them in one.
    Normalize(NormalizeArgs),
    /// Make the pins of certificates.
    Generate(GenerateArgs),
    /// Compare two sets of pins, or pins with a certificate.
    Diff(DiffArgs),
}

/// Options of `pins normalize`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fingerprint-check pins normalize 'sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
  fingerprint-check pins normalize -f pins.txt --spelling curl
  dig +short TLSA _443._tcp.example.org | fingerprint-check pins normalize -f -
  fingerprint-check pins normalize 3A:5B:… --spelling all

Read and written: leaf:HEX and spki:HEX (canonical), hex, hex-upper, colons, openssl, keytool (certificates); curl, okhttp,
hpkp, gnutls, base64, ssh (keys); tlsa (both). A bare hexadecimal pin is one of a certificate, a bare base64 one of a key.

Exit codes:
  0  every pin was read
  2  a pin is wrong; standard error names each, and nothing is written")]
pub struct NormalizeArgs {
    /// Pins in any spelling, several with commas or semicolons.
    #[arg(value_name = "PIN")]
    pins: Vec<String>,
    /// Read pins from a file, one or several a line; `-`: standard input. Empty lines and lines that begin with # do not
    /// count.
    #[arg(short = 'f', long, value_name = "FILE|-")]
    file: Option<PathBuf>,
    #[command(flatten)]
    written: Written,
}

/// Options of `pins generate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fingerprint-check pins generate edge.crt
  fingerprint-check pins generate edge.crt --kind spki --spelling curl
  fingerprint-check pins generate current.crt next.crt --kind spki --spelling okhttp
  openssl s_client -connect edge.example.org:8443 </dev/null | fingerprint-check pins generate -

The pin is that of the first certificate of a file (in PKCS#7: of the one that issued no other): the server's own. Without
--spelling, every spelling is written with who reads it.

Exit codes:
  0  done
  2  wrong usage, or a file holds no certificate")]
pub struct GenerateArgs {
    /// Certificates in PEM, DER or PKCS#7; `-`: standard input.
    #[arg(value_name = "FILE|-", required = true)]
    files: Vec<PathBuf>,
    /// What is pinned: `spki` (the key, which may stay when the certificate is reissued) or `leaf` (the certificate)
    /// [default: both].
    #[arg(long, value_name = "leaf|spki", value_parser = kind)]
    kind: Option<PinKind>,
    #[command(flatten)]
    written: Written,
}

/// Options of `pins diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  fingerprint-check pins diff deployed.txt wanted.txt
  fingerprint-check pins diff 'spki:…,spki:…' edge.crt
  fingerprint-check pins diff old.crt new.crt

Each side is a set of pins (with commas or semicolons), a file of pins, or a certificate in PEM, DER or PKCS#7. A line begins
with `=` for what both have, `-` for what A alone has, `+` for what B alone has. A certificate and a pin are the same if the
pin names the certificate; two certificates, if their keys are the same.

Exit codes:
  0  both sides are the same
  1  they differ
  2  wrong usage, or a pin or file that cannot be read")]
pub struct DiffArgs {
    /// Pins, or a file of pins or a certificate.
    #[arg(value_name = "A")]
    a: String,
    /// The same.
    #[arg(value_name = "B")]
    b: String,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

/// How pins are written.
#[derive(Debug, Args)]
struct Written {
    /// The spelling: canonical, hex, hex-upper, colons, openssl, keytool, curl, okhttp, hpkp, gnutls, base64, tlsa, ssh, or
    /// `all`.
    #[arg(long, value_name = "NAME", value_parser = spelling)]
    spelling: Option<Chosen>,
    /// The form of the result.
    #[arg(long, value_enum, default_value_t)]
    format: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chosen {
    One(Spelling),
    All,
}

fn spelling(text: &str) -> Result<Chosen, String> {
    if text == "all" {
        return Ok(Chosen::All);
    }
    Spelling::by_name(text).map(Chosen::One).ok_or_else(|| {
        let names: Vec<&str> = Spelling::ALL.iter().map(|spelling| spelling.name()).collect();
        format!("the spellings are {} and all", names.join(", "))
    })
}

/// A kind of pin, as options name it.
///
/// # Errors
/// What is accepted.
pub fn kind(text: &str) -> Result<PinKind, String> {
    [PinKind::Leaf, PinKind::Spki]
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| "the kinds are leaf (the certificate) and spki (its key)".to_owned())
}

/// A pin in the spellings asked for, for machines.
#[derive(Debug, Serialize)]
struct PinRecord {
    /// The file it was made of.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    kind: &'static str,
    pin: String,
    spellings: Vec<SpellingRecord>,
}

#[derive(Debug, Serialize)]
struct SpellingRecord {
    spelling: &'static str,
    text: String,
    used_by: &'static str,
}

/// Runs `pins`; returns its exit code.
///
/// # Errors
/// [`Error`] for wrong usage, wrong pins and files that cannot be read.
pub fn execute(command: &PinsCommand) -> Result<u8, Error> {
    match command {
        PinsCommand::Normalize(arguments) => normalize(arguments),
        PinsCommand::Generate(arguments) => generate(arguments),
        PinsCommand::Diff(arguments) => diff(arguments),
    }
}

fn normalize(arguments: &NormalizeArgs) -> Result<u8, Error> {
    let mut lines: Vec<(String, String)> = arguments.pins.iter().map(|text| (String::new(), text.clone())).collect();
    if let Some(path) = &arguments.file {
        let text = input::text(path, LIST_BYTES_MAX, "give pins, one a line")?;
        let name = input::name(path);
        let numbered = text.lines().enumerate().filter(|(_, line)| counts(line));
        lines.extend(numbered.map(|(place, line)| (format!("{name}, line {}: ", place + 1), line.to_owned())));
    }
    let mut problems = Vec::new();
    let mut pins: Vec<(Option<String>, Pin)> = Vec::new();
    for (place, line) in &lines {
        for text in parts(line) {
            match text.parse() {
                Ok(pin) => pins.push((None, pin)),
                Err(error) => problems.push(format!("{place}{error}")),
            }
        }
    }
    if !problems.is_empty() {
        return Err(Error::Usage(listed(&problems)));
    }
    match pins.len() {
        0 => Err(Error::Usage("no pin is given; give pins, or a file of them with -f".to_owned())),
        1..=COUNT_MAX => write(&pins, &arguments.written, Chosen::One(Spelling::Canonical)),
        count => Err(Error::Usage(format!("{count} pins are more than {COUNT_MAX}; give them in several runs"))),
    }
}

/// Whether a line of a list holds pins.
pub fn counts(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#')
}

/// The pins of one line; a separator at its end separates nothing.
pub fn parts(line: &str) -> impl Iterator<Item = &str> {
    line.trim().trim_end_matches([',', ';']).split([',', ';'])
}

/// At most so many problems, one a line.
pub fn listed(problems: &[String]) -> String {
    let mut text = problems.iter().take(PROBLEMS_MAX).map(String::as_str).collect::<Vec<_>>().join("\n");
    if problems.len() > PROBLEMS_MAX {
        let _ = write!(text, "\nand {} more", problems.len() - PROBLEMS_MAX);
    }
    text
}

fn generate(arguments: &GenerateArgs) -> Result<u8, Error> {
    let mut pins = Vec::new();
    for path in &arguments.files {
        let leaf = file::chain(path)?.leaf;
        let name = Some(input::name(path));
        for kind in [PinKind::Leaf, PinKind::Spki] {
            if arguments.kind.is_none_or(|wanted| wanted == kind) {
                pins.push((name.clone(), pin_of(&leaf, kind)));
            }
        }
    }
    if let Some(Chosen::One(spelling)) = arguments.written.spelling
        && arguments.kind.is_none()
    {
        // Those of the two kinds that the spelling can say.
        pins.retain(|(_, pin)| spelling.says(pin.kind()));
    }
    write(&pins, &arguments.written, Chosen::All)
}

/// The pin of a certificate.
pub fn pin_of(certificate: &Certificate, kind: PinKind) -> Pin {
    let digest = match kind {
        PinKind::Leaf => certificate.fingerprints.leaf,
        PinKind::Spki => certificate.fingerprints.spki,
    };
    Pin::new(kind, digest)
}

fn write(pins: &[(Option<String>, Pin)], written: &Written, otherwise: Chosen) -> Result<u8, Error> {
    let chosen = written.spelling.unwrap_or(otherwise);
    if let Chosen::One(spelling) = chosen
        && let Some((_, pin)) = pins.iter().find(|(_, pin)| !spelling.says(pin.kind()))
    {
        let (has, wants) = match pin.kind() {
            PinKind::Leaf => ("certificate", "key"),
            PinKind::Spki => ("key", "certificate"),
        };
        let able: Vec<&str> =
            Spelling::ALL.iter().filter(|other| other.says(pin.kind())).map(|other| other.name()).collect();
        return Err(Error::Usage(format!(
            "{pin} is the pin of a {has}, and the spelling {spelling} is read as that of a {wants}; take one of {}, or make \
             the other pin with `pins generate`",
            able.join(", ")
        )));
    }
    print(&match written.format {
        Form::Json => json(&pins.iter().map(|(file, pin)| record(file.as_deref(), pin, chosen)).collect::<Vec<_>>())?,
        Form::Text => text(pins, chosen),
    })?;
    Ok(tools::exit::OK)
}

fn record(file: Option<&str>, pin: &Pin, chosen: Chosen) -> PinRecord {
    let spellings = Spelling::ALL.into_iter().filter(|spelling| match chosen {
        Chosen::One(one) => one == *spelling,
        Chosen::All => true,
    });
    PinRecord {
        file: file.map(str::to_owned),
        kind: pin.kind().as_str(),
        pin: pin.to_string(),
        spellings: spellings
            .filter_map(|spelling| {
                let text = spelling.write(pin)?;
                Some(SpellingRecord { spelling: spelling.name(), text, used_by: spelling.used_by() })
            })
            .collect(),
    }
}

fn text(pins: &[(Option<String>, Pin)], chosen: Chosen) -> String {
    let mut text = String::new();
    for (place, (file, pin)) in pins.iter().enumerate() {
        match chosen {
            Chosen::One(spelling) => {
                let _ = writeln!(text, "{}", spelling.write(pin).unwrap_or_default());
            }
            Chosen::All => {
                let what = match pin.kind() {
                    PinKind::Leaf => "certificate (leaf)",
                    PinKind::Spki => "public key (spki)",
                };
                let gap = if place > 0 { "\n" } else { "" };
                let of = file.as_ref().map(|file| format!(" of {file}")).unwrap_or_default();
                let _ = writeln!(text, "{gap}SHA-256 of the {what}{of}");
                for spelling in Spelling::ALL {
                    if let Some(spelled) = spelling.write(pin) {
                        let _ = writeln!(text, "  {:9}  {spelled}", spelling.name());
                    }
                }
            }
        }
    }
    text
}

/// A line of a comparison, for machines.
#[derive(Debug, Serialize)]
struct DiffRecord {
    same: bool,
    both: Vec<String>,
    only_a: Vec<String>,
    only_b: Vec<String>,
}

fn diff(arguments: &DiffArgs) -> Result<u8, Error> {
    if arguments.a == "-" && arguments.b == "-" {
        return Err(Error::Usage("standard input (-) is given twice; it can be read once".to_owned()));
    }
    let (a, b) = (Side::read("A", &arguments.a)?, Side::read("B", &arguments.b)?);
    let (both, only_a): (Vec<_>, Vec<_>) = a.items().iter().partition(|item| b.has(item));
    let only_b: Vec<_> = b.items().iter().filter(|item| !a.has(item)).collect();
    let same = only_a.is_empty() && only_b.is_empty();
    let strings = |items: &[&super::side::Item]| items.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (both, only_a, only_b) = (strings(&both), strings(&only_a), strings(&only_b));
    print(&match arguments.format {
        Form::Json => json(&DiffRecord { same, both, only_a, only_b })?,
        Form::Text => {
            let marked = [("=", &both), ("-", &only_a), ("+", &only_b)];
            marked.iter().flat_map(|(mark, items)| items.iter().map(move |item| format!("{mark} {item}\n"))).collect()
        }
    })?;
    Ok(if same { tools::exit::OK } else { tools::exit::FAILED })
}

/// Whether a text can only be meant as a path.
pub fn is_path(text: &str) -> bool {
    text == "-" || Path::new(text).exists()
}
