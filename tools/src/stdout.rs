//! Results, which go to standard output.

use std::io::{self, Write};

/// Writes a result to standard output. A reader that has seen enough (`| head`) is no failure. Every tool calls it.
///
/// # Errors
/// If it cannot be written.
pub fn print(text: &str) -> io::Result<()> {
    match io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}
