//! Exec sessions: which program belongs to which, and which ones no program was seen of.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::model::{Event, ExecSession, Observation, Process, Time};

/// A session whose program was not seen by then speaks for itself.
const PATIENCE: Duration = Duration::from_secs(5);
/// A program this much later no longer belongs to it.
const WINDOW: Duration = Duration::from_secs(30);
/// Sessions remembered; the oldest makes room.
const CAPACITY: usize = 1024;
/// Programs remembered for a session of which the engine tells late.
const RECENT: usize = 256;

/// Place among the sessions: when it speaks for itself, and a number.
pub(super) type Place = (Time, u64);

#[derive(Debug, PartialEq, Eq)]
enum State {
    Waiting,
    /// It spoke for itself.
    Told,
    /// Its program was seen.
    Claimed,
}

#[derive(Debug)]
struct Entry {
    observation: Observation,
    state: State,
}

/// A program that entered a container while no session was known for it.
#[derive(Debug)]
pub(super) struct Stray {
    pub(super) observation: Observation,
    /// Keys of the checks that it was found to break.
    pub(super) broke: Vec<&'static str>,
}

/// What a told session leads to.
#[derive(Debug)]
pub(super) enum Arrival {
    /// Its program is still to come, or it was known.
    Kept,
    /// Its program was seen before.
    Late(Box<Stray>),
}

#[derive(Debug, Default)]
pub(super) struct Sessions {
    entries: BTreeMap<Place, Entry>,
    strays: VecDeque<Stray>,
    tickets: u64,
}

impl Sessions {
    /// Takes in a session, or more about a known one. Call [`Self::crowded`] before. `own` is the container's
    /// own first process, which may have been seen before the engine told of it.
    pub(super) fn add(
        &mut self,
        observation: &Observation,
        session: &ExecSession,
        own: Option<u32>,
    ) -> Arrival {
        let known = self
            .entries
            .iter()
            .find_map(|(place, entry)| (told(entry)?.id == session.id).then_some(*place));
        let place = known.unwrap_or_else(|| {
            self.tickets += 1;
            (observation.time.after(PATIENCE), self.tickets)
        });
        let entry = self.entries.entry(place).or_insert_with(|| Entry {
            observation: observation.clone(),
            state: State::Waiting,
        });
        entry.observation.event = Event::ExecSession(session.clone());
        if entry.state != State::Waiting {
            return Arrival::Kept;
        }
        let stray = self
            .strays
            .iter()
            .position(|stray| claims(&stray.observation, session) && !is(&stray.observation, own));
        match stray.and_then(|position| self.strays.remove(position)) {
            Some(stray) => {
                entry.state = State::Claimed;
                Arrival::Late(Box::new(stray))
            }
            None => Arrival::Kept,
        }
    }

    /// The session to be told of next so that another one has room.
    pub(super) fn crowded(&self) -> Option<Place> {
        (self.entries.len() >= CAPACITY)
            .then(|| self.entries.keys().next().copied())
            .flatten()
    }

    /// Makes room.
    pub(super) fn remove(&mut self, place: Place) {
        self.entries.remove(&place);
    }

    /// The session that an exec belongs to; no other exec will be given it.
    pub(super) fn claim(&mut self, exec: &Observation) -> Option<ExecSession> {
        let entry = self.entries.values_mut().find(|entry| {
            entry.state != State::Claimed && told(entry).is_some_and(|told| claims(exec, told))
        })?;
        entry.state = State::Claimed;
        told(entry).cloned()
    }

    /// Remembers an exec that entered a container and that no session claimed.
    pub(super) fn stray(&mut self, exec: &Observation, broke: Vec<&'static str>) {
        if self.strays.len() >= RECENT {
            // The session that may still come then speaks for itself, so nothing is lost.
            self.strays.pop_front();
        }
        self.strays.push_back(Stray {
            observation: exec.clone(),
            broke,
        });
    }

    /// The first session after `place` that is due by `now` to speak for itself.
    pub(super) fn next_due(&self, after: Option<Place>, now: Time) -> Option<Place> {
        self.entries
            .iter()
            .take_while(|(place, _)| place.0 <= now)
            .find(|(place, entry)| entry.state == State::Waiting && after.is_none_or(|after| **place > after))
            .map(|(place, _)| *place)
    }

    /// The session at a place, as it was observed.
    pub(super) fn observation(&self, place: Place) -> Option<&Observation> {
        self.entries
            .get(&place)
            .filter(|entry| entry.state == State::Waiting)
            .map(|entry| &entry.observation)
    }

    /// Notes that the session spoke for itself.
    pub(super) fn mark_told(&mut self, place: Place) {
        if let Some(entry) = self.entries.get_mut(&place) {
            entry.state = State::Told;
        }
    }

    /// Forgets what no program can belong to any more.
    pub(super) fn forget(&mut self, now: Time) {
        let over = |time: Time| now.since(time) > WINDOW;
        while self
            .entries
            .first_key_value()
            .is_some_and(|(_, entry)| over(entry.observation.time) && entry.state != State::Waiting)
        {
            self.entries.pop_first();
        }
        while self
            .strays
            .front()
            .is_some_and(|stray| over(stray.observation.time))
        {
            self.strays.pop_front();
        }
    }
}

fn is(observation: &Observation, pid: Option<u32>) -> bool {
    pid.is_some() && observation.process.as_ref().map(|process| process.pid) == pid
}

fn told(entry: &Entry) -> Option<&ExecSession> {
    match &entry.observation.event {
        Event::ExecSession(session) => Some(session),
        _ => None,
    }
}

/// Whether an exec is the start of a session's program.
fn claims(exec: &Observation, session: &ExecSession) -> bool {
    let container = exec
        .container
        .as_ref()
        .and_then(|container| container.id.as_ref());
    let (Event::Exec(event), Some(process)) = (&exec.event, &exec.process) else {
        return false;
    };
    event.entry
        && container == Some(&session.container)
        && session
            .pid
            .map_or_else(|| runs(process, &session.command), |pid| pid == process.pid)
}

/// Whether a process runs a command: with its very arguments, or as the script that it names, before
/// which the kernel puts the interpreter (`execve(2)`).
fn runs(process: &Process, command: &[String]) -> bool {
    let args = process.args.as_slice();
    if process.args_truncated {
        return starts_with(command, args);
    }
    if args == command {
        return true;
    }
    let Some((script, rest)) = command.split_first() else {
        return false;
    };
    let Some((before, tail)) = args
        .len()
        .checked_sub(rest.len())
        .and_then(|at| args.split_at_checked(at))
    else {
        return false;
    };
    let name = |path: &String| path.rsplit('/').next().map(str::to_owned);
    // The interpreter, perhaps one argument for it, the script's path.
    matches!(before, [_, path] | [_, _, path] if name(path) == name(script)) && tail == rest
}

/// Whether a command begins with these arguments, of which the last may be cut short.
fn starts_with(command: &[String], args: &[String]) -> bool {
    let Some((last, whole)) = args.split_last() else {
        return false;
    };
    command
        .get(..whole.len())
        .is_some_and(|beginning| beginning == whole)
        && command
            .get(whole.len())
            .is_some_and(|argument| argument.starts_with(last.as_str()))
}
