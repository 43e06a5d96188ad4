//! From plaintext to TLS: what is said before the handshake.
//!
//! Nothing may follow the server's last plaintext answer: bytes that lie between it and TLS would be taken for encrypted
//! ones by a careless client (CVE-2011-0411), so they are a failure here.

use clap::ValueEnum;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{
    Failure, said,
    wire::{exactly, line, nonsense, printable, some},
};
use crate::codes::Code;

/// A protocol that begins in plaintext.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StartTls {
    /// RFC 3207.
    Smtp,
    /// RFC 3501 section 6.2.1.
    Imap,
    /// RFC 4511 section 4.14.
    Ldap,
    /// PostgreSQL's `SSLRequest`.
    Postgres,
    /// MySQL's and MariaDB's `SSLRequest`.
    Mysql,
}

impl StartTls {
    /// As options and URLs name it.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Ldap => "ldap",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
        }
    }

    /// Its usual port.
    pub const fn port(self) -> u16 {
        match self {
            Self::Smtp => 25,
            Self::Imap => 143,
            Self::Ldap => 389,
            Self::Postgres => 5432,
            Self::Mysql => 3306,
        }
    }
}

/// Lines of one answer at most.
const LINES_MAX: usize = 100;

/// Asks the server to begin TLS.
pub async fn negotiate(stream: &mut TcpStream, protocol: StartTls) -> Result<(), Failure> {
    match protocol {
        StartTls::Smtp => smtp(stream).await?,
        StartTls::Imap => imap(stream).await?,
        StartTls::Ldap => ldap(stream).await?,
        StartTls::Postgres => postgres(stream).await?,
        StartTls::Mysql => mysql(stream).await?,
    }
    nothing_follows(stream)
}

/// A server waits for the ClientHello now; whatever has come already was said before TLS.
fn nothing_follows(stream: &TcpStream) -> Result<(), Failure> {
    let mut bytes = [0; 64];
    match stream.try_read(&mut bytes) {
        Ok(0) => Err(Failure::transient(
            Code::STARTTLS,
            "the server agreed to begin TLS and closed the connection",
            "look into the server's log",
        )),
        Ok(count) => Err(Failure::lasting(
            Code::STARTTLS_INJECTION,
            format!("plaintext follows the server's agreement to begin TLS: {:?}", printable(&bytes[..count])),
            "somebody may be in between; otherwise update the server",
        )),
        Err(_) => Ok(()),
    }
}

async fn say(stream: &mut TcpStream, bytes: &[u8]) -> Result<(), Failure> {
    stream.write_all(bytes).await.map_err(|error| {
        Failure::transient(
            Code::STARTTLS,
            format!("cannot ask for TLS: {}", said(&error)),
            "look into the server's log",
        )
    })
}

fn declined(what: &str, answer: &str) -> Failure {
    Failure::lasting(
        Code::STARTTLS,
        format!("the server does not begin TLS: {what} was answered with {answer:?}"),
        "switch TLS on at the server, or check that this is its plaintext port",
    )
}

async fn smtp(stream: &mut TcpStream) -> Result<(), Failure> {
    let greeting = reply(stream, "SMTP greeting").await?;
    if !greeting.starts_with("220") {
        return Err(declined("the connection", &greeting));
    }
    // An address literal: the machine's name is nobody's business.
    say(stream, b"EHLO [127.0.0.1]\r\n").await?;
    let answer = reply(stream, "SMTP EHLO").await?;
    if !answer.starts_with("250") {
        return Err(declined("EHLO", &answer));
    }
    say(stream, b"STARTTLS\r\n").await?;
    let answer = reply(stream, "SMTP STARTTLS").await?;
    if answer.starts_with("220") { Ok(()) } else { Err(declined("STARTTLS", &answer)) }
}

/// The last line of an SMTP reply.
async fn reply(stream: &mut TcpStream, what: &str) -> Result<String, Failure> {
    for _ in 0..LINES_MAX {
        let line = line(stream, Code::STARTTLS, what).await?;
        let code = line.get(..3).is_some_and(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
        if !code {
            return Err(nonsense(Code::STARTTLS, format!("{what}: {line:?} is not SMTP")));
        }
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(line);
        }
    }
    Err(nonsense(Code::STARTTLS, format!("{what}: more than {LINES_MAX} lines")))
}

async fn imap(stream: &mut TcpStream) -> Result<(), Failure> {
    let greeting = line(stream, Code::STARTTLS, "IMAP greeting").await?;
    if !greeting.starts_with("* OK") {
        return Err(declined("the connection", &greeting));
    }
    say(stream, b"a STARTTLS\r\n").await?;
    for _ in 0..LINES_MAX {
        let answer = line(stream, Code::STARTTLS, "IMAP STARTTLS").await?;
        if answer.starts_with("a OK") {
            return Ok(());
        }
        if !answer.starts_with('*') {
            return Err(declined("STARTTLS", &answer));
        }
    }
    Err(nonsense(Code::STARTTLS, format!("IMAP STARTTLS: more than {LINES_MAX} lines")))
}

/// An extended request, message 1, for the operation StartTLS.
const LDAP_REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

async fn ldap(stream: &mut TcpStream) -> Result<(), Failure> {
    const WHAT: &str = "LDAP StartTLS";
    say(stream, LDAP_REQUEST).await?;
    let [tag, length] = exactly::<2>(stream, Code::STARTTLS, WHAT).await?;
    if tag != 0x30 {
        return Err(nonsense(Code::STARTTLS, format!("{WHAT}: the answer is not LDAP")));
    }
    let length = match length {
        0..=0x7f => usize::from(length),
        0x81 => usize::from(exactly::<1>(stream, Code::STARTTLS, WHAT).await?[0]),
        0x82 => usize::from(u16::from_be_bytes(exactly(stream, Code::STARTTLS, WHAT).await?)),
        // Active Directory always writes four.
        0x84 => u32::from_be_bytes(exactly(stream, Code::STARTTLS, WHAT).await?) as usize,
        _ => return Err(nonsense(Code::STARTTLS, format!("{WHAT}: the answer is not LDAP"))),
    };
    let answer = some(stream, length, Code::STARTTLS, WHAT).await?;
    match ldap_result(&answer) {
        Some(0) => Ok(()),
        Some(code) => Err(declined(WHAT, &format!("result code {code}"))),
        None => Err(nonsense(Code::STARTTLS, format!("{WHAT}: the answer is not LDAP"))),
    }
}

/// The result code of an extended response to message 1.
fn ldap_result(message: &[u8]) -> Option<u8> {
    let response = message.strip_prefix(b"\x02\x01\x01\x78")?;
    let body = match response {
        [0..=0x7f, body @ ..] | [0x81, _, body @ ..] | [0x82, _, _, body @ ..] | [0x84, _, _, _, _, body @ ..] => body,
        _ => return None,
    };
    match body {
        [0x0a, 1, code, ..] => Some(*code),
        _ => None,
    }
}

async fn postgres(stream: &mut TcpStream) -> Result<(), Failure> {
    // Length 8, and the number that asks for TLS: 1234 and 5679.
    say(stream, &[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]).await?;
    match exactly::<1>(stream, Code::STARTTLS, "PostgreSQL SSLRequest").await? {
        [b'S'] => Ok(()),
        [b'N'] => Err(declined("SSLRequest", "N")),
        [other] => {
            Err(nonsense(Code::STARTTLS, format!("PostgreSQL SSLRequest: byte {other:#04x} is no answer to it")))
        }
    }
}

/// CLIENT_LONG_PASSWORD, CLIENT_PROTOCOL_41, CLIENT_SSL and CLIENT_SECURE_CONNECTION.
const MYSQL_CLIENT: u32 = 0x0001 | 0x0200 | 0x0800 | 0x8000;
/// CLIENT_SSL.
const MYSQL_SSL: u16 = 0x0800;

async fn mysql(stream: &mut TcpStream) -> Result<(), Failure> {
    const WHAT: &str = "MySQL greeting";
    let [low, middle, high, sequence] = exactly::<4>(stream, Code::STARTTLS, WHAT).await?;
    let length = usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16;
    let greeting = some(stream, length, Code::STARTTLS, WHAT).await?;
    match mysql_capabilities(&greeting) {
        Ok(capabilities) if capabilities & MYSQL_SSL != 0 => {}
        Ok(_) => return Err(declined(WHAT, "no CLIENT_SSL")),
        Err(answer) => return Err(answer),
    }
    let mut request = vec![32, 0, 0, sequence.wrapping_add(1)];
    request.extend(MYSQL_CLIENT.to_le_bytes());
    request.extend(0x0100_0000_u32.to_le_bytes());
    // utf8mb4_general_ci, and 23 reserved bytes.
    request.push(45);
    request.extend([0; 23]);
    say(stream, &request).await
}

/// The lower capability flags of a server's first packet (protocol version 10).
fn mysql_capabilities(greeting: &[u8]) -> Result<u16, Failure> {
    let not_mysql = || nonsense(Code::STARTTLS, "MySQL greeting: this is not MySQL");
    match greeting {
        [10, rest @ ..] => {
            let end = rest.iter().position(|byte| *byte == 0).ok_or_else(not_mysql)?;
            // Thread id, eight bytes of challenge, a filler.
            match rest.get(end + 1 + 4 + 8 + 1..) {
                Some([low, high, ..]) => Ok(u16::from_le_bytes([*low, *high])),
                _ => Err(not_mysql()),
            }
        }
        // An error packet: too many connections, a host that is blocked.
        [0xff, _, _, text @ ..] => Err(declined("the connection", &printable(text))),
        _ => Err(not_mysql()),
    }
}
