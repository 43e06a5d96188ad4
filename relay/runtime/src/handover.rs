//! From TLS to raw on the same TCP connection, with no byte lost (SPEC §7.3).
//!
//! A TLS library reads as much as it is given, and what lies behind the peer's close_notify would be swallowed with it.
//! [`RecordIo`] never gives it more than the record it is in. Its shutdown sends no FIN, so that close_notify ends TLS
//! and not the connection.

use std::{
    future::{Future, poll_fn},
    io,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use relay_wire::limits;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf},
    time::timeout,
};

/// Bytes of a TLS record's header (RFC 8446, section 5.1): type, version, length.
pub(crate) const RECORD_HEADER_BYTES: usize = 5;

/// A byte stream that is read record by record.
///
/// It does not judge what the header says: a length that TLS forbids is for the TLS library to refuse, which it does as
/// soon as it sees the header.
#[derive(Debug)]
pub struct RecordIo<IO> {
    io: IO,
    /// Where in the records it is; `None`: it reads as much as is asked for.
    records: Option<Records>,
}

/// Where in a stream of records reading has come. Not generic and never inlined, so that it is compiled in this crate, where a
/// fuzzer sees what is reached in it.
#[derive(Debug, Default)]
struct Records {
    header: [u8; RECORD_HEADER_BYTES],
    /// Bytes of `header` that have come; less than all of them between two records.
    header_have: u8,
    /// Bytes of the current record's body that have not come.
    body_left: u16,
}

impl Records {
    /// How many bytes may be read without reading past the header or the body that has begun.
    #[inline(never)]
    fn allowance(&self) -> usize {
        if self.body_left > 0 {
            usize::from(self.body_left)
        } else {
            RECORD_HEADER_BYTES - usize::from(self.header_have)
        }
    }

    /// Takes note of bytes that were read, no more than the allowance.
    #[inline(never)]
    fn account(&mut self, bytes: &[u8]) {
        if self.body_left > 0 {
            self.body_left = self.body_left.saturating_sub(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
            return;
        }
        for byte in bytes {
            self.header[usize::from(self.header_have)] = *byte;
            self.header_have += 1;
        }
        if usize::from(self.header_have) == RECORD_HEADER_BYTES {
            self.body_left = u16::from_be_bytes([self.header[3], self.header[4]]);
            self.header_have = 0;
        }
    }

    const fn is_between(&self) -> bool {
        self.header_have == 0 && self.body_left == 0
    }
}

impl<IO> RecordIo<IO> {
    /// Reads `io`, which is between two records.
    pub fn new(io: IO) -> Self {
        Self { io, records: Some(Records::default()) }
    }

    /// As [`RecordIo::new`], but reads as much as it is asked for: one system call less per record on a connection that
    /// is never handed over.
    pub fn unbounded(io: IO) -> Self {
        Self { io, records: None }
    }

    /// The stream beneath.
    pub fn get_ref(&self) -> &IO {
        &self.io
    }

    /// The stream beneath, for writing. Reading from it here would tear a record apart.
    pub fn get_mut(&mut self) -> &mut IO {
        &mut self.io
    }

    /// The stream beneath, with nothing swallowed.
    ///
    /// # Errors
    /// `InvalidData` if a record was begun and not finished, or if this was made by [`RecordIo::unbounded`]: what was
    /// read and not used cannot be given back.
    pub fn into_inner(self) -> io::Result<IO> {
        if self.records.is_some_and(|records| records.is_between()) {
            Ok(self.io)
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "the connection is not between two TLS records"))
        }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for RecordIo<IO> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let Some(records) = &mut this.records else {
            return Pin::new(&mut this.io).poll_read(cx, buf);
        };
        let room = records.allowance().min(buf.remaining());
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(room));
        ready!(Pin::new(&mut this.io).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        records.account(part.filled());
        buf.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for RecordIo<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    /// Flushes; sends no FIN. Ending the connection is for whoever owns the stream beneath.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

/// A TLS stream over [`RecordIo`], of either side.
pub trait RecordTls: AsyncRead + AsyncWrite + Unpin + sealed::Sealed {
    /// The stream beneath.
    type Io: AsyncRead + AsyncWrite + Unpin;
    /// The record layer beneath.
    fn record_io(&mut self) -> &mut RecordIo<Self::Io>;
    /// Ends TLS here.
    fn into_record_io(self) -> RecordIo<Self::Io>;
}

mod sealed {
    pub trait Sealed {}
    impl<IO> Sealed for tokio_rustls::client::TlsStream<super::RecordIo<IO>> {}
    impl<IO> Sealed for tokio_rustls::server::TlsStream<super::RecordIo<IO>> {}
}

impl<IO: AsyncRead + AsyncWrite + Unpin> RecordTls for tokio_rustls::client::TlsStream<RecordIo<IO>> {
    type Io = IO;
    fn record_io(&mut self) -> &mut RecordIo<IO> {
        self.get_mut().0
    }
    fn into_record_io(self) -> RecordIo<IO> {
        self.into_inner().0
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> RecordTls for tokio_rustls::server::TlsStream<RecordIo<IO>> {
    type Io = IO;
    fn record_io(&mut self) -> &mut RecordIo<IO> {
        self.get_mut().0
    }
    fn into_record_io(self) -> RecordIo<IO> {
        self.into_inner().0
    }
}

/// The backend's half of a hand-over: called after `Assign` was read.
///
/// Reads until the edge's close_notify (which may have been read already), sends its own, and returns the stream beneath,
/// on which the device's raw bytes follow. Whether TLS was the client's or the server's side does not matter.
///
/// # Errors
/// `TimedOut` after [`limits::HAND_OVER`]; `InvalidData` if application data came before close_notify; `UnexpectedEof` if
/// the connection ended without one; otherwise what the stream gave.
pub async fn hand_over<T: RecordTls>(mut tls: T) -> io::Result<T::Io> {
    within_deadline(async {
        poll_fn(|cx| poll_close_notify(&mut tls, cx)).await?;
        tls.shutdown().await?;
        tls.into_record_io().into_inner()
    })
    .await
}

/// The edge's half of a hand-over: called after `Assign` was written and flushed.
///
/// Sends close_notify and `raw` (the device's recorded ClientHello) right behind it, reading the backend's side record by
/// record meanwhile until its close_notify, and returns the stream beneath. Whether TLS was the client's or the server's
/// side does not matter.
///
/// # Errors
/// As for [`hand_over`].
pub async fn hand_over_with<T: RecordTls>(mut tls: T, raw: &[u8]) -> io::Result<T::Io> {
    within_deadline(async {
        tls.shutdown().await?;
        let mut written = 0;
        let mut closed = false;
        poll_fn(|cx| {
            // Both halves are polled each time: the backend may wait for either before it does its part.
            while written < raw.len() {
                match Pin::new(tls.record_io().get_mut()).poll_write(cx, &raw[written..]) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(n)) => written += n,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => break,
                }
            }
            if !closed {
                closed = poll_close_notify(&mut tls, cx)?.is_ready();
            }
            if closed && written == raw.len() { Poll::Ready(Ok(())) } else { Poll::Pending }
        })
        .await?;
        let mut io = tls.into_record_io().into_inner()?;
        io.flush().await?;
        Ok(io)
    })
    .await
}

async fn within_deadline<T>(hand_over: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(limits::HAND_OVER, hand_over).await {
        Ok(done) => done,
        Err(_) => {
            let text = format!("no close_notify from the other side within {:?}", limits::HAND_OVER);
            Err(io::Error::new(io::ErrorKind::TimedOut, text))
        }
    }
}

/// Ready when the peer's close_notify has been read. Nothing but it may come.
fn poll_close_notify<T: AsyncRead + Unpin>(tls: &mut T, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
    let mut scratch = [MaybeUninit::<u8>::uninit(); 64];
    let mut buffer = ReadBuf::uninit(&mut scratch);
    ready!(Pin::new(tls).poll_read(cx, &mut buffer))?;
    if buffer.filled().is_empty() {
        Poll::Ready(Ok(()))
    } else {
        Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "application data where close_notify belongs")))
    }
}

#[cfg(test)]
mod tests;
