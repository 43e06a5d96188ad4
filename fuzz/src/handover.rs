//! From TLS to raw: whatever the records and however they are cut, not one byte behind the last record is taken.
//!
//! An input is: a byte of settings, the number of schedule bytes, the schedule, and the stream. The schedule says how many bytes
//! arrive, when nothing does, and how large a buffer the reader brings; it is gone through again and again.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use fastrand::Rng;
use relay_runtime::handover::RecordIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::run::finding;

const ORACLE: &str = "handover_records";
/// Bytes of a TLS record's header (RFC 8446, section 5.1).
const HEADER: usize = 5;

/// Numbers that the schedule gives, over and over.
struct Schedule<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl Schedule<'_> {
    fn next(&mut self) -> usize {
        let byte = self.bytes.get(self.place % self.bytes.len().max(1)).copied().unwrap_or(255);
        self.place += 1;
        usize::from(byte)
    }
}

/// The TCP connection: bytes arrive by the schedule, and all that is asked of it is noted.
struct Arriving<'a> {
    stream: &'a [u8],
    given: usize,
    schedule: Schedule<'a>,
    written: Vec<u8>,
    flushes: usize,
    shut_down: bool,
}

impl AsyncRead for Arriving<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let most = match self.schedule.next() {
            pending if pending % 4 == 0 => return Poll::Pending,
            most if most > 250 => usize::MAX,
            most => most / 4 + 1,
        };
        let given = self.given;
        let length = most.min(buf.remaining()).min(self.stream.len() - given);
        buf.put_slice(&self.stream[given..given + length]);
        self.given += length;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Arriving<'_> {
    fn poll_write(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.written.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shut_down = true;
        Poll::Ready(Ok(()))
    }
}

/// Where the stream's headers and bodies end, in order: no read may go across.
fn walls(stream: &[u8]) -> Vec<usize> {
    let (mut walls, mut place) = (Vec::new(), 0);
    while let Some(header) = stream.get(place..place + HEADER) {
        let body = usize::from(header[3]) << 8 | usize::from(header[4]);
        walls.push(place + HEADER);
        place += HEADER + body;
        walls.push(place);
    }
    walls
}

/// Whether so many bytes are whole records.
fn is_between(stream: &[u8], taken: usize) -> bool {
    let mut place = 0;
    while place < taken {
        let Some(header) = stream.get(place..place + HEADER) else { return false };
        place += HEADER + (usize::from(header[3]) << 8 | usize::from(header[4]));
    }
    place == taken
}

/// From TLS to raw: whatever the records and however they are cut, not one byte behind the last record is taken.
///
/// # Panics
/// When it does not hold: that is the finding.
pub fn oracle(data: &[u8]) {
    let [settings, count, rest @ ..] = data else { return };
    let (schedule, stream) = rest.split_at(rest.len().min(usize::from(*count) % 32));
    let arriving = Arriving {
        stream,
        given: 0,
        schedule: Schedule { bytes: schedule, place: 0 },
        written: Vec::new(),
        flushes: 0,
        shut_down: false,
    };
    let bounded = settings & 1 == 0;
    let io = if bounded { RecordIo::new(arriving) } else { RecordIo::unbounded(arriving) };
    let sizes = Schedule { bytes: schedule, place: usize::from(*settings) };
    // Where the reader stops: behind some record, or at the end.
    let records = usize::from(settings >> 1 & 15);
    read(io, bounded, sizes, if records == 15 { usize::MAX } else { records }, stream);
}

/// Reads until so many records are there, nothing more comes, or the polls are used up; then takes the stream beneath.
fn read(mut io: RecordIo<Arriving<'_>>, bounded: bool, mut sizes: Schedule<'_>, records: usize, stream: &[u8]) {
    let mut cx = Context::from_waker(Waker::noop());
    let walls = walls(stream);
    let stop = records.checked_mul(2).and_then(|place| walls.get(place.wrapping_sub(1)).copied());
    let mut got = Vec::new();
    let mut room = [0; 512];
    for _ in 0..2 * stream.len() + 64 {
        if records == 0 || stop == Some(got.len()) {
            break;
        }
        let size = 1 + sizes.next() * 2;
        let mut buf = ReadBuf::new(&mut room[..size]);
        match Pin::new(&mut io).poll_read(&mut cx, &mut buf) {
            Poll::Pending => continue,
            Poll::Ready(Err(error)) => return finding(ORACLE, "reading fails", error),
            Poll::Ready(Ok(())) => {}
        }
        let (before, piece) = (got.len(), buf.filled().len());
        if piece == 0 {
            break;
        }
        got.extend_from_slice(buf.filled());
        let crossed = walls.iter().any(|wall| before < *wall && *wall < got.len());
        if bounded && crossed {
            finding(ORACLE, "a read goes across the end of a header or a record", (before, piece).1);
        }
    }
    write(&mut io, &mut cx);
    let taken = io.get_ref().given;
    if got != stream[..taken] {
        finding(ORACLE, "the reader has not what was taken", format_args!("{} of {taken}", got.len()));
    }
    let expected = bounded && is_between(stream, taken);
    match io.into_inner() {
        Ok(arriving) if expected => {
            if arriving.given != got.len() {
                finding(ORACLE, "bytes behind the last record were taken", arriving.given);
            }
        }
        Err(_) if !expected => {}
        Ok(_) => finding(ORACLE, "it gives the stream back in the middle of a record", taken),
        Err(error) => finding(ORACLE, "it does not give the stream back between two records", error),
    }
}

/// What is written goes through as it is; shutdown flushes and ends nothing (SPEC §7.3.4).
fn write(io: &mut RecordIo<Arriving<'_>>, cx: &mut Context<'_>) {
    let said = b"\x15\x03\x03\x00\x02\x01\x00";
    let written = matches!(Pin::new(&mut *io).poll_write(cx, said), Poll::Ready(Ok(7)));
    let flushed = matches!(Pin::new(&mut *io).poll_shutdown(cx), Poll::Ready(Ok(())));
    let beneath = io.get_ref();
    if !written || !flushed || beneath.written != said || beneath.flushes == 0 || beneath.shut_down {
        finding(ORACLE, "shutdown does something else than to flush", beneath.flushes);
    }
}

/// A record of this type with a body of so many bytes.
fn record(kind: u8, body: usize) -> Vec<u8> {
    let [high, low] = u16::try_from(body).unwrap_or(u16::MAX).to_be_bytes();
    let mut record = vec![kind, 3, 3, high, low];
    record.extend((0_u8..=255).cycle().take(body));
    record
}

/// Real inputs to begin with: records with close_notify behind them, and what a device says behind that.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let stream = [record(23, 40), record(23, 1), record(21, 19), b"\x16\x03\x01\x00\x03raw".to_vec()].concat();
    let empty = [record(23, 0), record(21, 2), vec![9; 30]].concat();
    let large = [record(23, 700), record(21, 19), vec![22; 20]].concat();
    let schedules: [&[u8]; 5] = [&[255], &[1, 4, 2], &[21, 255, 8, 13], &[17], &[255, 0, 255, 5, 5]];
    let mut seeds = Vec::new();
    for (stream, last) in [(&stream, 3), (&empty, 2), (&large, 2)] {
        for schedule in schedules {
            for settings in [last << 1, 30, 2, 31] {
                let count = u8::try_from(schedule.len()).unwrap_or(0);
                seeds.push([&[settings, count], schedule, stream].concat());
            }
        }
    }
    seeds
}

/// Changes the records: one longer, shorter, twice or not at all, with its length right; or the schedule. Leaves a third to
/// libFuzzer.
#[must_use]
pub fn mutate(data: &[u8], max_len: usize, chance: &mut Rng) -> Option<Vec<u8>> {
    let [settings, count, rest @ ..] = data else { return None };
    if chance.u8(..) < 80 {
        return None;
    }
    let (schedule, stream) = rest.split_at(rest.len().min(usize::from(*count) % 32));
    let (mut settings, mut schedule) = (*settings, schedule.to_vec());
    let walls = walls(stream);
    let ends = walls.iter().skip(1).step_by(2).take_while(|end| **end <= stream.len());
    let mut start = 0;
    let mut records: Vec<Vec<u8>> =
        ends.map(|end| stream[std::mem::replace(&mut start, *end)..*end].to_vec()).collect();
    let behind = stream[start..].to_vec();
    let place = chance.usize(..=records.len());
    let any = record(chance.u8(20..24), [0, 1, 2, 19, 255, 256, 300][chance.usize(..7)]);
    match chance.u8(..6) {
        0 => records.insert(place, any),
        1 if place < records.len() => drop(records.remove(place)),
        2 if place < records.len() => records[place] = any,
        3 => {
            let count = chance.usize(1..8);
            schedule = std::iter::repeat_with(|| chance.u8(..)).take(count).collect();
        }
        4 => settings = chance.u8(..),
        _ => crate::frames::edit_bytes(&mut schedule, chance),
    }
    schedule.truncate(31);
    let count = u8::try_from(schedule.len()).unwrap_or(0);
    let changed = [vec![settings, count], schedule, records.concat(), behind].concat();
    (changed.len() <= max_len).then_some(changed)
}

#[cfg(test)]
mod tests {
    use crate::{churn::churn, targets::HANDOVER_RECORDS};

    #[test]
    fn no_byte_behind_a_record_is_taken() {
        churn(&HANDOVER_RECORDS, 30_000, 2_048);
    }
}
