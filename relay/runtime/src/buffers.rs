//! 64 KiB buffers that a tunnel holds only while bytes are on their way through it.
//!
//! An idle tunnel holds none, so a thousand idle tunnels cost no more than their TLS state; a busy one reads and writes in
//! large steps, which is what its CPU time is spent on.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes of a buffer: four full TLS records.
pub const BUFFER_BYTES: usize = 64 * 1_024;
/// Buffers kept for the next use: 4 MiB; more in use at once are allocated and freed.
const KEPT: usize = 64;

/// Buffers that are not in use. Cloning it shares them.
#[derive(Clone, Default)]
pub struct Buffers {
    free: Arc<Mutex<Vec<Box<[u8]>>>>,
}

impl Buffers {
    /// A buffer with undefined contents.
    #[must_use]
    pub fn take(&self) -> Box<[u8]> {
        let kept = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        kept.unwrap_or_else(|| vec![0; BUFFER_BYTES].into_boxed_slice())
    }

    /// Takes a buffer back.
    pub fn give_back(&self, buffer: Box<[u8]>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() < KEPT && buffer.len() == BUFFER_BYTES {
            free.push(buffer);
        }
    }
}

/// A stream that is read in large steps, however small the reader's are.
///
/// rustls asks its stream for 4 KiB at a time; without this a tunnel makes four system calls per record.
pub struct ReadAhead<IO> {
    io: IO,
    buffers: Buffers,
    ahead: Option<Ahead>,
}

struct Ahead {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl<IO> ReadAhead<IO> {
    /// Reads `io` ahead.
    #[must_use]
    pub const fn new(io: IO, buffers: Buffers) -> Self {
        Self { io, buffers, ahead: None }
    }

    /// The stream beneath.
    pub const fn get_ref(&self) -> &IO {
        &self.io
    }
}

impl<IO> Drop for ReadAhead<IO> {
    fn drop(&mut self) {
        if let Some(ahead) = self.ahead.take() {
            self.buffers.give_back(ahead.bytes);
        }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for ReadAhead<IO> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.ahead.is_none() {
            if out.remaining() >= BUFFER_BYTES {
                return Pin::new(&mut this.io).poll_read(cx, out);
            }
            let mut bytes = this.buffers.take();
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = Pin::new(&mut this.io).poll_read(cx, &mut buffer);
            let end = buffer.filled().len();
            if end == 0 || !matches!(read, Poll::Ready(Ok(()))) {
                this.buffers.give_back(bytes);
                return read;
            }
            this.ahead = Some(Ahead { bytes, start: 0, end });
        }
        if let Some(ahead) = &mut this.ahead {
            let count = out.remaining().min(ahead.end - ahead.start);
            out.put_slice(&ahead.bytes[ahead.start..ahead.start + count]);
            ahead.start += count;
        }
        if let Some(ahead) = this.ahead.take_if(|ahead| ahead.start == ahead.end) {
            this.buffers.give_back(ahead.bytes);
        }
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for ReadAhead<IO> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// One direction of a copy: from a reader to a writer, then end of stream.
pub struct Direction {
    buffers: Buffers,
    buffer: Option<Box<[u8]>>,
    start: usize,
    end: usize,
    state: State,
    unflushed: bool,
    moved: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Copying,
    /// The reader has ended; what is left goes out, then the end of stream.
    Ending,
    Done,
}

/// Which end failed.
#[derive(Debug)]
pub enum Broken {
    /// Reading did: the reader's peer vanished.
    Reader(io::Error),
    /// Writing did: the writer's peer vanished.
    Writer(io::Error),
}

impl Direction {
    /// Nothing copied yet.
    #[must_use]
    pub const fn new(buffers: Buffers) -> Self {
        Self { buffers, buffer: None, start: 0, end: 0, state: State::Copying, unflushed: false, moved: 0 }
    }

    /// Bytes that the writer has taken.
    #[must_use]
    pub const fn moved(&self) -> u64 {
        self.moved
    }

    /// Copies as far as both ends go; ready when the end of stream has been passed on.
    ///
    /// # Errors
    /// [`Broken`].
    pub fn poll_copy<R, W>(&mut self, reader: &mut R, writer: &mut W, cx: &mut Context<'_>) -> Poll<Result<(), Broken>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            let mut reading_waits = false;
            while self.state == State::Copying && self.end < BUFFER_BYTES {
                match self.poll_fill(reader, cx) {
                    Poll::Ready(done) => done?,
                    Poll::Pending => {
                        reading_waits = true;
                        break;
                    }
                }
            }
            while self.start < self.end {
                ready!(self.poll_drain(writer, cx))?;
            }
            self.start = 0;
            self.end = 0;
            if let Some(buffer) = self.buffer.take() {
                self.buffers.give_back(buffer);
            }
            match self.state {
                State::Copying if !reading_waits => {}
                State::Copying => {
                    if self.unflushed {
                        ready!(Pin::new(&mut *writer).poll_flush(cx)).map_err(Broken::Writer)?;
                        self.unflushed = false;
                    }
                    return Poll::Pending;
                }
                State::Ending => {
                    ready!(Pin::new(&mut *writer).poll_shutdown(cx)).map_err(Broken::Writer)?;
                    self.state = State::Done;
                }
                State::Done => return Poll::Ready(Ok(())),
            }
        }
    }

    fn poll_fill<R: AsyncRead + Unpin>(&mut self, reader: &mut R, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        let buffer = self.buffer.get_or_insert_with(|| self.buffers.take());
        let mut room = ReadBuf::new(&mut buffer[self.end..]);
        ready!(Pin::new(reader).poll_read(cx, &mut room)).map_err(Broken::Reader)?;
        match room.filled().len() {
            0 => self.state = State::Ending,
            read => self.end += read,
        }
        Poll::Ready(Ok(()))
    }

    fn poll_drain<W: AsyncWrite + Unpin>(&mut self, writer: &mut W, cx: &mut Context<'_>) -> Poll<Result<(), Broken>> {
        let Some(buffer) = &self.buffer else { return Poll::Ready(Ok(())) };
        let written = ready!(Pin::new(writer).poll_write(cx, &buffer[self.start..self.end])).map_err(Broken::Writer)?;
        if written == 0 {
            return Poll::Ready(Err(Broken::Writer(io::ErrorKind::WriteZero.into())));
        }
        self.start += written;
        self.moved += written as u64;
        self.unflushed = true;
        Poll::Ready(Ok(()))
    }
}

impl Drop for Direction {
    fn drop(&mut self) {
        if let Some(buffer) = self.buffer.take() {
            self.buffers.give_back(buffer);
        }
    }
}

#[cfg(test)]
mod tests;
