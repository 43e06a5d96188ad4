//! `request check`: many bodies in, one verdict per line out.
//!
//! Input is decoded as it streams by: a line is never held, only its body, and of that at most what a frame may carry. So
//! neither the number of lines nor the length of one costs memory.

use std::io::{self, BufRead, Write};

use relay_wire::{Code, Platform, Rejection, Validator, frame::opening::Header, limits};

use crate::{error::Error, hex};

/// Bytes of a line that are kept: one more than the largest frame, so that a longer one is seen to be too long.
const KEPT_BYTES_MAX: usize = limits::DEVICE_HEADER_BYTES + limits::BODY_BYTES_MAX + 1;

/// How lines are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mode {
    /// The platform whose format the bodies are in. With [`Self::frame`] it may be left to each header.
    pub platform: Option<Platform>,
    /// Whether a line is an opening frame's header and its body, instead of a body alone.
    pub frame: bool,
    /// Whether a refused line also names the field.
    pub explain: bool,
}

/// What was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Lines that passed.
    pub passed: u64,
    /// Lines that were refused.
    pub refused: u64,
}

/// Judges each line of `input` and writes its verdict as a line to `output`.
///
/// # Errors
/// [`Error::Usage`] at the first line that is not hex (verdicts of the lines before it are written; nothing after it is
/// judged); [`Error::Output`] if `output` fails; [`Error::System`] if `input` does.
pub fn check(input: &mut dyn BufRead, output: &mut dyn Write, mode: Mode) -> Result<Tally, Error> {
    let validator = Validator::default();
    let mut tally = Tally::default();
    let mut line = Line::default();
    let mut number = 0_u64;
    loop {
        number += 1;
        match line.read(input) {
            Err(source) => return Err(Error::System { action: format!("read line {number}"), source }),
            Ok(Read::End) => break,
            Ok(Read::NotHex(why)) => {
                output.flush().map_err(Error::Output)?;
                return Err(Error::Usage(format!(
                    "line {number} of the input is not hex: {why}; give one request body per line as pairs of hex digits"
                )));
            }
            Ok(Read::Line) => {}
        }
        let verdict = judge(&validator, &line.bytes, mode);
        match verdict {
            Ok(()) => tally.passed += 1,
            Err(_) => tally.refused += 1,
        }
        write_verdict(output, verdict, mode.explain).map_err(Error::Output)?;
    }
    output.flush().map_err(Error::Output)?;
    Ok(tally)
}

fn write_verdict(output: &mut dyn Write, verdict: Result<(), Rejection>, explain: bool) -> io::Result<()> {
    match verdict {
        Ok(()) => output.write_all(b"ok\n"),
        Err(rejection) if explain => writeln!(output, "{} {}", rejection.code, rejection.field),
        Err(rejection) => {
            output.write_all(rejection.code.as_str().as_bytes())?;
            output.write_all(b"\n")
        }
    }
}

/// The verdict on one line's bytes.
///
/// # Errors
/// What the edge would refuse it for.
pub fn judge(validator: &Validator, bytes: &[u8], mode: Mode) -> Result<(), Rejection> {
    let (platform, body) = if mode.frame {
        let (header, body) = bytes.split_first_chunk().ok_or(Rejection::new(Code::Frame, "header"))?;
        let header = Header::decode(header)?;
        if mode.platform.is_some_and(|expected| expected != header.platform) {
            return Err(Rejection::new(Code::Frame, "platform"));
        }
        if header.body_bytes != body.len() {
            return Err(Rejection::new(Code::Frame, "body length"));
        }
        (header.platform, body)
    } else {
        (mode.platform.ok_or(Rejection::new(Code::Frame, "platform"))?, bytes)
    };
    validator.check(platform, body).map(|_| ())
}

/// One line's bytes, decoded.
#[derive(Debug, Default)]
struct Line {
    bytes: Vec<u8>,
}

/// What reading a line found.
enum Read {
    /// A line (perhaps empty, perhaps the last without a line end).
    Line,
    /// The end of the input.
    End,
    /// Something that is not hex.
    NotHex(String),
}

impl Line {
    /// Reads and decodes up to the next line end.
    fn read(&mut self, input: &mut dyn BufRead) -> io::Result<Read> {
        self.bytes.clear();
        let (mut high, mut column, mut return_seen) = (None, 0_u64, false);
        loop {
            let buffer = match input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let at_end = buffer.is_empty();
            if at_end && column == 0 && !return_seen {
                return Ok(Read::End);
            }
            let line_end = buffer.iter().position(|byte| *byte == b'\n');
            let part = &buffer[..line_end.unwrap_or(buffer.len())];
            for byte in part {
                column += 1;
                if return_seen {
                    return Ok(Read::NotHex(format!("a carriage return at column {}", column - 1)));
                }
                if *byte == b'\r' {
                    return_seen = true;
                    continue;
                }
                let Some(value) = hex::digit(*byte) else {
                    return Ok(Read::NotHex(format!("{:?} at column {column}", char::from(*byte))));
                };
                match high.take() {
                    None => high = Some(value),
                    Some(high) if self.bytes.len() < KEPT_BYTES_MAX => self.bytes.push(high << 4 | value),
                    Some(_) => {}
                }
            }
            let taken = part.len() + usize::from(line_end.is_some());
            input.consume(taken);
            if line_end.is_some() || at_end {
                return Ok(if high.is_some() { Read::NotHex("an odd number of digits".into()) } else { Read::Line });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODE: Mode = Mode { platform: Some(Platform::Linux), frame: false, explain: false };

    fn run(input: &[u8], mode: Mode) -> (Result<Tally, Error>, String) {
        let mut output = Vec::new();
        // A tiny buffer, so that lines are split in every place.
        let mut input = io::BufReader::with_capacity(3, input);
        let result = check(&mut input, &mut output, mode);
        (result, String::from_utf8(output).unwrap())
    }

    #[test]
    fn empty_input_has_no_verdict_and_an_empty_line_is_an_empty_body() {
        assert_eq!(run(b"", MODE).1, "");
        assert_eq!(run(b"\n", MODE).1, "E_FRAME\n");
        assert_eq!(run(b"\r\n\n", MODE).1, "E_FRAME\nE_FRAME\n");
    }

    #[test]
    fn a_line_that_is_not_hex_is_named_and_ends_the_work() {
        for (input, line) in [(&b"\nzz\n\n"[..], 2), (b"\n\n616\n\n", 3), (b"6 1\n", 1), (b"61\r61\n", 1)] {
            let (result, output) = run(input, MODE);
            let error = result.unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains(&format!("line {line} ")), "{error}");
            assert_eq!(output.lines().count(), line - 1, "{output}");
        }
    }

    #[test]
    fn a_line_longer_than_any_frame_is_refused_without_being_kept() {
        let mut input = "61".repeat(KEPT_BYTES_MAX * 3);
        input.push('\n');
        assert_eq!(run(input.as_bytes(), MODE).1, "E_FRAME\n");
        let frame = Mode { frame: true, explain: true, ..MODE };
        assert!(run(input.as_bytes(), frame).1.starts_with("E_FRAME magic\n"));
    }

    #[test]
    fn frames_are_judged_before_their_bodies() {
        let mode = Mode { platform: None, frame: true, explain: true };
        assert_eq!(run(b"454447\n", mode).1, "E_FRAME header\n");
        assert_eq!(run(b"454447310301000000000002ff\n", mode).1, "E_FRAME body length\n");
        assert_eq!(run(b"454447310701000000000001ff\n", mode).1, "E_FRAME platform\n");
        let other = Mode { platform: Some(Platform::Windows), ..mode };
        assert_eq!(run(b"454447310301000000000001ff\n", other).1, "E_FRAME platform\n");
    }
}
