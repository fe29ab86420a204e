//! Commands that install or fetch without verification.

use crate::check::support::{Command, commands};

/// Options, and values of options, that switch verification off; by the programs that know them.
const SWITCHES: [(&[&str], &[&str]); 9] = [
    (
        &["apt", "apt-get", "aptitude"],
        &[
            "--allow-unauthenticated",
            "--allow-insecure-repositories",
            "--force-yes",
            "--no-check-gpg",
        ],
    ),
    (
        &["dnf", "dnf5", "microdnf", "tdnf", "yum"],
        &[
            "--nogpgcheck",
            "--no-gpgchecks",
            "--setopt=gpgcheck=0",
            "--setopt=*.gpgcheck=0",
            "--setopt=sslverify=0",
        ],
    ),
    (&["rpm"], &["--nosignature", "--nodigest"]),
    (&["apk"], &["--allow-untrusted"]),
    (
        &["zypper"],
        &[
            "--no-gpg-checks",
            "--allow-unsigned-rpm",
            "--gpg-auto-import-keys",
        ],
    ),
    (
        &["pip", "pip2", "pip3", "uv"],
        &["--trusted-host", "--allow-insecure-host"],
    ),
    (
        &["npm", "pnpm", "yarn"],
        &["--strict-ssl=false", "--no-strict-ssl"],
    ),
    (&["curl"], &["--insecure"]),
    (&["wget"], &["--no-check-certificate"]),
];
/// Settings of apt that switch verification off, in lower case.
const APT: [&str; 3] = [
    "allowunauthenticated=true",
    "allowinsecurerepositories=true",
    "allowdowngradetoinsecurerepositories=true",
];
/// What lines of package sources hold that are not verified, in lower case.
const SOURCES: [&str; 4] = [
    "trusted=yes",
    "allow-insecure=yes",
    "gpgcheck=0",
    "repo_gpgcheck=0",
];
/// Programs that run what they are fed.
const INTERPRETERS: [&str; 7] = ["node", "perl", "php", "python", "python2", "python3", "ruby"];

/// The first pattern in a script: what it is, in words.
pub(super) fn in_script(script: &str) -> Option<String> {
    let all = commands(script);
    let mut fetched = false;
    for command in &all {
        if let Some(found) = in_command(command) {
            return Some(found);
        }
        if fetched && command.piped && runs_input(command) {
            return Some(format!("a download is piped to {}", command.program()));
        }
        fetched = is_fetch(command) || (fetched && command.piped);
    }
    None
}

/// The pattern in one command.
pub(super) fn in_command(command: &Command) -> Option<String> {
    let program = command.program();
    let switches = SWITCHES
        .iter()
        .filter(|(programs, _)| programs.contains(&program))
        .flat_map(|(_, switches)| *switches);
    for switch in switches {
        let valued = |argument: &str| {
            argument
                .strip_prefix(switch)
                .is_some_and(|rest| rest.starts_with('='))
        };
        let no = |argument: &str| {
            argument
                .strip_prefix(switch)
                .is_some_and(|rest| matches!(rest, "=false" | "=no"))
        };
        if command
            .arguments()
            .any(|argument| argument == *switch || valued(argument) && !no(argument))
        {
            return Some(format!("{program} {switch}"));
        }
    }
    special(command, program)
}

fn special(command: &Command, program: &str) -> Option<String> {
    let arguments = || command.arguments();
    match program {
        "curl" if arguments().any(|argument| is_short(argument, 'k')) => Some("curl -k".to_owned()),
        "apt" | "apt-get" => {
            let setting = arguments()
                .map(str::to_ascii_lowercase)
                .find(|argument| APT.iter().any(|setting| argument.ends_with(setting)))?;
            Some(format!("{program} {setting}"))
        }
        "pip" | "pip2" | "pip3" | "uv" => {
            let index = arguments().any(|argument| {
                argument
                    .trim_start_matches("--index-url=")
                    .trim_start_matches("--extra-index-url=")
                    .starts_with("http://")
            });
            index.then(|| format!("{program} from an address without TLS"))
        }
        "npm" | "pnpm" | "yarn" => {
            let words: Vec<_> = arguments().collect();
            let off = words
                .windows(2)
                .any(|pair| matches!(pair, ["strict-ssl", "false"]))
                || words.contains(&"strict-ssl=false");
            off.then(|| format!("{program} strict-ssl false"))
        }
        "git" => {
            let words: Vec<_> = arguments().map(str::to_ascii_lowercase).collect();
            let off = words.contains(&"http.sslverify=false".to_owned())
                || words
                    .windows(2)
                    .any(|pair| matches!(pair, [key, value] if key == "http.sslverify" && value == "false"));
            off.then(|| "git http.sslVerify false".to_owned())
        }
        "echo" | "printf" | "sed" | "tee" | "cat" => {
            let found = SOURCES.iter().find(|source| {
                arguments().any(|argument| argument.to_ascii_lowercase().contains(**source))
            })?;
            Some(format!("a package source with {found}"))
        }
        _ if command.is_shell() => {
            let fetches = |argument: &str| {
                ["(curl ", "(wget ", "`curl ", "`wget "]
                    .iter()
                    .any(|fetch| argument.contains(fetch))
            };
            arguments()
                .any(fetches)
                .then(|| format!("{program} runs a download"))
        }
        _ => None,
    }
}

/// Whether an argument is a group of one-letter options with this one.
fn is_short(argument: &str, letter: char) -> bool {
    let letters = argument.strip_prefix('-').unwrap_or_default();
    // Letters after one that takes a value are its value: `-okey`.
    let group: String = letters
        .chars()
        .take_while(|c| c.is_ascii_alphabetic() && !matches!(c, 'o' | 'H' | 'd' | 'u' | 'x' | 'A'))
        .collect();
    group.contains(letter)
}

fn is_fetch(command: &Command) -> bool {
    matches!(command.program(), "curl" | "wget")
}

/// Whether what is piped to the command is run.
fn runs_input(command: &Command) -> bool {
    let scripted = command.arguments().any(|argument| argument == "-c");
    command.is_shell() && !scripted
        || INTERPRETERS.contains(&command.program()) && command.operands(&[]).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(script: &str, expect: Option<&str>) {
        assert_eq!(in_script(script).as_deref(), expect, "{script}");
    }

    #[test]
    fn unverified_ones_are_found() {
        for (script, expect) in [
            (
                "apt-get install -y --allow-unauthenticated x",
                "apt-get --allow-unauthenticated",
            ),
            ("apt-get -y --force-yes install x", "apt-get --force-yes"),
            (
                "apt-get -o APT::Get::AllowUnauthenticated=true install x",
                "apt-get apt::get::allowunauthenticated=true",
            ),
            (
                "echo 'deb [trusted=yes] http://x y z' > /etc/apt/sources.list",
                "a package source with trusted=yes",
            ),
            (
                "sed -i s/gpgcheck=1/gpgcheck=0/ /etc/yum.repos.d/x.repo",
                "a package source with gpgcheck=0",
            ),
            ("yum -y install --nogpgcheck x", "yum --nogpgcheck"),
            ("apk add --allow-untrusted /x.apk", "apk --allow-untrusted"),
            ("zypper --no-gpg-checks in x", "zypper --no-gpg-checks"),
            ("pip install --trusted-host=x y", "pip --trusted-host"),
            (
                "pip3 install -i http://x/simple y",
                "pip3 from an address without TLS",
            ),
            ("npm config set strict-ssl false", "npm strict-ssl false"),
            (
                "git config --global http.sslVerify false",
                "git http.sslVerify false",
            ),
            ("curl -fsSLk https://x -o y", "curl -k"),
            (
                "wget --no-check-certificate https://x",
                "wget --no-check-certificate",
            ),
            ("curl -fsSL https://x | bash -", "a download is piped to bash"),
            (
                "wget -qO- https://x | tee y | sudo sh",
                "a download is piped to sh",
            ),
            ("curl https://x | python3 -", "a download is piped to python3"),
            ("bash <(curl -s https://x)", "bash runs a download"),
            ("sh -c \"$(curl -fsSL https://x)\"", "sh runs a download"),
        ] {
            check(script, Some(expect));
        }
    }

    #[test]
    fn verified_ones_and_look_alikes_are_not() {
        for script in [
            "apt-get update && apt-get install -y curl",
            "curl -fsSL https://x -o key && gpg --verify key.sig key",
            "curl https://x | tar xz",
            "curl https://x -okey",
            "curl -H k https://x",
            "curl https://x || bash y",
            "curl https://x | sha256sum -c && sh y",
            "echo x | sh",
            "pip install --index-url https://x/simple y",
            "npm config set strict-ssl true",
            "apk add --no-cache gpg",
            "echo gpgcheck=1 >> x.repo",
        ] {
            check(script, None);
        }
    }
}
