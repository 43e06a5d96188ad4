//! Reading what comes before TLS: bounded, and never past its end.

use tokio::{io::AsyncReadExt, net::TcpStream};

use super::{Failure, said};
use crate::{codes::Code, evidence::turns};

/// Bytes of one line at most.
const LINE_MAX: usize = 4096;

/// Exactly that many bytes.
pub async fn exactly<const N: usize>(stream: &mut TcpStream, whose: Code, what: &str) -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await.map_err(|error| cut(whose, what, &error))?;
    Ok(bytes)
}

/// So many bytes, at most [`LINE_MAX`].
pub async fn some(stream: &mut TcpStream, count: usize, whose: Code, what: &str) -> Result<Vec<u8>, Failure> {
    if count > LINE_MAX {
        return Err(nonsense(whose, format!("{what}: an answer of {count} bytes")));
    }
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).await.map_err(|error| cut(whose, what, &error))?;
    Ok(bytes)
}

/// A line without its end. Byte by byte, so that nothing behind it is taken.
pub async fn line(stream: &mut TcpStream, whose: Code, what: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    loop {
        let byte = stream.read_u8().await.map_err(|error| cut(whose, what, &error))?;
        match byte {
            b'\n' => break,
            _ if bytes.len() == LINE_MAX => {
                return Err(nonsense(whose, format!("{what}: a line of more than {LINE_MAX} bytes")));
            }
            _ => bytes.push(byte),
        }
    }
    Ok(printable(&bytes))
}

/// A stranger's bytes as one line of text, at most 200 characters.
pub fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.trim_end().chars().take(200).map(|c| if c.is_control() || turns(c) { '?' } else { c }).collect()
}

fn cut(whose: Code, what: &str, error: &std::io::Error) -> Failure {
    let reason = if error.kind() == std::io::ErrorKind::UnexpectedEof {
        "the connection was closed".to_owned()
    } else {
        said(error)
    };
    Failure::transient(
        whose,
        format!("{what}: {reason}"),
        "check that this port speaks the protocol that was asked for",
    )
}

/// An answer that is not of the protocol.
pub fn nonsense(whose: Code, text: impl Into<String>) -> Failure {
    Failure::lasting(whose, text, "check that this port speaks the protocol that was asked for")
}
