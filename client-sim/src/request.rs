//! `request`: one request of a device, built, explained, sent, or judged.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Write},
};

use crate::{
    cli::{BuildArgs, BuildFormat, CheckArgs, RequestArgs, RequestCommand},
    error::Error,
    hex,
};

pub mod build;
pub mod check;
pub mod explain;
mod send;

/// Bytes of input and output that are moved at a time by `check`.
const BUFFER_BYTES: usize = 256 * 1024;

/// Runs a `request` command.
///
/// # Errors
/// Why it did not succeed.
pub fn run(args: RequestArgs) -> Result<(), Error> {
    match args.command {
        RequestCommand::Build(args) => print(&args),
        RequestCommand::Send(args) => send::run(&args),
        RequestCommand::Check(args) => check_all(&args),
    }
}

fn check_all(args: &CheckArgs) -> Result<(), Error> {
    let mode = check::Mode { platform: args.platform, frame: args.frame, explain: args.explain };
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
    let tally = if args.file.as_os_str() == "-" {
        check::check(&mut BufReader::with_capacity(BUFFER_BYTES, io::stdin().lock()), &mut output, mode)?
    } else {
        let file =
            File::open(&args.file).map_err(|source| Error::File { action: "read", path: args.file.clone(), source })?;
        check::check(&mut BufReader::with_capacity(BUFFER_BYTES, file), &mut output, mode)?
    };
    if args.fail && tally.refused > 0 { Err(Error::Refusals) } else { Ok(()) }
}

fn print(args: &BuildArgs) -> Result<(), Error> {
    let body = build::body(args.platform, &args.body)?;
    let header = args.frame.then(|| build::header(args.platform, &body)).transpose()?;
    let bytes = [header.as_ref().map_or(&[][..], |header| &header[..]), &body].concat();
    let fields = explain::fields(args.platform, &body);
    let text = match args.format {
        BuildFormat::Hex => format!("{}\n", hex::encode(&bytes)),
        BuildFormat::Text if args.platform == relay_wire::Platform::Windows => format!("{}\n", hex::encode(&bytes)),
        BuildFormat::Text => {
            let mut output = io::stdout().lock();
            return output.write_all(&bytes).and_then(|()| output.flush()).map_err(Error::Output);
        }
        BuildFormat::Json => {
            let value = serde_json::json!({
                "platform": args.platform.as_str(),
                "bytes": bytes.len(),
                "hex": hex::encode(&bytes),
                "fields": fields,
            });
            format!("{value:#}\n")
        }
        BuildFormat::Explain => table(header.as_ref().map_or(0, |header| header.len()), &fields),
    };
    let mut output = io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(Error::Output)
}

/// Text on one line: control characters as escapes.
fn printable(text: &str) -> String {
    let escape = |character: char| character.escape_default().collect::<String>();
    text.chars().map(|character| if character.is_control() { escape(character) } else { character.into() }).collect()
}

/// One line per field: offset, bytes, name, value.
fn table(shift: usize, fields: &[explain::FieldSpan]) -> String {
    let width = fields.iter().map(|field| field.name.len()).max().unwrap_or(4).max(4);
    let mut text = format!("{:>6} {:>6}  {:<width$}  value\n", "offset", "bytes", "name");
    if shift > 0 {
        text.push_str(&format!("{:>6} {shift:>6}  {:<width$}  opening frame\n", 0, "-"));
    }
    for field in fields {
        text.push_str(&format!(
            "{:>6} {:>6}  {:<width$}  {}\n",
            field.offset + shift,
            field.length,
            field.name,
            printable(&field.value)
        ));
    }
    text
}
