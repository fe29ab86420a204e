//! A running `hullwatch watch` and what it says.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::line::Line;
use crate::patience::PATIENCE;

/// Lines of the stream that a failure shows.
const SHOWN: usize = 50;

/// A place in the stream: what was said before it does not count. The default is the beginning.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(usize);

#[derive(Debug, Default)]
struct Heard {
    lines: Vec<Line>,
    /// What was on stdout and is no line of the stream.
    garbage: Option<String>,
    stderr: String,
    ended: bool,
}

#[derive(Debug, Default)]
struct Ear {
    heard: Mutex<Heard>,
    news: Condvar,
}

impl Ear {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, change: impl FnOnce(&mut Heard)) {
        change(&mut self.lock());
        self.news.notify_all();
    }
}

/// A watching `hullwatch`. It ends when this is dropped.
#[derive(Debug)]
pub struct Watch {
    child: Child,
    ear: Arc<Ear>,
}

impl Watch {
    /// Starts a command that writes the stream and waits for its `started`.
    ///
    /// # Errors
    /// It ends, or does not start in time; what it said is in the message.
    pub fn start(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", command.get_program().display()))?;
        let stdout = child.stdout.take().context("stdout")?;
        let mut stderr = child.stderr.take().context("stderr")?;
        let ear = Arc::new(Ear::default());
        let of_log = Arc::clone(&ear);
        let log = std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(length @ 1..) = stderr.read(&mut piece) {
                let text = String::from_utf8_lossy(piece.get(..length).unwrap_or_default()).into_owned();
                of_log.hear(|heard| heard.stderr.push_str(&text));
            }
        });
        let of_lines = Arc::clone(&ear);
        std::thread::spawn(move || {
            for text in BufReader::new(stdout).lines().map_while(Result::ok) {
                match Line::parse(&text) {
                    Ok(line) => of_lines.hear(|heard| heard.lines.push(line)),
                    Err(_) => of_lines.hear(|heard| heard.garbage = Some(text)),
                }
            }
            // Its last words belong to its end.
            log.join().ok();
            of_lines.hear(|heard| heard.ended = true);
        });
        let watch = Self { child, ear };
        watch.expect(Mark(0), "status started", |line| {
            line.is_status("started", "hullwatch")
        })?;
        Ok(watch)
    }

    /// Here: only what is said from now on counts.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.ear.lock().lines.len())
    }

    /// Waits for a line after the mark.
    ///
    /// # Errors
    /// There is none in time, or the process ended; the last lines and the log are in the message.
    pub fn expect(&self, from: Mark, what: &str, is_it: impl Fn(&Line) -> bool) -> Result<Line> {
        self.expect_within(PATIENCE, from, what, is_it)
    }

    /// Waits for a line after the mark, so long.
    ///
    /// # Errors
    /// As [`Watch::expect`].
    pub fn expect_within(
        &self,
        limit: Duration,
        from: Mark,
        what: &str,
        is_it: impl Fn(&Line) -> bool,
    ) -> Result<Line> {
        let end = Instant::now() + limit;
        let mut next = from.0;
        let mut heard = self.ear.lock();
        loop {
            if let Some(found) = heard.lines.iter().skip(next).find(|line| is_it(line)) {
                return Ok(found.clone());
            }
            next = heard.lines.len();
            let left = end.saturating_duration_since(Instant::now());
            if heard.garbage.is_some() || heard.ended || left.is_zero() {
                bail!("{what}: {}", report(&heard, from));
            }
            heard = self
                .ear
                .news
                .wait_timeout(heard, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Waits for a violation of a check after the mark.
    ///
    /// # Errors
    /// As [`Watch::expect`].
    pub fn violation(&self, from: Mark, key: &str, is_it: impl Fn(&Line) -> bool) -> Result<Line> {
        self.expect(from, &format!("violation of {key}"), |line| {
            line.is_violation(key) && is_it(line)
        })
    }

    /// Waits for an observation of a kind after the mark.
    ///
    /// # Errors
    /// As [`Watch::expect`].
    pub fn observation(&self, from: Mark, kind: &str, is_it: impl Fn(&Line) -> bool) -> Result<Line> {
        self.expect(from, &format!("observation of kind {kind}"), |line| {
            line.is_observation(kind) && is_it(line)
        })
    }

    /// Fails if there is such a line after the mark. Call it once a later line has been seen that came the
    /// same way.
    ///
    /// # Errors
    /// There is one.
    pub fn none_since(&self, from: Mark, what: &str, is_it: impl Fn(&Line) -> bool) -> Result<()> {
        let heard = self.ear.lock();
        match heard.lines.iter().skip(from.0).find(|line| is_it(line)) {
            Some(line) => bail!("{what} must not be said, but was: {line}"),
            None => Ok(()),
        }
    }

    /// Every line after the mark.
    #[must_use]
    pub fn lines(&self, from: Mark) -> Vec<Line> {
        self.ear.lock().lines.iter().skip(from.0).cloned().collect()
    }

    /// Every line after the mark, which moves to the end: each line is given once.
    pub fn take(&self, from: &mut Mark) -> Vec<Line> {
        let lines = self.lines(*from);
        from.0 += lines.len();
        lines
    }

    /// Every line since the start.
    #[must_use]
    pub fn all_lines(&self) -> Vec<Line> {
        self.lines(Mark(0))
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops it as a scheduler might: it reads nothing until it is resumed.
    ///
    /// # Errors
    /// It has ended.
    pub fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// It has ended.
    pub fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id())
            .ok()
            .and_then(Pid::from_raw)
            .context("pid")?;
        kill_process(pid, signal).context("signal hullwatch")
    }

    /// Asks it to end as a person does with Ctrl-C, and gives every line and its exit code.
    ///
    /// # Errors
    /// It does not end in time.
    pub fn stop(mut self) -> Result<(Vec<Line>, Option<i32>)> {
        self.signal(Signal::INT)?;
        let status = crate::eventually("hullwatch ends", PATIENCE, || {
            self.child.try_wait().ok().flatten()
        })?;
        crate::eventually("the stream ends", PATIENCE, || {
            self.ear.lock().ended.then_some(())
        })?;
        Ok((self.all_lines(), status.code()))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What was heard, for a person who must find out why a test failed.
fn report(heard: &Heard, from: Mark) -> String {
    let why = match (&heard.garbage, heard.ended) {
        (Some(garbage), _) => format!("stdout is no stream: {garbage}"),
        (None, true) => "hullwatch ended".to_owned(),
        (None, false) => "not said in time".to_owned(),
    };
    let start = from.0.max(heard.lines.len().saturating_sub(SHOWN));
    let lines: Vec<&str> = heard
        .lines
        .iter()
        .skip(start)
        .map(|line| line.text.as_str())
        .collect();
    format!(
        "{why}\n--- stream\n{}\n--- stderr\n{}",
        lines.join("\n"),
        heard.stderr
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const STARTED: &str = r#"{"type":"status","state":"started","component":"hullwatch"}"#;
    const VIOLATION: &str = r#"{"type":"violation","check":{"key":"a-key"},"container":{"id":"c"}}"#;

    /// A product that says these lines and then does this; asked to end, it exits with 7.
    fn saying(lines: &[&str], then: &str) -> Result<Watch> {
        let script = format!("trap 'exit 7' INT; for line; do echo \"$line\"; done; {then}");
        Watch::start(Command::new("sh").args(["-c", &script, "sh"]).args(lines))
    }

    #[test]
    fn lines_are_found_after_the_mark_only() {
        let watch = saying(&[STARTED, VIOLATION], "exec sleep 1000").unwrap();
        let said = watch
            .violation(Mark::default(), "a-key", |line| line.is_in("c"))
            .unwrap();
        assert_eq!(said.text, VIOLATION);
        assert!(
            watch
                .none_since(Mark::default(), "it", |line| line.is_violation("a-key"))
                .is_err()
        );
        watch
            .none_since(watch.mark(), "it", |line| line.is_violation("a-key"))
            .unwrap();
        let soon = Duration::from_millis(1);
        assert!(watch.expect_within(soon, watch.mark(), "more", |_| true).is_err());
    }

    #[test]
    fn an_end_is_told_with_what_was_said_before() {
        let watch = saying(&[STARTED, VIOLATION], "echo because >&2").unwrap();
        let error = watch
            .violation(Mark::default(), "another", |_| true)
            .unwrap_err()
            .to_string();
        for part in ["hullwatch ended", "a-key", "because"] {
            assert!(error.contains(part), "{error}");
        }
        let error = saying(&[], "echo because >&2; exit 3").unwrap_err().to_string();
        assert!(error.contains("hullwatch ended"), "{error}");
    }

    #[test]
    fn stdout_is_the_stream_and_nothing_else() {
        let error = saying(&["starting up"], "exec sleep 1000")
            .unwrap_err()
            .to_string();
        assert!(error.contains("stdout is no stream: starting up"), "{error}");
    }

    #[test]
    fn it_ends_when_it_is_asked_to() {
        let watch = saying(&[STARTED], "while :; do sleep 0.01; done").unwrap();
        let (lines, code) = watch.stop().unwrap();
        assert_eq!((lines.len(), code), (1, Some(7)));
    }
}
