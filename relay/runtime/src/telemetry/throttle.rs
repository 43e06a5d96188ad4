//! So many lines a second from each place in the code: strangers can cause refusals, but they cannot fill a disk with them.

use std::{
    collections::HashMap,
    io::Write,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use tracing::{Event, Level, Metadata, Subscriber, callsite::Identifier};
use tracing_appender::non_blocking::NonBlocking;
use tracing_subscriber::layer::{Context, Filter};

use super::LogFormat;

/// Lines that a place may write at once after a quiet time: a fleet that enrols, a burst of refusals.
pub const BURST_LINES: u32 = 2_000;
/// Lines a second that a place may write in the long run: at 200 bytes each 1.7 GB a day.
pub const LINES_PER_SECOND: u32 = 100;
/// How often a place that leaves out lines says how many.
const NOTE_EVERY: Duration = Duration::from_secs(1);

/// Lets events through, or leaves them out, by where in the code they come from. Lines of `debug` and `trace` always go
/// through: somebody has asked for them.
pub struct Throttle {
    // One entry for each place that logs, so the code bounds it.
    places: Mutex<HashMap<Identifier, Place>>,
    format: LogFormat,
    writer: NonBlocking,
}

/// What a place may still write (a token bucket), and what it has left out.
#[derive(Debug)]
struct Place {
    lines: f64,
    filled: Instant,
    left_out: u64,
    noted: Instant,
}

impl Place {
    fn new(now: Instant) -> Self {
        Self { lines: f64::from(BURST_LINES), filled: now, left_out: 0, noted: now }
    }

    /// Whether a line may be written now.
    fn take(&mut self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * f64::from(LINES_PER_SECOND);
        self.lines = (self.lines + gained).min(f64::from(BURST_LINES));
        self.filled = now;
        if self.lines < 1.0 {
            self.left_out += 1;
            return false;
        }
        self.lines -= 1.0;
        true
    }

    /// How many lines were left out since the last time it was said, if it is time to say it.
    fn note(&mut self, now: Instant) -> Option<u64> {
        let due = self.left_out > 0 && now.saturating_duration_since(self.noted) >= NOTE_EVERY;
        due.then(|| {
            self.noted = now;
            std::mem::take(&mut self.left_out)
        })
    }
}

impl Throttle {
    pub(super) fn new(format: LogFormat, writer: NonBlocking) -> Self {
        Self { places: Mutex::default(), format, writer }
    }

    fn take(&self, metadata: &Metadata<'_>, now: Instant) -> bool {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = places.entry(metadata.callsite()).or_insert_with(|| Place::new(now));
        let may = place.take(now);
        if let Some(left_out) = place.note(now) {
            drop(places);
            self.say(metadata, left_out);
        }
        may
    }

    /// Written past `tracing`: an event about events left out would come back here.
    fn say(&self, metadata: &Metadata<'_>, left_out: u64) {
        let (target, line) = (metadata.target(), metadata.line().unwrap_or_default());
        let text = match self.format {
            LogFormat::Text => {
                format!("WARN {target}: {left_out} more lines like those of line {line} were left out\n")
            }
            LogFormat::Json => {
                let text = "lines were left out";
                let line = serde_json::json!({
                    "level": "WARN", "target": target, "line": line, "left_out": left_out, "message": text,
                });
                format!("{line}\n")
            }
        };
        // A full queue loses this line as it loses any other.
        let _ = self.writer.clone().write_all(text.as_bytes());
    }
}

impl<S: Subscriber> Filter<S> for Throttle {
    fn enabled(&self, _metadata: &Metadata<'_>, _context: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _context: &Context<'_, S>) -> bool {
        let metadata = event.metadata();
        *metadata.level() > Level::INFO || self.take(metadata, Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_goes_through_and_a_flood_is_cut_and_counted() {
        let start = Instant::now();
        let mut place = Place::new(start);
        assert_eq!((0..10_000).filter(|_| place.take(start)).count(), 2_000);
        assert_eq!(place.note(start), None, "not more than once a second");
        let later = start + Duration::from_secs(1);
        assert_eq!(place.note(later), Some(8_000));
        assert_eq!(place.note(later + NOTE_EVERY), None, "nothing since");
        assert_eq!((0..10_000).filter(|_| place.take(later)).count(), 100);
        assert_eq!((0..10_000).filter(|_| place.take(later + Duration::from_secs(3_600))).count(), 2_000);
    }
}
