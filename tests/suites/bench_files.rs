//! The recommendations about files: every permission and owner that is too much, and the remedies that the product
//! gives, carried out to the letter.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result, ensure};
use hullwatch_tests::{Assessment, Enclave, text};
use rustix::fs::{XattrFlags, removexattr, setxattr};

use crate::case::cases;
use crate::stage::programs;

cases! {
    alone:
        permissions_and_owners,
        units_in_force,
        environment_files,
        directories_that_let_others_replace,
        certificates_of_registries,
        sockets_of_the_engine,
        what_is_not_there;
}

const USES_TLS: &str = r#"{"hosts": ["unix:///run/docker.sock", "tcp://127.0.0.1:2376"], "tlsverify": true,
    "tlscacert": "/etc/tls/ca.pem", "tlscert": "/etc/tls/cert.pem", "tlskey": "/etc/tls/key.pem"}"#;

const CONTAINERD: &str = "/var/run/docker/containerd/containerd.sock";

/// Something whose mode and owner are recommended.
struct Subject {
    /// Keys of its checks are this and `-mode` or `-owner`.
    stem: &'static str,
    path: &'static str,
    most: u32,
    group: &'static str,
}

const SUBJECTS: [Subject; 14] = [
    subject(
        "file-docker-service",
        "/usr/lib/systemd/system/docker.service",
        0o644,
    ),
    subject(
        "file-docker-service",
        "/etc/systemd/system/docker.service.d/10.conf",
        0o644,
    ),
    subject(
        "file-docker-socket-unit",
        "/usr/lib/systemd/system/docker.socket",
        0o644,
    ),
    subject("dir-etc-docker", "/etc/docker", 0o755),
    subject(
        "registry-certs",
        "/etc/docker/certs.d/reg.example:5000/ca.crt",
        0o444,
    ),
    subject(
        "registry-certs",
        "/etc/docker/certs.d/reg.example:5000/client.key",
        0o400,
    ),
    subject("tls-ca", "/etc/tls/ca.pem", 0o444),
    subject("tls-server-cert", "/etc/tls/cert.pem", 0o444),
    subject("tls-server-key", "/etc/tls/key.pem", 0o400),
    subject("daemon-json", "/etc/docker/daemon.json", 0o644),
    subject("default-docker", "/etc/default/docker", 0o644),
    subject("sysconfig-docker", "/etc/sysconfig/docker", 0o644),
    subject("containerd-sock", CONTAINERD, 0o660),
    Subject {
        group: "docker",
        ..subject("docker-sock", Enclave::SOCKET, 0o660)
    },
];

const fn subject(stem: &'static str, path: &'static str, most: u32) -> Subject {
    let group = "root";
    Subject {
        stem,
        path,
        most,
        group,
    }
}

/// An enclave with one of everything, as it should be.
fn furnished() -> Result<Enclave> {
    let mut enclave = Enclave::new(&programs())?;
    for path in [
        "/etc/systemd/system/docker.service.d/10.conf",
        "/etc/docker/certs.d/reg.example:5000/ca.crt",
        "/etc/docker/certs.d/reg.example:5000/client.key",
        "/etc/default/docker",
        "/etc/sysconfig/docker",
    ] {
        enclave.write(path, "# nothing\n")?;
    }
    enclave.sh(
        "mkdir /etc/tls && cd /etc/tls && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
         -nodes -subj /CN=localhost -days 2 -keyout key.pem -out cert.pem && cp cert.pem ca.pem",
    )?;
    enclave.start_engine(USES_TLS, &[])?;
    for subject in &SUBJECTS {
        chmod(&enclave, subject.path, subject.most)?;
    }
    Ok(enclave)
}

fn chmod(enclave: &Enclave, path: &str, mode: u32) -> Result<()> {
    let permissions = fs::Permissions::from_mode(mode);
    fs::set_permissions(enclave.path(path), permissions).with_context(|| format!("chmod {path}"))
}

/// Lines about every subject's mode or owner.
fn table(aspect: &str, verdict: &str, reason: impl Fn(&Subject) -> String) -> String {
    let line = |subject: &Subject| {
        format!(
            "{}-{aspect} | {} | {verdict} | {}\n",
            subject.stem,
            subject.path,
            reason(subject)
        )
    };
    SUBJECTS.iter().map(line).collect()
}

fn permissions_and_owners() -> Result<()> {
    let enclave = furnished()?;
    let within = |subject: &Subject| {
        format!(
            "{} has mode {:04o}, within {:04o}",
            subject.path, subject.most, subject.most
        )
    };
    let belongs = |subject: &Subject| format!("{} belongs to root:{}", subject.path, subject.group);
    let fine = table("mode", "pass", within) + &table("owner", "pass", belongs);
    enclave.bench(&[])?.expect(&fine).context("at first")?;
    // 606 and 622 are less than 644 to who compares numbers.
    const MODES: [(Option<u32>, &str); 3] = [
        (Some(0o606), "others write"),
        (Some(0o622), "others write"),
        (None, "setgid"),
    ];
    for (mode, words) in MODES {
        for subject in &SUBJECTS {
            chmod(&enclave, subject.path, mode.unwrap_or(subject.most | 0o2000))?;
        }
        let report = enclave.bench(&[])?;
        let reason = |_: &Subject| words.to_owned();
        report.expect(&table("mode", "fail", reason)).context(words)?;
        carry_out_remedies(&enclave, &report, "mode")?;
        let within = |subject: &Subject| format!("within {:04o}", subject.most);
        enclave
            .bench(&[])?
            .expect(&table("mode", "pass", within))
            .context("after the remedies")?;
    }
    for (owner, whose) in [("ana:root", "ana:root"), ("0:bob", "root:bob")] {
        for subject in &SUBJECTS {
            enclave.sh(&format!("chown {owner} {}", subject.path))?;
        }
        let report = enclave.bench(&[])?;
        let reason = |subject: &Subject| format!("belongs to {whose}, not to root:{}", subject.group);
        report.expect(&table("owner", "fail", reason)).context(owner)?;
        carry_out_remedies(&enclave, &report, "owner")?;
        enclave.bench(&[])?.expect(&fine).context("after the remedies")?;
    }
    access_lists(&enclave, &fine)
}

/// Runs the commands that the report gives for every failing item.
fn carry_out_remedies(enclave: &Enclave, report: &Assessment, aspect: &str) -> Result<()> {
    for subject in &SUBJECTS {
        let key = format!("{}-{aspect}", subject.stem);
        let remedy = text(report.item(&key, subject.path)?, "remedy");
        ensure!(
            ["chmod ", "chown "].iter().any(|verb| remedy.starts_with(verb)),
            "{key}: {remedy}"
        );
        enclave.sh(remedy)?;
    }
    Ok(())
}

/// An access list shows in the mode as a plus sign of `ls` at most.
fn access_lists(enclave: &Enclave, fine: &str) -> Result<()> {
    const LIST: &str = "system.posix_acl_access";
    for subject in &SUBJECTS {
        let path = enclave.path(subject.path);
        setxattr(&path, LIST, &access_list(subject.most, 1000), XattrFlags::empty())
            .with_context(|| format!("set the access list of {}", subject.path))?;
    }
    let reason = |_: &Subject| "its access list lets others".to_owned();
    enclave.bench(&[])?.expect(&table("mode", "fail", reason))?;
    for subject in &SUBJECTS {
        removexattr(enclave.path(subject.path), LIST)?;
        chmod(enclave, subject.path, subject.most)?;
    }
    enclave.bench(&[])?.expect(fine).context("without access lists")
}

/// `user:UID:rwx` beside what a mode says, as the kernel stores it (`acl(5)`, version 2).
fn access_list(mode: u32, uid: u32) -> Vec<u8> {
    const NOBODY: u32 = u32::MAX;
    let entries = [
        (0x01, mode >> 6, NOBODY),
        (0x02, 7, uid),
        (0x04, mode >> 3, NOBODY),
        (0x10, 7, NOBODY),
        (0x20, mode, NOBODY),
    ];
    let entry = |(tag, permissions, id): (u16, u32, u32)| {
        let permissions = u16::try_from(permissions & 7).unwrap_or_default();
        [
            &tag.to_le_bytes()[..],
            &permissions.to_le_bytes(),
            &id.to_le_bytes(),
        ]
        .concat()
    };
    let entries = entries.into_iter().flat_map(entry);
    2_u32.to_le_bytes().into_iter().chain(entries).collect()
}

fn units_in_force() -> Result<()> {
    const VENDOR: &str = "/usr/lib/systemd/system/docker.service";
    const OWN: &str = "/etc/systemd/system/docker.service";
    let enclave = Enclave::with_engine(&programs(), "", &[])?;
    let judged = |path: &str, verdict: &str, reason: &str| {
        let line = format!("file-docker-service-mode | {path} | {verdict} | {reason}");
        enclave.bench(&[])?.expect(&line).context(line)
    };
    let is_not_judged = |path: &str| -> Result<()> {
        let report = enclave.bench(&[])?;
        ensure!(
            report.item("file-docker-service-mode", path).is_err(),
            "{path} is judged"
        );
        Ok(())
    };
    chmod(&enclave, VENDOR, 0o666)?;
    judged(VENDOR, "fail", "others write")?;
    // Another in its place: the vendor's is nothing any more.
    enclave.write(OWN, "[Service]\nExecStart=/usr/sbin/dockerd\n")?;
    judged(OWN, "pass", "mode 0644")?;
    is_not_judged(VENDOR)?;
    // A link is what it leads to.
    enclave.write("/etc/docker.unit", "[Service]\nExecStart=/usr/sbin/dockerd\n")?;
    enclave.sh(&format!(
        "ln -sf /etc/docker.unit {OWN} && chmod 0662 /etc/docker.unit"
    ))?;
    judged(OWN, "fail", "its group write, others write")?;
    enclave.sh(&format!("rm {OWN} && chmod 0644 {VENDOR}"))?;
    judged(VENDOR, "pass", "mode 0644")?;
    // Drop-ins of the unit and of all services; a masked one is none, and of two of a name the one that counts more.
    for path in [
        "/etc/systemd/system/service.d/all.conf",
        "/run/systemd/system/docker.service.d/a.conf",
    ] {
        enclave.write(path, "[Service]\n")?;
        chmod(&enclave, path, 0o646)?;
        judged(path, "fail", "others write")?;
    }
    enclave.write("/etc/systemd/system/docker.service.d/a.conf", "[Service]\n")?;
    judged("/etc/systemd/system/docker.service.d/a.conf", "pass", "0644")?;
    is_not_judged("/run/systemd/system/docker.service.d/a.conf")?;
    enclave.sh("ln -sf /dev/null /etc/systemd/system/docker.service.d/all.conf")?;
    is_not_judged("/etc/systemd/system/service.d/all.conf")?;
    enclave.sh(&format!("ln -s /dev/null {OWN}"))?;
    judged(
        VENDOR,
        "not-applicable",
        "there is no docker.service unit in force",
    )
}

fn environment_files() -> Result<()> {
    let enclave = Enclave::with_engine(&programs(), "", &[])?;
    enclave.write(
        "/etc/systemd/system/docker.service.d/env.conf",
        "[Service]\nEnvironmentFile=-/etc/docker-env/*.env\nEnvironmentFile=/etc/sysconfig/docker-network\n",
    )?;
    for path in [
        "/etc/docker-env/proxy.env",
        "/etc/docker-env/other",
        "/etc/sysconfig/docker-network",
    ] {
        enclave.write(path, "A=b\n")?;
        chmod(&enclave, path, 0o666)?;
    }
    let report = enclave.bench(&[])?;
    report.expect(
        "
        default-docker-mode   | /etc/docker-env/proxy.env     | fail           | its group write, others write
        default-docker-owner  | /etc/docker-env/proxy.env     | pass           | belongs to root:root
        sysconfig-docker-mode | /etc/sysconfig/docker-network | fail           | others write",
    )?;
    ensure!(
        report
            .item("default-docker-mode", "/etc/docker-env/other")
            .is_err(),
        "not named"
    );
    // An empty setting takes back those before it.
    enclave.write(
        "/etc/systemd/system/docker.service.d/none.conf",
        "[Service]\nEnvironmentFile=\n",
    )?;
    let report = enclave.bench(&[])?;
    ensure!(
        report
            .item("default-docker-mode", "/etc/docker-env/proxy.env")
            .is_err(),
        "taken back"
    );
    report.expect("default-docker-mode | /etc/default/docker | not-applicable | there is no")
}

fn directories_that_let_others_replace() -> Result<()> {
    let enclave = furnished()?;
    let rows = [
        ("/etc/tls", "tls-ca-mode tls-server-cert-mode tls-server-key-mode"),
        ("/etc/docker", "daemon-json-mode"),
        ("/etc/systemd/system/docker.service.d", "file-docker-service-mode"),
        ("/etc/docker/certs.d/reg.example:5000", "registry-certs-mode"),
    ];
    let keys = || {
        rows.iter()
            .flat_map(|(path, keys)| keys.split(' ').map(move |key| (path, key)))
    };
    for mode in [0o777, 0o775] {
        rows.iter().try_for_each(|(path, _)| {
            enclave
                .sh(&format!("chgrp ana {path}; chmod {mode:o} {path}"))
                .map(drop)
        })?;
        let who = if mode == 0o777 {
            "everybody can replace"
        } else {
            "its group can replace"
        };
        let lines: String = keys()
            .map(|(path, key)| format!("{key} | {path} | fail | {who}\n"))
            .collect();
        enclave.bench(&[])?.expect(&lines)?;
    }
    // A sticky one does not, nor does one of root's group.
    for mend in ["chmod 1777", "chmod 0775"] {
        rows.iter()
            .try_for_each(|(path, _)| enclave.sh(&format!("chgrp root {path}; {mend} {path}")).map(drop))?;
        let report = enclave.bench(&[])?;
        for (path, key) in keys() {
            ensure!(report.item(key, path).is_err(), "{key}: {path} after {mend}");
        }
    }
    Ok(())
}

fn certificates_of_registries() -> Result<()> {
    const KEY: &str = "/etc/docker/certs.d/reg.example:5000/client.key";
    let enclave = furnished()?;
    // The letter lets everybody read a client's key.
    chmod(&enclave, KEY, 0o444)?;
    let report = enclave.bench(&[])?;
    report.expect(&format!(
        "registry-certs-mode | {KEY} | fail | its group read, others read"
    ))?;
    let letter_only = report
        .item("registry-certs-mode", KEY)?
        .get("letter_only")
        .cloned();
    ensure!(letter_only == Some(true.into()), "{letter_only:?}");
    chmod(&enclave, KEY, 0o400)?;
    enclave
        .bench(&[])?
        .expect(&format!("registry-certs-mode | {KEY} | pass | within 0400"))?;
    enclave.sh("chown bob /etc/docker/certs.d/reg.example:5000")?;
    enclave
        .bench(&[])?
        .expect("registry-certs-owner | /etc/docker/certs.d/reg.example:5000 | fail | belongs to bob:root")?;
    enclave.sh("chown root /etc/docker/certs.d/reg.example:5000")?;
    // A file that leads elsewhere, by a link, is judged where it lies.
    enclave.write("/etc/other/ca.crt", "")?;
    chmod(&enclave, "/etc/other/ca.crt", 0o466)?;
    enclave.sh("mkdir /etc/docker/certs.d/two && ln -s /etc/other/ca.crt /etc/docker/certs.d/two/ca.crt")?;
    enclave.bench(&[])?.expect(
        "
        registry-certs-mode  | /etc/docker/certs.d/two/ca.crt              | fail | its group write, others write
        registry-certs-mode  | /etc/docker/certs.d/reg.example:5000/ca.crt | pass | 0444
        registry-certs-owner | /etc/docker/certs.d/reg.example:5000        | pass | belongs to root:root",
    )
}

fn sockets_of_the_engine() -> Result<()> {
    const OTHER: &str = "/run/other.sock";
    let flags = [
        "--host=unix:///run/docker.sock",
        "--host=unix:///run/other.sock",
        "--group=ana",
    ];
    let enclave = Enclave::with_engine(&programs(), "", &flags)?;
    let report = |lines: &str| enclave.bench(&[])?.expect(lines);
    report(
        "
        docker-sock-owner | /run/docker.sock | pass | belongs to root:ana
        docker-sock-owner | /run/other.sock  | pass | belongs to root:ana
        docker-sock-mode  | /run/other.sock  | pass | 0660",
    )?;
    chmod(&enclave, OTHER, 0o666)?;
    enclave.sh("chgrp bob /run/docker.sock")?;
    report(
        "
        docker-sock-owner | /run/docker.sock | fail | belongs to root:bob
        docker-sock-mode  | /run/docker.sock | pass | 0660
        docker-sock-mode  | /run/other.sock  | fail | others read, others write",
    )?;
    // Another thing in its place is not what clients reach.
    enclave.sh("chgrp ana /run/docker.sock; rm /run/other.sock; : >/run/other.sock")?;
    report(
        "
        docker-sock-owner | /run/docker.sock | pass    | belongs to root:ana
        docker-sock-mode  | /run/other.sock  | unknown | is no socket",
    )
}

fn what_is_not_there() -> Result<()> {
    let enclave = Enclave::with_engine(&programs(), "", &[])?;
    enclave.sh("rm /usr/lib/systemd/system/docker.s*")?;
    enclave.bench(&[])?.expect(
        "
        file-docker-service-owner     | /usr/lib/systemd/system/docker.service | not-applicable | there is no
        file-docker-socket-unit-mode  | /usr/lib/systemd/system/docker.socket  | not-applicable | there is no
        daemon-json-mode              | /etc/docker/daemon.json                | not-applicable | there is no
        registry-certs-mode           | /etc/docker/certs.d                    | not-applicable | there is no
        tls-server-key-mode | server key of a TLS listener | not-applicable | there is no server key",
    )
}
