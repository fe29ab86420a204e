//! Tests of the daemon's description.

use super::*;

#[test]
fn strings_end_in_nul() {
    assert_eq!(
        split(b"dockerd\0--label\0\0-D\0"),
        ["dockerd", "--label", "", "-D"]
    );
    assert_eq!(split(b"set by\0itself"), ["set by", "itself"]);
}

#[track_caller]
fn check_default(environment: &[&str], rootless: bool, home: Option<&str>, expect: &str) {
    let environment: Vec<_> = environment.iter().map(|pair| (*pair).to_owned()).collect();
    assert_eq!(default_config(&environment, rootless, home), expect);
}

#[test]
fn the_file_is_in_the_home_directory_without_root() {
    let usual = "/etc/docker/daemon.json";
    check_default(&["HOME=/home/a"], false, None, usual);
    check_default(
        &["HOME=/home/a"],
        true,
        Some("/home/b"),
        "/home/a/.config/docker/daemon.json",
    );
    check_default(
        &["HOMER=/x"],
        true,
        Some("/home/b"),
        "/home/b/.config/docker/daemon.json",
    );
    check_default(
        &["XDG_CONFIG_HOME=/c", "HOME=/h"],
        true,
        None,
        "/c/docker/daemon.json",
    );
    check_default(
        &["ROOTLESSKIT_STATE_DIR=/s", "HOME=/h"],
        false,
        None,
        "/h/.config/docker/daemon.json",
    );
    check_default(&[], true, None, usual);
}

#[test]
fn a_process_was_started_when_the_clock_said_so() {
    let before = Time::now();
    let mut child = std::process::Command::new("cat")
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let process = proc::open(child.id()).unwrap();
    let told = started(&process);
    child.kill().unwrap();
    child.wait().unwrap();
    // The kernel counts in ticks of 10 ms.
    let off = told.unwrap().unix_nanos() - before.unix_nanos();
    assert!((-30_000_000..10_000_000_000).contains(&off), "{off}");
}

#[test]
fn a_program_is_replaced_when_another_is_at_its_path() {
    let own = Process::myself().unwrap();
    let root = ProcessRoot::own().unwrap();
    let exe = std::env::current_exe().unwrap().to_string_lossy().into_owned();
    let running = |exe: &str, deleted| Running {
        pid: std::process::id(),
        exe: exe.to_owned(),
        deleted,
    };
    assert!(!is_replaced(&own, &running(&exe, false), &root));
    assert!(is_replaced(&own, &running(&exe, true), &root));
    assert!(is_replaced(&own, &running("/bin/cat", false), &root));
}

#[test]
fn proxies_are_children_of_the_daemon() {
    let own = std::process::id();
    let mut child = std::process::Command::new("cat")
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let running = |pid, exe: &str| Running {
        pid,
        exe: exe.to_owned(),
        deleted: false,
    };
    let mut processes = Processes {
        running: vec![
            running(child.id(), "/usr/bin/docker-proxy"),
            running(own, "/usr/bin/docker-proxy"),
            running(child.id(), "/bin/cat"),
        ],
        ..Processes::default()
    };
    let found = proxies(own, None, &processes);
    let path = Value::String("/bin/cat".to_owned());
    let both = proxies(own, Some(&path), &processes);
    processes.hidden = vec!["docker-proxy".to_owned()];
    let unsure = proxies(own, None, &processes);
    let pid = child.id();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(found, Fact::Known(vec![pid]));
    assert_eq!(both, Fact::Known(vec![pid, pid]));
    assert!(unsure.get().is_none());
}
