//! Recorded streams: the JSON lines that were written once, read again.

use std::io::{self, BufRead, Read};

use crate::model::Line;

/// Longest line taken. The longest one we write is far below: every field is bounded where it is read.
const MAX_LINE: u64 = 4 << 20;

/// What is wrong with a line. Its number is told by [`ReplayError::line`], for whoever names the file.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It could not be read.
    #[error("cannot be read")]
    Read {
        /// Counted from one.
        line: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is longer than any line of ours.
    #[error("longer than {MAX_LINE} bytes")]
    TooLong {
        /// Counted from one.
        line: u64,
    },
    /// It is no line of a stream.
    #[error("not a line of a recorded stream")]
    Malformed {
        /// Counted from one.
        line: u64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl ReplayError {
    /// Number of the line, counted from one.
    #[must_use]
    pub const fn line(&self) -> u64 {
        match self {
            Self::Read { line, .. } | Self::TooLong { line } | Self::Malformed { line, .. } => *line,
        }
    }
}

/// The lines of a recording. It ends at the end of the file, or after the first error.
#[derive(Debug)]
pub struct Recording<R> {
    input: R,
    line: u64,
    buffer: Vec<u8>,
    over: bool,
}

impl<R: BufRead> Recording<R> {
    /// The lines that `input` holds.
    pub const fn new(input: R) -> Self {
        Self {
            input,
            line: 0,
            buffer: Vec::new(),
            over: false,
        }
    }

    /// The next line; none at the end. Blank lines are passed over.
    fn read(&mut self) -> Result<Option<Line>, ReplayError> {
        loop {
            self.line += 1;
            let line = self.line;
            self.buffer.clear();
            let length = (&mut self.input)
                .take(MAX_LINE + 1)
                .read_until(b'\n', &mut self.buffer)
                .map_err(|source| ReplayError::Read { line, source })?;
            if length == 0 {
                return Ok(None);
            }
            let text = self.buffer.trim_ascii();
            if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_LINE {
                return Err(ReplayError::TooLong { line });
            }
            if !text.is_empty() {
                return serde_json::from_slice(text)
                    .map(Some)
                    .map_err(|source| ReplayError::Malformed { line, source });
            }
        }
    }
}

impl<R: BufRead> Iterator for Recording<R> {
    type Item = Result<Line, ReplayError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.read().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::host;

    fn text() -> String {
        serde_json::to_string(&Line::Observation(Box::new(host(0)))).unwrap()
    }

    #[track_caller]
    fn check(recording: &[u8], lines: usize, error: Option<&str>) {
        let read: Vec<_> = Recording::new(recording).collect();
        let good = read.iter().filter(|line| line.is_ok()).count();
        let bad = read.last().and_then(|last| last.as_ref().err());
        let bad = bad.map(|error| format!("{}: {error}", error.line()));
        assert_eq!((good, bad.as_deref()), (lines, error));
        assert!(read.len() - good <= 1, "nothing comes after an error");
    }

    #[test]
    fn lines_are_read_up_to_the_first_that_is_none() {
        let text = text();
        check(b"", 0, None);
        check(text.as_bytes(), 1, None);
        check(format!("{text}\r\n\n{text}\n").as_bytes(), 2, None);
        let malformed = "2: not a line of a recorded stream";
        check(format!("{text}\n{{}}\n{text}").as_bytes(), 1, Some(malformed));
        check(b"\xff\xfe\n", 0, Some("1: not a line of a recorded stream"));
    }

    #[test]
    fn an_endless_line_is_cut_off() {
        let reason = "longer than 4194304 bytes";
        let endless = io::BufReader::new(io::repeat(b'x'));
        let read: Vec<_> = Recording::new(endless).collect();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].as_ref().unwrap_err().to_string(), reason);
    }
}
