//! Jobs of many containers at once, results of one container in order.

use std::collections::{HashMap, VecDeque};

use crate::model::ContainerId;

/// One job's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// A job that may start.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Start<J> {
    pub(super) lane: ContainerId,
    pub(super) ticket: Ticket,
    pub(super) job: J,
}

/// What the lanes need to know of a job.
pub(super) trait Job: Clone {
    /// Whether no other such job of its container may run beside it: of two answers about the same thing
    /// the one that was asked for last must be the newer.
    fn exclusive(&self) -> bool;

    /// Whether the result of a job that is not exclusive may leave before this one's.
    fn yields(&self) -> bool;
}

/// A lane for each container that has something under way. Results leave a lane in the order in which
/// their jobs entered it, whenever they arrive; only jobs that yield are overtaken.
#[derive(Debug)]
pub(super) struct Lanes<J, R> {
    lanes: HashMap<ContainerId, VecDeque<Slot<J, R>>>,
    exclusive: VecDeque<(ContainerId, Ticket)>,
    free: VecDeque<(ContainerId, Ticket)>,
    next: u64,
    slots: usize,
}

#[derive(Debug)]
struct Slot<J, R> {
    ticket: Ticket,
    /// Whether its result may overtake jobs that yield.
    free: bool,
    stage: Stage<J, R>,
}

#[derive(Debug)]
enum Stage<J, R> {
    Waiting(J),
    Running(J),
    Done(R),
}

impl<J, R> Default for Lanes<J, R> {
    fn default() -> Self {
        Self {
            lanes: HashMap::new(),
            exclusive: VecDeque::new(),
            free: VecDeque::new(),
            next: 0,
            slots: 0,
        }
    }
}

impl<J: Job, R> Lanes<J, R> {
    /// Number of jobs and results under way.
    pub(super) const fn len(&self) -> usize {
        self.slots
    }

    /// Whether a container has anything under way.
    pub(super) fn holds(&self, lane: &ContainerId) -> bool {
        self.lanes.contains_key(lane)
    }

    /// Number of jobs and results of one container.
    pub(super) fn len_of(&self, lane: &ContainerId) -> usize {
        self.lanes.get(lane).map_or(0, VecDeque::len)
    }

    /// Whether a job of this kind still waits in a container's lane.
    pub(super) fn waits(&self, lane: &ContainerId, kind: impl Fn(&J) -> bool) -> bool {
        self.lanes.get(lane).is_some_and(|slots| {
            slots
                .iter()
                .any(|slot| matches!(&slot.stage, Stage::Waiting(job) if kind(job)))
        })
    }

    /// Whether a job of this kind waits or runs in a container's lane.
    pub(super) fn pends(&self, lane: &ContainerId, kind: impl Fn(&J) -> bool) -> bool {
        self.lanes.get(lane).is_some_and(|slots| {
            slots.iter().any(|slot| match &slot.stage {
                Stage::Waiting(job) | Stage::Running(job) => kind(job),
                Stage::Done(_) => false,
            })
        })
    }

    /// Adds a job at the end of a container's lane.
    pub(super) fn push(&mut self, lane: &ContainerId, job: J) {
        let exclusive = job.exclusive();
        let ticket = self.enter(lane, !exclusive, Stage::Waiting(job));
        let blocked = exclusive
            && self.lanes.get(lane).is_some_and(|slots| {
                slots
                    .iter()
                    .any(|slot| slot.ticket < ticket && slot.is_exclusive())
            });
        if !blocked {
            self.startable(exclusive).push_back((lane.clone(), ticket));
        }
    }

    /// Adds a result that needs no job; gives what may leave the lane now.
    pub(super) fn push_result(&mut self, lane: &ContainerId, result: R) -> Vec<R> {
        self.enter(lane, false, Stage::Done(result));
        self.leave(lane)
    }

    /// The next job to run, of the exclusive ones or of the others: neither waits for the other.
    pub(super) fn start(&mut self, exclusive: bool) -> Option<Start<J>> {
        while let Some((lane, ticket)) = self.startable(exclusive).pop_front() {
            let Some(slot) = self.slot(&lane, ticket) else {
                continue;
            };
            if let Stage::Waiting(job) = &slot.stage {
                let job = job.clone();
                slot.stage = Stage::Running(job.clone());
                return Some(Start { lane, ticket, job });
            }
        }
        None
    }

    /// Takes the result of a job; gives what may leave its lane now.
    pub(super) fn finish(&mut self, lane: &ContainerId, ticket: Ticket, result: R) -> Vec<R> {
        let Some(slot) = self.slot(lane, ticket) else {
            return Vec::new();
        };
        let exclusive = slot.is_exclusive();
        slot.stage = Stage::Done(result);
        if exclusive {
            let waiting = self.lanes.get(lane).and_then(|slots| {
                slots
                    .iter()
                    .find(|slot| matches!(&slot.stage, Stage::Waiting(job) if job.exclusive()))
            });
            let next = waiting.map(|slot| slot.ticket);
            self.exclusive.extend(next.map(|ticket| (lane.clone(), ticket)));
        }
        self.leave(lane)
    }

    /// Makes every running job wait again, in the order in which they came: their connection is gone.
    /// Gives how many of them and of those that waited are of this kind.
    pub(super) fn restart(&mut self, kind: impl Fn(&J) -> bool) -> usize {
        let (mut startable, mut of_kind) = (Vec::new(), 0);
        for (lane, slots) in &mut self.lanes {
            let mut taken = false;
            for slot in slots {
                if let Stage::Running(job) = &slot.stage {
                    slot.stage = Stage::Waiting(job.clone());
                }
                let Stage::Waiting(job) = &slot.stage else {
                    continue;
                };
                of_kind += usize::from(kind(job));
                let blocked = taken && job.exclusive();
                taken |= job.exclusive();
                if !blocked {
                    startable.push((job.exclusive(), lane.clone(), slot.ticket));
                }
            }
        }
        startable.sort_by_key(|(_, _, ticket)| *ticket);
        self.exclusive.clear();
        self.free.clear();
        for (exclusive, lane, ticket) in startable {
            self.startable(exclusive).push_back((lane, ticket));
        }
        of_kind
    }

    fn startable(&mut self, exclusive: bool) -> &mut VecDeque<(ContainerId, Ticket)> {
        if exclusive {
            &mut self.exclusive
        } else {
            &mut self.free
        }
    }

    fn enter(&mut self, lane: &ContainerId, free: bool, stage: Stage<J, R>) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.slots += 1;
        let slots = self.lanes.entry(lane.clone()).or_default();
        slots.push_back(Slot { ticket, free, stage });
        ticket
    }

    fn slot(&mut self, lane: &ContainerId, ticket: Ticket) -> Option<&mut Slot<J, R>> {
        let slots = self.lanes.get_mut(lane)?;
        slots.iter_mut().find(|slot| slot.ticket == ticket)
    }

    fn leave(&mut self, lane: &ContainerId) -> Vec<R> {
        let Some(slots) = self.lanes.get_mut(lane) else {
            return Vec::new();
        };
        let (mut results, mut passed) = (Vec::new(), 0);
        while let Some(slot) = slots.get(passed) {
            match &slot.stage {
                Stage::Done(_) if passed == 0 || slot.free => {
                    if let Some(Slot {
                        stage: Stage::Done(result),
                        ..
                    }) = slots.remove(passed)
                    {
                        results.push(result);
                    }
                }
                Stage::Waiting(job) | Stage::Running(job) if job.yields() => passed += 1,
                _ => break,
            }
        }
        if slots.is_empty() {
            self.lanes.remove(lane);
        }
        self.slots = self.slots.saturating_sub(results.len());
        results
    }
}

impl<J: Job, R> Slot<J, R> {
    fn is_exclusive(&self) -> bool {
        match &self.stage {
            Stage::Waiting(job) | Stage::Running(job) => job.exclusive(),
            Stage::Done(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq)]
    enum Test {
        Inspect(u8),
        Update,
        Exec(u8),
    }

    impl Job for Test {
        fn exclusive(&self) -> bool {
            matches!(self, Self::Inspect(_) | Self::Update)
        }

        fn yields(&self) -> bool {
            matches!(self, Self::Update)
        }
    }

    fn id(letter: &str) -> ContainerId {
        letter.repeat(64).parse().unwrap()
    }

    fn started(lanes: &mut Lanes<Test, u8>) -> Vec<(ContainerId, Ticket, Test)> {
        [true, false]
            .into_iter()
            .flat_map(|exclusive| {
                std::iter::from_fn(move || Some(exclusive))
                    .map_while(|exclusive| lanes.start(exclusive))
                    .collect::<Vec<_>>()
            })
            .map(|start| (start.lane, start.ticket, start.job))
            .collect()
    }

    #[track_caller]
    fn check(lanes: &mut Lanes<Test, u8>, expected: &[Test]) -> Vec<Ticket> {
        let all = started(lanes);
        let jobs: Vec<_> = all.iter().map(|(_, _, job)| job.clone()).collect();
        assert_eq!(jobs, expected);
        all.into_iter().map(|(_, ticket, _)| ticket).collect()
    }

    #[test]
    fn results_leave_in_the_order_of_their_jobs() {
        let mut lanes = Lanes::default();
        lanes.push(&id("a"), Test::Inspect(1));
        lanes.push(&id("a"), Test::Exec(2));
        lanes.push(&id("b"), Test::Inspect(3));
        let tickets = check(&mut lanes, &[Test::Inspect(1), Test::Inspect(3), Test::Exec(2)]);
        assert!(lanes.finish(&id("a"), tickets[2], 2).is_empty());
        assert!(lanes.push_result(&id("a"), 9).is_empty());
        assert_eq!(lanes.finish(&id("b"), tickets[1], 3), [3]);
        assert_eq!(lanes.finish(&id("a"), tickets[0], 1), [1, 2, 9]);
        assert_eq!(lanes.len(), 0);
        assert!(!lanes.holds(&id("a")));
    }

    #[test]
    fn only_what_yields_is_overtaken_and_only_by_sessions() {
        let mut lanes = Lanes::default();
        for job in [Test::Update, Test::Exec(1), Test::Exec(2)] {
            lanes.push(&id("a"), job);
        }
        let jobs = [Test::Update, Test::Exec(1), Test::Exec(2)];
        let tickets = check(&mut lanes, &jobs);
        assert!(lanes.finish(&id("a"), tickets[2], 2).is_empty());
        assert_eq!(lanes.finish(&id("a"), tickets[1], 1), [1, 2]);
        assert!(lanes.push_result(&id("a"), 9).is_empty());
        assert_eq!(lanes.finish(&id("a"), tickets[0], 0), [0, 9]);
        assert_eq!(lanes.len(), 0);
    }

    #[test]
    fn a_session_is_looked_at_beside_an_inspection_and_a_second_inspection_after_it() {
        let mut lanes = Lanes::default();
        for job in [
            Test::Inspect(1),
            Test::Inspect(2),
            Test::Exec(3),
            Test::Inspect(4),
        ] {
            lanes.push(&id("a"), job);
        }
        let first = check(&mut lanes, &[Test::Inspect(1), Test::Exec(3)]);
        assert_eq!(lanes.finish(&id("a"), first[0], 1), [1]);
        let second = check(&mut lanes, &[Test::Inspect(2)]);
        assert!(lanes.pends(&id("a"), |job| *job == Test::Inspect(2)));
        assert!(!lanes.pends(&id("a"), |job| *job == Test::Inspect(1)));
        assert_eq!(lanes.finish(&id("a"), second[0], 2), [2]);
        check(&mut lanes, &[Test::Inspect(4)]);
    }

    #[test]
    fn after_a_lost_connection_every_unfinished_job_starts_again_in_order() {
        let mut lanes = Lanes::default();
        lanes.push(&id("a"), Test::Inspect(1));
        lanes.push(&id("b"), Test::Exec(2));
        lanes.push(&id("a"), Test::Inspect(3));
        lanes.push(&id("a"), Test::Exec(4));
        let jobs = [Test::Inspect(1), Test::Exec(2), Test::Exec(4)];
        let tickets = check(&mut lanes, &jobs);
        assert!(lanes.finish(&id("a"), tickets[2], 4).is_empty());
        assert_eq!(lanes.restart(Job::exclusive), 2);
        assert!(lanes.waits(&id("a"), Job::exclusive) && lanes.len_of(&id("a")) == 3);
        let again = check(&mut lanes, &[Test::Inspect(1), Test::Exec(2)]);
        assert_eq!(again, tickets[..2]);
        assert_eq!(lanes.finish(&id("a"), again[0], 1), [1]);
        check(&mut lanes, &[Test::Inspect(3)]);
    }

    #[test]
    fn an_answer_to_nobody_is_dropped() {
        let mut lanes: Lanes<Test, u8> = Lanes::default();
        assert!(lanes.finish(&id("a"), Ticket(7), 1).is_empty());
        assert_eq!(lanes.len(), 0);
    }
}
