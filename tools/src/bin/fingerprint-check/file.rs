//! `file`: certificates that lie in files, judged as if a server presented them.

use std::path::{Path, PathBuf};

use clap::Args;
use relay_trust::CertificateFile;
use rustls_pki_types::CertificateDer;

use crate::{
    ask::AskArgs,
    cli::print,
    error::Error,
    evidence::{Certificate, Chain, Evidence},
    input,
    output::Writer,
};

/// Files at most.
const FILES_MAX: usize = 10_000;

/// Options of `file`.
#[derive(Debug, Args)]
#[command(after_help = concat!(
    "Examples:\n",
    "  fingerprint-check file edge.crt --roots edge.crt --name edge.example.org\n",
    "  fingerprint-check file certnew.p7b --platform wp,ios\n",
    "  openssl s_client -connect edge.example.org:8443 -showcerts </dev/null | fingerprint-check file -\n",
    "  fingerprint-check file /etc/ssl/edge/*.crt --format csv --warn-days 60\n",
    "\n",
    "PEM, DER and PKCS#7 (.p7b, in either) are told apart by their content. The first certificate of a file is the server's\n",
    "own, the others are what it would send along; in PKCS#7, where there is no order, it is the one that issued no other.\n",
    "A file shows no possession and no TLS: those two verdicts are not asked, and the platforms' hold as far as the\n",
    "certificate goes.\n\n",
    crate::exit_codes!(),
))]
pub struct FileArgs {
    /// Files in PEM, DER or PKCS#7; `-`: standard input.
    #[arg(value_name = "FILE|-", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    ask: AskArgs,
}

/// Runs `file`; returns its exit code.
///
/// # Errors
/// [`Error`] for wrong usage, and for a file that cannot be read or holds no certificate.
pub fn execute(arguments: &FileArgs) -> Result<u8, Error> {
    if arguments.files.len() > FILES_MAX {
        return Err(Error::Usage(format!("more than {FILES_MAX} files; give them in several runs")));
    }
    if arguments.files.iter().filter(|file| *file == Path::new("-")).count() > 1 {
        return Err(Error::Usage("standard input (-) is given twice; it can be read once".to_owned()));
    }
    let asked = arguments.ask.read()?;
    let mut writer = Writer::new(asked.style);
    print(&writer.begin())?;
    for file in &arguments.files {
        let evidence = Evidence { chain: chain(file)?, connection: None };
        let record = asked.judge(input::name(file), &evidence, asked.pins.as_deref(), asked.name.as_ref());
        print(&writer.record(record))?;
    }
    print(&writer.end())?;
    Ok(writer.exit_code())
}

/// The certificates of a file as a server would present them.
///
/// # Errors
/// As [`execute`].
pub fn chain(path: &Path) -> Result<Chain, Error> {
    chain_of(path, &input::read(path, input::CERTIFICATE_BYTES_MAX)?)
}

/// The same of bytes that were read from `path`.
///
/// # Errors
/// As [`execute`].
pub fn chain_of(path: &Path, bytes: &[u8]) -> Result<Chain, Error> {
    let file = input::certificates(path, bytes)?;
    let wrong = |error: &dyn std::fmt::Display| Error::Usage(format!("{}: {error}", input::name(path)));
    let presented = presented(file).map_err(|reason| wrong(&reason))?;
    Chain::read(presented).map_err(|error| wrong(&error))
}

/// The server's own certificate first.
fn presented(file: CertificateFile) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut certificates = file.certificates;
    if file.encoding.is_ordered() || certificates.len() < 2 {
        return Ok(certificates);
    }
    let read: Vec<Option<Certificate>> = certificates.iter().map(|der| Certificate::read(der.clone()).ok()).collect();
    let issued_another = |place: usize, subject: &str| {
        read.iter().flatten().enumerate().any(|(other, found)| other != place && found.issuer == subject)
    };
    let own: Vec<usize> = (read.iter().enumerate())
        .filter(|(place, found)| found.as_ref().is_some_and(|found| !issued_another(*place, &found.subject)))
        .map(|(place, _)| place)
        .collect();
    let [own] = own.as_slice() else {
        return Err(format!(
            "of its {} certificates {} issued no other, so which one is the server's own cannot be told; give that one \
             alone, or all in PEM with that one first",
            certificates.len(),
            own.len()
        ));
    };
    certificates[..=*own].rotate_right(1);
    Ok(certificates)
}
