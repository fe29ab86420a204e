//! Records of a real run, as observations.

use std::time::{Duration, Instant};

use super::{Assembler, AuditEvent, Record, observations};
use crate::model::{AuditChange, AuditPath, AuditRecord, Event, Observation, Source};

/// What Linux 6.18 sent while rules were loaded, watched files were touched, a program was run, watched files and their
/// directory went away, the audit daemon came and went, and audit was disabled: type and text of each record.
const RECORDS: &str = include_str!("fixtures/records.txt");

fn records(text: &str) -> impl Iterator<Item = Record> {
    text.lines().map(|line| {
        let (kind, text) = line.split_once(' ').unwrap();
        Record::parse(kind.parse().unwrap(), text.as_bytes()).unwrap()
    })
}

fn events(text: &str) -> Vec<AuditEvent> {
    let mut assembler = Assembler::default();
    let now = Instant::now();
    let mut events: Vec<_> = records(text)
        .filter_map(|record| assembler.push(record, now))
        .collect();
    events.extend(std::iter::from_fn(|| {
        assembler.expire(now + Duration::from_secs(2))
    }));
    events.sort_by_key(|event| event.id);
    events
}

fn told(text: &str) -> Vec<Observation> {
    let told: Vec<_> = events(text).iter().flat_map(observations).collect();
    assert!(told.iter().all(|one| one.source == Source::Audit));
    told
}

/// In few words: who did what to what.
fn summary(observation: &Observation) -> String {
    let who = observation
        .process
        .as_ref()
        .map_or("-", |process| process.comm.as_str());
    match &observation.event {
        Event::AuditChange(AuditChange {
            op,
            what,
            old,
            new,
            serial,
            ..
        }) => {
            let of = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            format!("{} {who} {op} {what} {} {}", serial.unwrap(), of(old), of(new))
        }
        Event::AuditRecord(AuditRecord {
            serial,
            keys,
            syscall,
            success,
            paths,
        }) => {
            let paths = paths.iter().map(|path| {
                let AuditPath { name, nametype, .. } = path;
                format!("{}:{nametype}", name.as_deref().unwrap_or("-"))
            });
            let paths: Vec<_> = paths.collect();
            let success = success.unwrap();
            format!("{serial} {who} {syscall} {success} {keys:?} {}", paths.join(" "))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_event_of_a_real_run_is_told() {
    let all = events(RECORDS);
    assert!(all.iter().all(|event| event.complete && event.left_out == 0));
    let serials: Vec<_> = all.iter().map(|event| event.id.serial).collect();
    assert_eq!(serials, (1067..=1082).collect::<Vec<_>>());
    let ends = records(RECORDS).filter(|record| record.kind == 1320).count();
    let put_together: usize = all.iter().map(|event| event.records.len()).sum();
    assert_eq!(put_together + ends, RECORDS.lines().count());
}

#[test]
fn changes_and_objects_are_told_with_who_did_it() {
    let told: Vec<_> = told(RECORDS).iter().map(summary).collect();
    let expect = [
        r#"1067 auditctl add_rule watched - -"#,
        r#"1067 auditctl sendto true [] /srv/w:NORMAL"#,
        r#"1068 auditctl add_rule k1 - -"#,
        r#"1068 auditctl sendto true [] /srv/w/:PARENT"#,
        r#"1069 auditctl add_rule exec - -"#,
        r#"1069 auditctl sendto true [] /usr/bin/:PARENT"#,
        r#"1070 chmod fchmodat true ["watched"] w/f:NORMAL"#,
        r#"1071 touch openat true ["watched"] w/:PARENT w/a b:CREATE"#,
        r#"1072 bash openat true ["watched"] f:NORMAL"#,
        r#"1073 ls execve true ["exec"] /bin/ls:NORMAL /lib64/ld-linux-x86-64.so.2:NORMAL"#,
        r#"1074 rm unlinkat true ["watched"] w/:PARENT w/f:DELETE"#,
        r#"1075 rm unlinkat true ["watched"] /srv:PARENT a b:DELETE"#,
        r#"1076 rm unlinkat true ["watched"] /srv:PARENT sub:DELETE"#,
        r#"1077 rm remove_rule k1 - -"#,
        r#"1077 rm remove_rule watched - -"#,
        r#"1077 rm unlinkat true [] /srv:PARENT w:DELETE"#,
        r#"1078 auditd daemon-start audit_pid 0 9261"#,
        r#"1079 - daemon-end audit_pid 9261 0"#,
        r#"1080 auditctl remove_rule exec - -"#,
        r#"1080 auditctl sendto true [] /usr/bin/:PARENT"#,
        r#"1082 auditctl set audit_enabled 1 0"#,
    ];
    assert_eq!(told, expect);
}

#[test]
fn a_process_is_told_as_far_as_its_record_goes() {
    let exec = told(RECORDS)
        .into_iter()
        .find(|one| summary(one).contains("execve"))
        .unwrap();
    let process = exec.process.unwrap();
    assert_eq!((process.pid, process.uid, process.login_uid), (9257, 0, None));
    assert_eq!(process.exe, "/usr/bin/ls");
    assert_eq!(process.args, ["/bin/ls", "-l", "a b", "é", "/nonexistent"]);
    assert!(!process.args_truncated);
    assert_eq!(process.ancestors[0].pid, 9235);
    let Event::AuditRecord(record) = exec.event else {
        panic!("no record")
    };
    let program = &record.paths[0];
    assert_eq!(
        (program.ino, program.dev.as_deref()),
        (Some(247_497), Some("254:0"))
    );
}

/// One event of these records (`TYPE FIELDS`), as told.
#[track_caller]
fn check(text: &[&str], expect: &[&str]) {
    let lines = text.iter().map(|line| {
        let (kind, fields) = line.split_once(' ').unwrap();
        format!("{kind} audit(1700000000.000:9): {fields}\n")
    });
    let told: Vec<_> = told(&lines.collect::<String>()).iter().map(summary).collect();
    assert_eq!(told, expect);
}

const CALL: &str = "1300 arch=c000003e syscall=90 success=no exit=-1 ppid=1 pid=2 auid=1000 uid=1 gid=2 euid=3 egid=4 \
                    comm=6120 exe=\"/x\" key=(null)";

#[test]
fn changes_that_were_refused_are_none() {
    check(&["1305 op=set audit_enabled=0 old=2 auid=0 ses=1 res=0"], &[]);
    check(
        &["1328 feature=loginuid_immutable old=0 new=1 old_lock=0 new_lock=1 res=1"],
        &["9 - feature loginuid_immutable 0 1"],
    );
    check(
        &["1305 op=set lost=0 old=5 auid=0 ses=1 res=1"],
        &["9 - set lost 5 0"],
    );
    check(
        &["1305 op=updated_rules path=\"/etc/x\" key=(null) list=4 res=1"],
        &["9 - updated_rules /etc/x - -"],
    );
    check(
        &["1201 op=terminate auid=0 res=success"],
        &["9 - daemon-end  - -"],
    );
    check(&["1305 nothing=1"], &[]);
}

#[test]
fn objects_without_names_and_calls_without_objects() {
    check(
        &[CALL, "1302 item=0 name=(null) inode=7 dev=00:1f nametype=NORMAL"],
        &["9 a  chmod false [] -:NORMAL"],
    );
    check(&[CALL], &[]);
    check(
        &[&CALL
            .replace("c000003e", "40000028")
            .replace("(null)", "6B01016B32")],
        &[r#"9 a  90 false ["k", "k2"] "#],
    );
}

#[test]
fn who_is_told_by_the_call_and_what_by_the_title() {
    let text = format!("{CALL}\n1302 name=\"a\"\n1327 proctitle=6100622063\n");
    let text = text
        .replace("1300 ", "1300 audit(1.0:1): ")
        .replace("1302 ", "1302 audit(1.0:1): ");
    let text = text.replace("1327 ", "1327 audit(1.0:1): ");
    let process = told(&text).remove(0).process.unwrap();
    assert_eq!(
        (process.uid, process.gid, process.euid, process.egid),
        (1, 2, 3, 4)
    );
    assert_eq!(
        (process.login_uid, process.args),
        (Some(1000), vec!["a".to_owned(), "b c".to_owned()])
    );
}
