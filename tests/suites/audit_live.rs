//! The trail goes blind: said at once, of whom, by the right check, and once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{AuditDaemon, Line, Mark, PATIENCE, Watch, eventually};
use rustix::process::Signal;

use crate::audited::Audited;
use crate::case::cases;
use crate::schema::Schemas;

cases! {
    alone:
        what_blinds_the_trail_is_told_at_once;
}

/// How soon everything must be said: 2 s are promised, and a machine that does other things gets more.
const SOON: Duration = Duration::from_secs(5);
/// Checks of the directory of the configuration, and of one that stands for them all.
const DIRECTORY: &str = "audit-etc-docker";
const AUDITCTL: &str = "auditctl";

/// A world whose trail is complete, and who watches it.
struct Scene {
    // In the order in which they end.
    watch: Watch,
    host: Audited,
    rules: String,
}

impl Scene {
    fn new() -> Result<Self> {
        let host = Audited::new()?;
        let rules = host.proposed()?;
        host.load(&rules)?;
        let uri = host.world.dockerd.uri();
        let mut command = host.world.hullwatch();
        let watch = Watch::start(command.args(["watch", "--json", "--engine", &uri]))?;
        watch.expect(Mark::default(), "that records can be expected", |line| {
            line.is_status("started", "audit")
        })?;
        let scene = Self { watch, host, rules };
        scene.watches_files()?;
        Ok(scene)
    }

    /// Makes changes until one is told: what is found at the start is no news.
    fn watches_files(&self) -> Result<()> {
        let socket = self.host.world.dockerd.socket();
        eventually("the files are watched", PATIENCE, || {
            let fails = self.turns("docker-sock-mode", "fail", || mode("666", &socket));
            let passes = self.turns("docker-sock-mode", "pass", || mode("660", &socket));
            fails.and(passes).ok()
        })
    }

    fn configuration(&self) -> PathBuf {
        self.host.world.dockerd.configuration()
    }

    /// Does something after which a check's verdict on anything must be this at once.
    fn turns(&self, check: &str, verdict: &str, deed: impl FnOnce() -> Result<()>) -> Result<()> {
        let mark = self.watch.mark();
        deed()?;
        let what = format!("{check} turns to {verdict}");
        self.watch.expect_within(SOON, mark, &what, |line| {
            line.text("/type") == "posture"
                && line.text("/check/key") == check
                && line.text("/verdict") == verdict
        })?;
        Ok(())
    }

    /// Does something that must be told at once as a drift of an audit check, by this program.
    fn drifts(&self, why: &str, by: &str, deed: impl FnOnce() -> Result<()>) -> Result<Line> {
        let mark = self.watch.mark();
        deed()?;
        self.watch
            .expect_within(SOON, mark, &format!("drift: {why}"), |line| {
                line.text("/type") == "violation"
                    && line.text("/class") == "drift"
                    && line.text("/check/key").starts_with("audit-")
                    && line.text("/summary").contains(why)
                    && program(line) == by
            })
    }

    /// Loads everything again.
    fn restore(&self) -> Result<()> {
        self.host.audit.clear()?;
        self.turns(DIRECTORY, "pass", || {
            self.host.audit.load(&self.host.world.path(""), &self.rules)
        })
    }

    fn auditctl(&self, args: &[&str]) -> Result<()> {
        self.host.audit.control(args).map(drop)
    }

    /// The rules about the directory of the configuration.
    fn own_rules(&self) -> Result<Vec<Vec<&str>>> {
        let of = format!("dir={}", self.configuration().display());
        let rules = self.rules.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let own: Vec<_> = rules.filter(|words| words.contains(&of.as_str())).collect();
        ensure!(
            own.len() == 2,
            "rules of both architectures for {of} in\n{}",
            self.rules
        );
        Ok(own)
    }
}

fn program(line: &Line) -> &str {
    let exe = line.text("/process/exe");
    exe.rsplit('/').next().unwrap_or(exe)
}

fn run(program: &str, args: &[&str]) -> Result<()> {
    let status = Command::new(program).args(args).status()?;
    ensure!(status.success(), "{program} {args:?}: {status}");
    Ok(())
}

fn mode(mode: &str, path: &Path) -> Result<()> {
    run("chmod", &[mode, &path.to_string_lossy()])
}

fn what_blinds_the_trail_is_told_at_once() -> Result<()> {
    let mut scene = Scene::new()?;
    // Before others are: what is told again within seconds is counted.
    one_rule_is_deleted(&scene)?;
    a_change_that_is_recorded_is_one_event(&scene)?;
    auditing_is_disabled(&scene)?;
    the_directory_is_moved_away_and_back(&scene)?;
    the_daemon_is_stopped(&mut scene)?;
    every_rule_is_deleted(&scene)?;
    let Some(schemas) = Schemas::published()? else {
        return Ok(());
    };
    scene
        .watch
        .all_lines()
        .iter()
        .try_for_each(|line| schemas.check(line))
}

/// The violation says that the trail shows it, and nothing else speaks of the change.
fn a_change_that_is_recorded_is_one_event(scene: &Scene) -> Result<()> {
    let json = scene.configuration().join("daemon.json");
    let mark = scene.watch.mark();
    mode("666", &json)?;
    let told = scene
        .watch
        .expect_within(SOON, mark, "a mode that is recorded", |line| {
            line.is_violation("daemon-json-mode")
        })?;
    ensure!(
        told.is("/audit/confirmed") && told.is("/audit/expected") && told.text("/audit/key") == "docker",
        "{told}"
    );
    ensure!(
        told.number("/audit/serial").is_some() && program(&told) == "chmod",
        "{told}"
    );
    scene.turns("daemon-json-mode", "pass", || mode("644", &json))?;
    // What would be missed is told a second after the change.
    once_a_later_change_is_told(scene)?;
    let spoken = scene.watch.lines(mark);
    let violations = spoken.iter().filter(|line| {
        line.text("/type") == "violation" && line.number("/process/pid") == told.number("/process/pid")
    });
    ensure!(violations.count() == 1, "{spoken:?}");
    scene
        .watch
        .none_since(mark, "blind spot of what is recorded", |line| {
            line.text("/class") == "blind-spot" && program(line) == "chmod"
        })
}

/// Takes the rules of the directory away, makes a change in it and waits until it is told as unseen: what is said of a
/// change before it has been said. Puts the rules back.
fn once_a_later_change_is_told(scene: &Scene) -> Result<()> {
    let rules = scene.own_rules()?;
    let file = scene.configuration().join(scene.host.world.unique("later"));
    for rule in &rules {
        scene.auditctl(&with(rule, "-d"))?;
    }
    let mark = scene.watch.mark();
    run("touch", &[&file.to_string_lossy()])?;
    let path = file.to_string_lossy().into_owned();
    let told = scene
        .watch
        .expect_within(SOON, mark, "a change that is not recorded", |line| {
            line.text("/class") == "blind-spot" && line.is_violation(DIRECTORY) && line.text.contains(&path)
        })?;
    ensure!(
        told.at("/audit/confirmed") == false && program(&told) == "touch",
        "{told}"
    );
    fs::remove_file(file)?;
    scene.turns(DIRECTORY, "pass", || {
        let mut back = rules.iter().rev();
        back.try_for_each(|rule| scene.auditctl(&with(rule, "-A")))
    })
}

fn with<'a>(rule: &[&'a str], option: &'a str) -> Vec<&'a str> {
    let mut rule = rule.to_vec();
    if let Some(first) = rule.first_mut() {
        *first = option;
    }
    rule
}

fn one_rule_is_deleted(scene: &Scene) -> Result<()> {
    let rules = scene.own_rules()?;
    let rule = rules.first().context("no rule")?;
    let told = scene.drifts("not all recorded", AUDITCTL, || scene.auditctl(&with(rule, "-d")))?;
    ensure!(told.text("/check/key") == DIRECTORY, "{told}");
    ensure!(
        told.text.contains(&*scene.configuration().to_string_lossy()),
        "{told}"
    );
    scene.turns(DIRECTORY, "pass", || scene.auditctl(&with(rule, "-A")))
}

fn auditing_is_disabled(scene: &Scene) -> Result<()> {
    let mark = scene.watch.mark();
    scene.drifts("auditing is disabled", AUDITCTL, || scene.auditctl(&["-e", "0"]))?;
    scene.turns(DIRECTORY, "pass", || scene.auditctl(&["-e", "1"]))?;
    // What concerns them all is told in one line.
    let all = scene.watch.lines(mark);
    let lines = all.iter().filter(|line| line.text("/class") == "drift").count();
    ensure!(lines == 1, "{lines} lines for one deed: {all:?}");
    Ok(())
}

/// What is moved away needs no audit, and takes its rule along: what is put in its place is not recorded, whatever the
/// rules say.
fn the_directory_is_moved_away_and_back(scene: &Scene) -> Result<()> {
    let here = scene.configuration();
    let away = here.with_extension("away");
    let (from, to) = (here.to_string_lossy(), away.to_string_lossy());
    let mark = scene.watch.mark();
    // The world's configuration is against this one.
    scene.turns("daemon-manages-iptables", "pass", || run("mv", &[&from, &to]))?;
    scene
        .watch
        .expect_within(SOON, mark, "the trail went with the directory", |line| {
            // The violation may be counted with those of the deeds before.
            line.text("/check/key") == "audit-etc-docker"
                && line.text("/verdict") == "fail"
                && program(line) == "mv"
        })?;
    scene.turns("daemon-manages-iptables", "fail", || {
        run("cp", &["-a", &to, &from])
    })?;
    let mark = scene.watch.mark();
    mode("600", &here.join("daemon.json"))?;
    let told = scene
        .watch
        .expect_within(SOON, mark, "a change in what replaced it", |line| {
            line.is_violation("audit-daemon-json")
                && line.text("/class") == "blind-spot"
                && program(line) == "chmod"
        })?;
    ensure!(told.text("/summary").contains("although a rule"), "{told}");
    scene.turns("daemon-manages-iptables", "pass", || {
        Ok(fs::remove_dir_all(&here)?)
    })?;
    let mark = scene.watch.mark();
    run("mv", &[&to, &from])?;
    scene
        .watch
        .expect_within(SOON, mark, "the directory is back", |line| {
            line.text("/check/key") == "daemon-manages-iptables"
                && line.text("/verdict") == "fail"
                && program(line) == "mv"
        })?;
    a_change_that_is_recorded_again(scene)
}

fn a_change_that_is_recorded_again(scene: &Scene) -> Result<()> {
    let mark = scene.watch.mark();
    mode("600", &scene.configuration().join("daemon.json"))?;
    once_a_later_change_is_told(scene)?;
    scene
        .watch
        .none_since(mark, "blind spot of what is moved back", |line| {
            line.text("/class") == "blind-spot" && program(line) == "chmod"
        })
}

fn the_daemon_is_stopped(scene: &mut Scene) -> Result<()> {
    let directory = scene.host.world.path("auditd");
    for signal in [Signal::KILL, Signal::TERM] {
        let daemon = scene.host.daemon.take().context("no daemon")?;
        let (pid, mark) = (daemon.pid(), scene.watch.mark());
        daemon.end(signal)?;
        let what = format!("auditd stopped by {signal:?}");
        // The second time within seconds, the violation is counted; the verdicts are told.
        let told = scene.watch.expect_within(SOON, mark, &what, |line| {
            let kind = if signal == Signal::KILL {
                "violation"
            } else {
                "posture"
            };
            line.text("/type") == kind
                && line.text("/check/key").starts_with("audit-")
                && line.text.contains("no audit daemon runs")
        })?;
        // Where the end was found by an assessment before it was told, nobody is named; never another.
        ensure!(
            told.at("/process").is_null() || (program(&told) == "auditd" && told.is_by(pid)),
            "{told}"
        );
        let mark = scene.watch.mark();
        scene.host.daemon = Some(AuditDaemon::start(&scene.host.audit, &directory)?);
        scene.watch.expect_within(SOON, mark, "auditd is back", |line| {
            line.text("/type") == "posture"
                && line.text("/check/key") == DIRECTORY
                && line.text("/verdict") == "pass"
        })?;
    }
    Ok(())
}

fn every_rule_is_deleted(scene: &Scene) -> Result<()> {
    scene.drifts("no rule watches it", AUDITCTL, || scene.auditctl(&["-D"]))?;
    scene.restore()
}
