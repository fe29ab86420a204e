//! Verdicts that turn, and what the audit trail says of it.

use crate::check::{Assess, Basis, Benchmark, Check, Item, Signal, no_live_signal};
use crate::correlate::{Correlator, Settings};
use crate::model::testing::at;
use crate::model::{
    AuditFacts, AuditPath, AuditRecord, AuditRule, Event, Fact, FileAttributes, FileChange, Host, HostFacts,
    Object, ObjectState, Observation, Process, Role, Severity, Source, Verdict, Violation,
};

const SOCKET: &str = "/run/docker.sock";

const fn check(key: &'static str, severity: Severity, assess: fn(&Host) -> Vec<Item>) -> Check {
    Check {
        key,
        title: "A test",
        section: "host",
        level: 1,
        early_level: 1,
        scored: &[],
        basis: Basis::Facts,
        severity,
        numbers: &[(Benchmark::V1_6_0, "9.1")],
        about: "",
        remedy: "mend it",
        assess: Assess::Host(assess),
        signals: &[Signal {
            kind: "file",
            when: "it changes",
        }],
        observe: no_live_signal,
    }
}

fn modes(host: &Host) -> Vec<Item> {
    let Some(objects) = host.facts.objects.get() else {
        return vec![Item {
            subject: SOCKET.into(),
            verdict: Verdict::unknown("nobody looked"),
        }];
    };
    let judge = |object: &Object| match &object.state {
        Fact::Known(Some(state)) if state.mode & 7 == 0 => Verdict::pass(),
        Fact::Known(Some(state)) => Verdict::fail(format!("mode {:o}", state.mode), Vec::new()),
        _ => Verdict::not_applicable("not there"),
    };
    let item = |object: &Object| Item {
        subject: object.path.clone(),
        verdict: judge(object),
    };
    objects.iter().map(item).collect()
}

fn rules(host: &Host) -> Vec<Item> {
    let verdict = match host.facts.audit.look() {
        Ok(facts) if facts.rules.is_empty() => Verdict::fail("no rule", Vec::new()),
        Ok(_) => Verdict::pass(),
        Err(unknown) => unknown,
    };
    vec![Item {
        subject: SOCKET.into(),
        verdict,
    }]
}

static MODES: Check = check("docker-sock-mode", Severity::High, modes);
static RULES: Check = check("audit-docker-socket", Severity::Medium, rules);
static BOTH: [&Check; 2] = [&MODES, &RULES];

/// What watching sees, from the facts of the host that are known at the start.
struct Watch {
    correlator: Correlator,
    facts: HostFacts,
}

impl Watch {
    /// The trail has this many rules; it is not looked at without a number.
    fn new(rules: Option<usize>) -> Self {
        let mut facts = HostFacts::default();
        if let Some(rules) = rules {
            facts.audit = Fact::Known(AuditFacts {
                rules: vec![AuditRule::default(); rules],
                ..AuditFacts::default()
            });
        }
        let mut watch = Self {
            correlator: Correlator::new(Settings::default(), &BOTH),
            facts,
        };
        watch.host(0, &[(SOCKET, 0o660)], &[], &[]);
        watch
    }

    /// Objects are found with these modes: what turned, and what is broken.
    #[track_caller]
    fn host(&mut self, millis: u64, objects: &[(&str, u32)], turned: &[&str], broken: &[&str]) {
        let object = |&(path, mode): &(&str, u32)| Object {
            role: Role::EngineSocket,
            path: path.into(),
            state: Fact::Known(Some(ObjectState {
                mode,
                ..ObjectState::default()
            })),
        };
        self.facts.objects = Fact::Known(objects.iter().map(object).collect());
        let told = self.on(millis, None, Event::Host(Box::new(self.facts.clone())));
        let changes = self.correlator.take_changes();
        let changes: Vec<_> = changes
            .iter()
            .map(|one| {
                let doer = one.process.as_ref().map_or("", |process| process.comm.as_str());
                format!("{} {:?}->{:?} {doer}", one.item, one.before, one.verdict)
            })
            .collect();
        assert_eq!(changes, turned);
        assert_eq!(brief(&told), broken);
    }

    /// A process changes the socket.
    #[track_caller]
    fn chmod(&mut self, millis: u64, broken: &[&str]) {
        self.change(millis, 42, "attributes", broken);
    }

    /// A process does this to the socket.
    #[track_caller]
    fn change(&mut self, millis: u64, pid: u32, op: &str, broken: &[&str]) {
        self.change_seen(millis, pid, op, None);
        assert_eq!(broken, [""; 0]);
    }

    /// A process does this to the socket, which then has this mode, last changed at that time.
    #[track_caller]
    fn change_seen(&mut self, millis: u64, pid: u32, op: &str, seen: Option<(u32, u64)>) {
        let attributes = seen.map(|(mode, changed)| FileAttributes {
            mode,
            uid: 0,
            gid: 0,
            changed: at(changed),
        });
        let file = FileChange {
            attributes,
            path: SOCKET.into(),
            ops: vec![op.into()],
            role: Some(Role::EngineSocket),
            ino: Some(7),
            dev: Some("0:24".into()),
        };
        let told = self.on(millis, Some(pid), Event::File(file));
        assert_eq!(brief(&told), [""; 0]);
    }

    /// A record of the trail, of this inode and process.
    #[track_caller]
    fn record(&mut self, millis: u64, ino: u64, pid: u32, broken: &[&str]) {
        let record = AuditRecord {
            serial: 99,
            keys: vec!["docker".into()],
            syscall: "fchmodat".into(),
            success: Some(true),
            paths: vec![AuditPath {
                name: Some("docker.sock".into()),
                ino: Some(ino),
                dev: Some("0:24".into()),
                nametype: "NORMAL".into(),
            }],
        };
        let told = self.on(millis, Some(pid), Event::AuditRecord(record));
        assert_eq!(brief(&told), broken);
    }

    /// Time passes.
    #[track_caller]
    fn wait(&mut self, millis: u64, broken: &[&str]) {
        assert_eq!(brief(&self.correlator.advance(at(millis))), broken);
    }

    fn on(&mut self, millis: u64, pid: Option<u32>, event: Event) -> Vec<Violation> {
        let process = pid.map(|pid| Process {
            comm: "chmod".into(),
            exe: String::new(),
            ..crate::model::testing::process(pid, &["/bin/chmod"])
        });
        self.correlator.on(&Observation {
            time: at(millis),
            source: Source::Kernel,
            process,
            container: None,
            plumbing: false,
            event,
        })
    }
}

fn brief(told: &[Violation]) -> Vec<String> {
    let brief = |one: &Violation| {
        let doer = one.process.as_ref().map_or("-", |process| process.comm.as_str());
        let (class, severity) = (one.class.name(), one.severity.name());
        let confirmed = one.audit.confirmed.map_or("?".to_owned(), |yes| yes.to_string());
        let key = one.audit.key.as_deref().unwrap_or("-");
        format!(
            "{} {class} {severity} by {doer} audited:{confirmed} {key}",
            one.check.key
        )
    };
    told.iter().map(brief).collect()
}

const OPENED: (&str, u32) = (SOCKET, 0o666);
const TURNED: &str = "/run/docker.sock Some(Pass)->Fail chmod";

#[test]
fn a_change_is_told_with_who_did_it_and_confirmed_by_the_trail() {
    let mut watch = Watch::new(Some(1));
    watch.chmod(10, &[]);
    watch.host(12, &[OPENED], &[TURNED], &[]);
    watch.record(14, 8, 42, &[]);
    watch.record(15, 7, 43, &[]);
    let confirmed = "docker-sock-mode drift high by chmod audited:true docker";
    watch.record(16, 7, 42, &[confirmed]);
    watch.wait(5000, &[]);
}

#[test]
fn a_record_that_came_first_counts() {
    let mut watch = Watch::new(Some(1));
    watch.record(9, 7, 42, &[]);
    watch.chmod(10, &[]);
    let turned = "/run/docker.sock Some(Pass)->Fail chmod";
    let confirmed = "docker-sock-mode drift high by chmod audited:true docker";
    watch.host(12, &[OPENED], &[turned], &[confirmed]);
    watch.wait(5000, &[]);
}

#[test]
fn a_change_that_the_trail_does_not_show_is_a_blind_spot() {
    let drift = "docker-sock-mode drift high by chmod audited:false -";
    // Where no rule covers it, what waits for the trail waits but a moment.
    for (rules, severity, due) in [(1, "high", 1010), (0, "medium", 210)] {
        let mut watch = Watch::new(Some(rules));
        watch.chmod(10, &[]);
        watch.host(12, &[OPENED], &["/run/docker.sock Some(Pass)->Fail chmod"], &[]);
        watch.wait(due - 10, &[]);
        let blind = format!("audit-docker-socket blind-spot {severity} by chmod audited:false -");
        watch.wait(due, &[drift, &blind]);
        watch.wait(5000, &[]);
    }
}

#[test]
fn a_trail_that_nobody_looks_at_is_not_called_blind() {
    let mut watch = Watch::new(None);
    watch.chmod(10, &[]);
    let drift = "docker-sock-mode drift high by chmod audited:? -";
    watch.host(
        12,
        &[OPENED],
        &["/run/docker.sock Some(Pass)->Fail chmod"],
        &[drift],
    );
    watch.wait(5000, &[]);
}

#[test]
fn what_is_found_at_the_start_is_no_news_and_what_comes_later_is() {
    let mut watch = Watch::new(None);
    let other = ("/run/other.sock", 0o666);
    let by_nobody = "docker-sock-mode drift high by - audited:? -";
    watch.host(
        1,
        &[(SOCKET, 0o660), other],
        &["/run/other.sock None->Fail "],
        &[by_nobody],
    );
    watch.host(2, &[(SOCKET, 0o660), other], &[], &[]);
    watch.host(
        3,
        &[(SOCKET, 0o660)],
        &["/run/other.sock Some(Fail)->NotApplicable "],
        &[],
    );
    watch.host(
        4,
        &[(SOCKET, 0o660), other],
        &["/run/other.sock None->Fail "],
        &[],
    );
    let mut blind = Watch::new(None);
    blind.facts.objects = Fact::default();
    let facts = Event::Host(Box::new(blind.facts.clone()));
    assert_eq!(blind.on(1, None, facts), []);
    let turned = blind.correlator.take_changes();
    assert_eq!(turned.len(), 1, "a pass that is no longer known: {turned:?}");
}

#[test]
fn the_same_is_not_told_twice_and_mending_is_told() {
    let mut watch = Watch::new(None);
    let turned = "/run/docker.sock Some(Pass)->Fail ";
    let drift = "docker-sock-mode drift high by - audited:? -";
    watch.host(1, &[OPENED], &[turned], &[drift]);
    watch.host(2, &[OPENED], &[], &[]);
    watch.host(
        3,
        &[(SOCKET, 0o600)],
        &["/run/docker.sock Some(Fail)->Pass "],
        &[],
    );
}

#[test]
fn a_write_is_no_cause_of_a_mode() {
    let mut watch = Watch::new(None);
    watch.change(10, 43, "write", &[]);
    let nobody = "docker-sock-mode drift high by - audited:? -";
    watch.host(11, &[OPENED], &["/run/docker.sock Some(Pass)->Fail "], &[nobody]);
    let mut watch = Watch::new(None);
    watch.change(10, 42, "attributes", &[]);
    watch.change(11, 43, "write", &[]);
    watch.host(
        12,
        &[OPENED],
        &[TURNED],
        &["docker-sock-mode drift high by chmod audited:? -"],
    );
}

#[test]
fn what_was_mended_and_is_broken_again_is_told_again() {
    let mut watch = Watch::new(None);
    let turned = "/run/docker.sock Some(Pass)->Fail ";
    let mended = "/run/docker.sock Some(Fail)->Pass ";
    let drift = "docker-sock-mode drift high by - audited:? -";
    for round in 0..3 {
        let at = round * 10;
        watch.host(at + 1, &[OPENED], &[turned], &[drift]);
        watch.host(at + 2, &[OPENED], &[], &[]);
        watch.host(at + 3, &[(SOCKET, 0o660)], &[mended], &[]);
    }
    watch.wait(3_600_000, &[]);
}

/// Not to be judged for a while is not to be mended.
#[test]
fn what_was_out_of_sight_is_no_news_when_it_is_as_broken_as_before() {
    let mut watch = Watch::new(None);
    let turned = "/run/docker.sock Some(Pass)->Fail ";
    watch.host(
        1,
        &[OPENED],
        &[turned],
        &["docker-sock-mode drift high by - audited:? -"],
    );
    watch.facts.objects = Fact::default();
    let facts = Event::Host(Box::new(watch.facts.clone()));
    assert_eq!(watch.on(2, None, facts), []);
    watch.correlator.take_changes();
    watch.host(3, &[OPENED], &["/run/docker.sock Some(Unknown)->Fail "], &[]);
}

/// The violation waits for the trail while its item is mended and broken again: both are told.
#[test]
fn a_violation_that_waited_does_not_fold_the_next() {
    let mut watch = Watch::new(Some(1));
    watch.chmod(10, &[]);
    watch.host(12, &[OPENED], &[TURNED], &[]);
    watch.host(
        14,
        &[(SOCKET, 0o660)],
        &["/run/docker.sock Some(Fail)->Pass chmod"],
        &[],
    );
    let confirmed = "docker-sock-mode drift high by chmod audited:true docker";
    watch.record(16, 7, 42, &[confirmed]);
    watch.host(18, &[OPENED], &[TURNED], &[confirmed]);
    watch.host(20, &[OPENED], &[], &[]);
}

mod cause;
