//! What is known of the host and its containers, from the observations alone.

mod images;

use std::collections::HashMap;

use super::bounded::Bounded;
use super::posture::{Assessed, Posture};
use crate::check::{Check, Of};
use crate::model::{
    CapSet, Container, ContainerAction, ContainerId, ContainerState, Event, Host, Observation, Process, Time,
};

/// Containers and images that checks can see; a host that has more is told so.
const CAPACITY: usize = 4096;

/// What the kernel and the engine said of one container's life, beside its facts.
#[derive(Debug, Default)]
struct Life {
    /// Its first program.
    first: Option<Box<Process>>,
    /// Set when its start was seen: the process id, where the engine told.
    started: Option<Option<u32>>,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) host: Host,
    pub(super) posture: Posture,
    /// Place in `host.containers`.
    containers: HashMap<ContainerId, usize>,
    /// Place in `host.images`.
    images: HashMap<String, usize>,
    lives: Bounded<ContainerId, Life>,
    /// Containers and images that pushed another out.
    pub(super) lost: u64,
}

/// What an observation taught.
#[derive(Debug, Default)]
pub(super) struct Learnt {
    /// Verdicts on the container that it told of.
    pub(super) assessed: Vec<Assessed>,
    /// Whether the container started just now.
    pub(super) started: bool,
    /// Whether its start was seen, now or before.
    pub(super) start_seen: bool,
    /// Verdicts on anything else: the host's items, images, containers in the light of other facts of the host.
    pub(super) reassessed: Vec<Reassessed>,
}

/// A verdict on something that the observation did not tell of itself.
#[derive(Debug)]
pub(super) struct Reassessed {
    pub(super) of: Of,
    pub(super) one: Assessed,
}

impl Learnt {
    fn again(reassessed: Vec<Reassessed>) -> Self {
        Self {
            reassessed,
            ..Self::default()
        }
    }
}

/// What changed of these.
fn reassessed(of: &Of, assessed: Vec<Assessed>) -> Vec<Reassessed> {
    assessed
        .into_iter()
        .filter(|one| one.is_change() || one.is_drift())
        .map(|one| Reassessed { of: of.clone(), one })
        .collect()
}

impl World {
    pub(super) fn new(checks: &'static [&'static Check]) -> Self {
        Self {
            host: Host::default(),
            posture: Posture::new(checks),
            containers: HashMap::new(),
            images: HashMap::new(),
            lives: Bounded::new(CAPACITY),
            lost: 0,
        }
    }

    pub(super) fn container(&self, id: Option<&ContainerId>) -> Option<&Container> {
        let place = self.containers.get(id?)?;
        self.host.containers.as_ref()?.get(*place)
    }

    /// The first program of a container, where it is known to be that.
    pub(super) fn first_program(&self, id: Option<&ContainerId>) -> Option<&Process> {
        self.lives.get(id?)?.first.as_deref()
    }

    pub(super) fn first_bounding(&self, id: Option<&ContainerId>) -> Option<CapSet> {
        self.first_program(id).map(|process| process.caps_bounding)
    }

    /// Takes in what an observation says of the world.
    pub(super) fn learn(&mut self, observation: &Observation) -> Learnt {
        let at = observation.time;
        match &observation.event {
            Event::Host(facts) => {
                self.host.facts = facts.as_ref().clone();
                self.host.taken = Some(at);
                return self.reassess(at);
            }
            Event::Policy(policy) => {
                self.host.policy = policy.clone();
                return self.reassess(at);
            }
            Event::Image(image) => return self.learn_image(image, at),
            Event::ImageRemoved { id } => {
                let named = self.drop_image(id);
                return Learnt::again(self.reassess_users(&named, at));
            }
            Event::ImageFiles { id, files } => return self.learn_files(id, files, at),
            Event::Container { action, facts } => return self.learn_container(*action, facts, at),
            Event::Exec(_) if !observation.plumbing => self.note_program(observation),
            _ => {}
        }
        Learnt::default()
    }

    /// Facts of the host and the policy bear on every verdict.
    fn reassess(&mut self, at: Time) -> Learnt {
        let mut all = reassessed(&Of::Host, self.posture.assess_host(&self.host, at));
        for facts in self.host.containers.iter().flatten() {
            let assessed = self.posture.assess_container(facts, &self.host, at);
            all.extend(reassessed(&Of::Container(facts.id.clone()), assessed));
        }
        for image in self.host.images.iter().flatten() {
            let assessed = self.posture.assess_image(image, &self.host, at);
            all.extend(reassessed(&Of::Image(image.id.clone()), assessed));
        }
        Learnt::again(all)
    }

    fn learn_container(&mut self, action: ContainerAction, facts: &Container, at: Time) -> Learnt {
        if action == ContainerAction::Removed {
            self.drop_container(&facts.id);
            return Learnt::default();
        }
        self.keep_container(facts);
        let mut life = self.lives.remove(&facts.id).unwrap_or_default();
        let mut started = false;
        match action {
            ContainerAction::Stopped => life = Life::default(),
            ContainerAction::Started => {
                // Told twice, for instance by the list after a reconnection, it is one start; with
                // another process it is another.
                started = !life
                    .started
                    .is_some_and(|pid| pid == facts.pid || pid.is_none() || facts.pid.is_none());
                life.started = Some(facts.pid);
            }
            _ => {}
        }
        // A program seen before the engine told may have entered a container that ran for long.
        life.first = life.first.filter(|first| is_first(first, facts));
        let start_seen = life.started.is_some();
        self.keep_life(facts.id.clone(), life);
        Learnt {
            assessed: self.posture.assess_container(facts, &self.host, at),
            started,
            start_seen,
            reassessed: Vec::new(),
        }
    }

    fn note_program(&mut self, observation: &Observation) {
        let id = observation
            .container
            .as_ref()
            .and_then(|container| container.id.as_ref());
        let (Some(id), Some(process)) = (id, &observation.process) else {
            return;
        };
        if self
            .container(Some(id))
            .is_some_and(|facts| !is_first(process, facts))
        {
            return;
        }
        match self.lives.touch(id) {
            Some(life) => {
                life.first.get_or_insert_with(|| Box::new(process.clone()));
            }
            None => {
                let first = Some(Box::new(process.clone()));
                self.keep_life(id.clone(), Life { first, started: None });
            }
        }
    }

    fn keep_life(&mut self, id: ContainerId, life: Life) {
        if let Some((pushed_out, _)) = self.lives.insert(id, life) {
            self.lost += u64::from(self.containers.contains_key(&pushed_out));
        }
    }

    fn keep_container(&mut self, facts: &Container) {
        let all = self.host.containers.get_or_insert_default();
        if let Some(known) = self
            .containers
            .get(&facts.id)
            .and_then(|place| all.get_mut(*place))
        {
            *known = facts.clone();
            return;
        }
        if all.len() >= CAPACITY {
            let idle = all
                .iter()
                .find(|known| known.state != ContainerState::Running)
                .or(all.first());
            if let Some(id) = idle.map(|known| known.id.clone()) {
                self.drop_container(&id);
                self.lost += 1;
            }
        }
        let all = self.host.containers.get_or_insert_default();
        self.containers.insert(facts.id.clone(), all.len());
        all.push(facts.clone());
    }

    fn drop_container(&mut self, id: &ContainerId) {
        self.lives.remove(id);
        self.posture.forget_container(id);
        let Some(place) = self.containers.remove(id) else {
            return;
        };
        let all = self.host.containers.get_or_insert_default();
        if place < all.len() {
            all.swap_remove(place);
        }
        if let Some(moved) = all.get(place) {
            self.containers.insert(moved.id.clone(), place);
        }
    }
}

/// Whether a process can be the container's first, as far as its engine tells.
fn is_first(process: &Process, facts: &Container) -> bool {
    facts.pid.is_none_or(|pid| pid == process.pid)
}
