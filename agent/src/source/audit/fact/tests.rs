//! Records of a real run, as what probes would have seen.

use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::model::{CapSet, Connect, Exec, MountRequest, What};
use crate::source::audit::Assembler;

/// What Linux 6.18 sent of execs, connections and mounts: type and text of each record.
const RECORDS: &str = include_str!("../fixtures/facts.txt");
const ALL: Facts = Facts {
    exec: true,
    connect: true,
    mount: true,
};

fn event(text: &str, serial: &str) -> AuditEvent {
    let mut assembler = Assembler::default();
    let id = format!(":{serial}):");
    let lines = text.lines().filter(|line| line.contains(&id));
    let records = lines.map(|line| line.split_once(' ').unwrap());
    let mut events = records.filter_map(|(kind, text)| {
        let record = Record::parse(kind.parse().unwrap(), text.as_bytes()).unwrap();
        assembler.push(record, Instant::now())
    });
    events.next().unwrap()
}

/// In few words: who did what to what, and what came of it.
fn summary(sighting: &Sighting) -> String {
    let Sighting {
        process, what, exe, ..
    } = sighting;
    let what = match what {
        What::Exec(Exec {
            file,
            requested,
            gained,
            ..
        }) => format!(
            "exec {} {}:{} {:o} {requested} caps {:?} gained {} {} {:x}",
            file.path, file.dev, file.ino, file.mode, file.file_caps, gained.uid, gained.gid, gained.caps.0
        ),
        What::Connect {
            connect: Connect { socket, .. },
            inode,
            by_name,
        } => format!(
            "connect {} {}:{} {by_name}",
            socket.path,
            inode.device(),
            inode.ino
        ),
        What::Mount {
            call,
            errno,
            requested,
        } => {
            let MountRequest {
                source,
                target,
                flags,
                ..
            } = requested;
            format!("{call} {errno} {source:?} {target:?} {flags:x}")
        }
        other => panic!("{other:?}"),
    };
    format!("{} {} {} {what}", process.pid, process.exe, exe.ino)
}

/// What the event of this serial number tells, after a change of its text.
#[track_caller]
fn check_changed(serial: &str, change: impl Fn(&str) -> String, expect: Option<&str>) {
    let seen = sighting(&event(&change(RECORDS), serial), ALL);
    assert_eq!(seen.as_ref().map(summary).as_deref(), expect);
}

#[track_caller]
fn check(serial: &str, expect: Option<&str>) {
    check_changed(serial, str::to_owned, expect);
}

#[test]
fn execs_tell_the_file_that_runs_and_what_was_gained() {
    check(
        "56",
        Some(
            "31139 /usr/bin/dash 247076 exec /usr/bin/dash 254:0:247076 100755 /srv/work/script caps Some(false) gained \
             false false 0",
        ),
    );
    check(
        "58",
        Some(
            "31140 /srv/work/sid 10085796 exec /srv/work/sid 254:0:10085796 104755 /srv/work/sid caps Some(false) gained \
             true false 0",
        ),
    );
    check(
        "60",
        Some(
            "31141 /srv/work/fcap 10085797 exec /srv/work/fcap 254:0:10085797 100755 /srv/work/fcap caps Some(true) gained \
             false false 0",
        ),
    );
}

#[test]
fn capabilities_that_were_not_there_before_are_gained() {
    let without = |text: &str| text.replace("old_pp=000001fffeffffff", "old_pp=0");
    let fcap = sighting(&event(&without(RECORDS), "60"), ALL).unwrap();
    assert_eq!(fcap.process.caps_effective, CapSet(0x2000));
    let What::Exec(exec) = fcap.what else {
        panic!("no exec")
    };
    assert!(exec.secure && exec.gained.caps == CapSet(0x2000));
}

#[test]
fn execs_that_failed_or_lost_their_file_tell_nothing() {
    check_changed("58", |text| text.replace("success=yes", "success=no"), None);
    check_changed("58", |text| text.replace("1302 ", "1399 "), None);
    check_changed("58", |text| text.replace("mode=0104755", "mode=x"), None);
}

#[test]
fn connections_are_told_by_the_socket_s_inode() {
    check(
        "81",
        Some("32446 /usr/bin/python3.11 0 connect /srv/work/docker.sock 254:0:10084898 true"),
    );
    // It failed; an abstract name; the internet.
    check("82", None);
    check("83", None);
    check("84", None);
    // No socket at all.
    check_changed("81", |text| text.replace("mode=0140755", "mode=0100755"), None);
}

#[test]
fn mounts_are_told_by_either_interface() {
    check(
        "68",
        Some("31218 /usr/bin/mount 0 mount 0 \"\" \"/srv/work/t\" 0"),
    );
    check(
        "69",
        Some("31219 /usr/bin/mount 0 mount 0 \"/srv/work/t\" \"/srv/work/t2\" 1000"),
    );
    check(
        "70",
        Some("31220 /usr/bin/umount 0 umount 0 \"\" \"/srv/work/t2\" 0"),
    );
    check(
        "72",
        Some("31222 /usr/bin/python3.11 0 mount 2 \"\" \"/srv/work/nowhere\" 0"),
    );
    check("85", Some("32447 /usr/bin/python3.11 0 fsmount 0 \"\" \"\" 0"));
    check(
        "86",
        Some("32447 /usr/bin/python3.11 0 move_mount 0 \"\" \"/srv/work/t\" 0"),
    );
    check(
        "87",
        Some("32447 /usr/bin/python3.11 0 open_tree 0 \"/srv/work/t\" \"\" 1"),
    );
}

#[test]
fn only_what_is_asked_for_is_told() {
    let only = |exec, connect, mount| Facts { exec, connect, mount };
    for (serial, facts) in [
        ("58", only(false, true, true)),
        ("81", only(true, false, true)),
        ("69", only(true, true, false)),
    ] {
        assert_eq!(sighting(&event(RECORDS, serial), facts), None);
    }
}

proptest! {
    /// Whatever stands in the records, nothing panics, and what is told has an object.
    #[test]
    fn any_fields_are_survived(serial in prop::sample::select(vec!["58", "81", "69"]), at: prop::sample::Index, bytes: Vec<u8>) {
        let AuditEvent { mut records, id, complete, left_out } = event(RECORDS, serial);
        let text = [b"audit(1.2:3): ".as_slice(), &bytes].concat();
        let at = at.index(records.len());
        records[at] = Record::parse(records[at].kind, &text).unwrap();
        if let Some(seen) = sighting(&AuditEvent { records, id, complete, left_out }, ALL) {
            prop_assert!(seen.container.is_none() && seen.process.pid > 0);
        }
    }

    #[test]
    fn any_value_is_survived(name in "mode|inode|dev|cap_fp|a0|a3|exit|saddr|syscall|arch|pp|exe|name", value in "[ -~]{0,40}") {
        let changed = |text: &str| text.replace(&format!(" {name}="), &format!(" {name}={value} x{name}="));
        for serial in ["58", "81", "69", "72"] {
            prop_assert!(sighting(&event(&changed(RECORDS), serial), ALL).is_none_or(|seen| seen.process.pid > 0));
        }
    }
}
