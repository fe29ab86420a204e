//! Options of the engine's daemon: what is in force, who says so, and how to change it on this host.
//!
//! The API decides where it shows the option; else the command line; else the configuration file; else the default.
//! What the file says by now but the running daemon does not know is told, and decides nothing: where it is all that is
//! left to go by, nobody knows what is in force.

use serde_json::{Map, Value, json};

use crate::model::{Daemon, DaemonOption, Engine, Evidence, Host, OptionSource, Source, Verdict};

/// Where the daemon's configuration is, unless it says otherwise.
const CONFIG_FILE: &str = "/etc/docker/daemon.json";

/// Options whose flag is not their name in the configuration file: name, flag.
const FLAGS: [(&str, &str); 8] = [
    ("authorization-plugins", "authorization-plugin"),
    ("default-ulimits", "default-ulimit"),
    ("exec-opts", "exec-opt"),
    ("hosts", "host"),
    ("insecure-registries", "insecure-registry"),
    ("log-opts", "log-opt"),
    ("registry-mirrors", "registry-mirror"),
    ("storage-opts", "storage-opt"),
];

/// Options with a flag of one letter.
const LETTERS: [(&str, char); 4] = [
    ("debug", 'D'),
    ("hosts", 'H'),
    ("log-level", 'l'),
    ("storage-driver", 's'),
];

/// Options that the daemon takes over from its file when it is sent SIGHUP.
const RELOADED: [&str; 6] = [
    "authorization-plugins",
    "debug",
    "features",
    "insecure-registries",
    "live-restore",
    "registry-mirrors",
];

/// One option of the daemon, as it is in force.
pub(in crate::check) struct Setting<'a> {
    name: &'static str,
    value: Option<Value>,
    source: Option<OptionSource>,
    pending: Option<&'a Value>,
    by_flag: bool,
    path: &'a str,
}

impl<'a> Setting<'a> {
    /// An option that the API does not show.
    ///
    /// # Errors
    /// Unknown, where the daemon or its configuration file could not be looked at.
    pub(in crate::check) fn of(host: &'a Host, name: &'static str) -> Result<Self, Verdict> {
        Self::shown(host, name, |_| None::<Value>)
    }

    /// An option that the API shows, where the engine answers and is new enough.
    ///
    /// # Errors
    /// Unknown, where nobody could be asked.
    pub(in crate::check) fn shown<T: Into<Value>>(
        host: &'a Host,
        name: &'static str,
        api: impl FnOnce(&'a Engine) -> Option<T>,
    ) -> Result<Self, Verdict> {
        let daemon = host.facts.daemon.get();
        let given = daemon.and_then(|daemon| daemon.option(name));
        let api = host.facts.engine.get().and_then(api).map(Into::into);
        let (value, source) = match (api, given) {
            (Some(value), _) => (Some(value), Some(OptionSource::Engine)),
            (None, Some(given)) if given.value.is_null() => return Err(unsure(host, name, given)),
            (None, Some(given)) => (Some(given.value.clone()), Some(given.source)),
            (None, None) => {
                unset(host, name).map_err(|why| Verdict::unknown(format!("`{name}` is not known: {why}")))?;
                (None, None)
            }
        };
        let flagged = given.is_some_and(|given| given.source == OptionSource::Flag);
        Ok(Self {
            name,
            value,
            source,
            pending: given.and_then(|given| given.pending.as_ref()),
            by_flag: flagged || daemon.is_some_and(|daemon| has_flag(daemon, name)),
            path: daemon.map_or(CONFIG_FILE, |daemon| &daemon.config_file.path),
        })
    }

    /// Whether it is given at all.
    pub(in crate::check) const fn is_given(&self) -> bool {
        self.value.is_some()
    }

    /// A boolean option.
    ///
    /// # Errors
    /// Unknown, where what is given is none.
    pub(in crate::check) fn flag(&self, default: bool) -> Result<bool, Verdict> {
        match &self.value {
            None => Ok(default),
            Some(value) => value.as_bool().ok_or_else(|| self.odd("boolean")),
        }
    }

    /// A text; none where it is not given or empty.
    ///
    /// # Errors
    /// Unknown, where what is given is none.
    pub(in crate::check) fn text(&self) -> Result<Option<&str>, Verdict> {
        match &self.value {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err(self.odd("text")),
        }
    }

    /// A list of texts.
    ///
    /// # Errors
    /// Unknown, where what is given is none.
    pub(in crate::check) fn list(&self) -> Result<Vec<&str>, Verdict> {
        let odd = || self.odd("list of texts");
        match &self.value {
            None => Ok(Vec::new()),
            Some(Value::String(one)) => Ok(vec![one]),
            Some(Value::Array(all)) => all
                .iter()
                .map(|one| one.as_str().ok_or_else(odd))
                .collect::<Result<_, _>>(),
            Some(_) => Err(odd()),
        }
    }

    /// An object; none where it is not given.
    ///
    /// # Errors
    /// Unknown, where what is given is none.
    pub(in crate::check) fn map(&self) -> Result<Option<&Map<String, Value>>, Verdict> {
        match &self.value {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(_) => Err(self.odd("object")),
        }
    }

    /// A clause that says what it is and who says so: `icc` is true by default.
    pub(in crate::check) fn is(&self, value: impl std::fmt::Display) -> String {
        format!("`{}` is {value} {}", self.name, self.origin())
    }

    /// With what is known of the option as evidence, and with what the next restart will bring.
    pub(in crate::check) fn tell(&self, mut verdict: Verdict) -> Verdict {
        let source = match self.source {
            Some(OptionSource::Engine) => Source::Engine,
            _ => Source::Assessment,
        };
        let facts = json!({
            "option": self.name,
            "value": self.value,
            "from": self.origin(),
            "pending": self.pending,
        });
        if let Some(pending) = self.pending {
            verdict
                .reason
                .push_str(&format!("; {}", next_restart(self.path, pending)));
        }
        verdict.evidence(Evidence::new(source, "option", facts))
    }

    /// What to do so that it is this.
    pub(in crate::check) fn set_to(&self, value: &Value) -> String {
        let line = format!("put \"{}\": {value} in {}", self.name, self.path);
        let change = match self.by_flag {
            true => format!(
                "Remove the flag --{} from the unit's ExecStart and {line}",
                self.flag_name()
            ),
            false => line.replacen("put", "Put", 1),
        };
        format!("{change}, then {}", self.apply())
    }

    /// What to do so that it has its default.
    pub(in crate::check) fn unset(&self) -> String {
        let change = match self.by_flag {
            true => format!("Remove the flag --{} from the unit's ExecStart", self.flag_name()),
            false => format!("Remove \"{}\" from {}", self.name, self.path),
        };
        format!("{change}, then {}", self.apply())
    }

    /// What to do so that its list is without this.
    pub(in crate::check) fn drop_entry(&self, entry: &str) -> String {
        let change = match self.by_flag {
            true => format!(
                "Remove the flag --{} {entry} from the unit's ExecStart",
                self.flag_name()
            ),
            false => format!("Remove {} from \"{}\" in {}", json!(entry), self.name, self.path),
        };
        format!("{change}, then {}", self.apply())
    }

    fn apply(&self) -> &'static str {
        if RELOADED.contains(&self.name) && !self.by_flag {
            "reload the engine"
        } else {
            "restart the engine"
        }
    }

    fn origin(&self) -> String {
        match self.source {
            None => "by default".to_owned(),
            Some(OptionSource::Flag) => format!("by the flag --{}", self.flag_name()),
            Some(OptionSource::File) => format!("in {}", self.path),
            Some(OptionSource::Engine) => "as the engine shows".to_owned(),
        }
    }

    fn odd(&self, expected: &str) -> Verdict {
        let value = self.value.as_ref().unwrap_or(&Value::Null);
        Verdict::unknown(format!("{}, which is no {expected}", self.is(value)))
    }

    fn flag_name(&self) -> &'static str {
        flag_name(self.name)
    }
}

/// Whether an option that is not listed has its default, or why that is not known.
fn unset(host: &Host, name: &str) -> Result<(), String> {
    let why = |verdict: Verdict| verdict.reason;
    let daemon = host.facts.daemon.look().map_err(why)?;
    let file = &daemon.config_file;
    file.content.look().map_err(why)?;
    if file.is_newer_than(daemon.started) && !RELOADED.contains(&name) {
        let path = &file.path;
        return Err(format!(
            "{path} was changed after the daemon was started; restart the engine to be sure"
        ));
    }
    Ok(())
}

/// The file was changed after the daemon was started, and nothing else shows what the daemon took from it.
fn unsure(host: &Host, name: &str, given: &DaemonOption) -> Verdict {
    let file = host.facts.daemon.get().map(|daemon| &daemon.config_file);
    let path = file.map_or(CONFIG_FILE, |file| &file.path);
    let next = given
        .pending
        .as_ref()
        .map(|value| format!("; {}", next_restart(path, value)));
    Verdict::unknown(format!(
        "`{name}` is not known: {path} was changed after the daemon was started{}",
        next.unwrap_or_default()
    ))
}

fn next_restart(path: &str, pending: &Value) -> String {
    format!("pending-restart: {path} says {pending}, which holds after the next restart")
}

fn flag_name(name: &'static str) -> &'static str {
    let other = FLAGS.iter().find(|(option, _)| *option == name);
    other.map_or(name, |(_, flag)| *flag)
}

/// Whether the command line gives the option: the API shows a value and not where it is from.
fn has_flag(daemon: &Daemon, name: &'static str) -> bool {
    let long = flag_name(name);
    let letter = LETTERS.iter().find(|(option, _)| *option == name);
    daemon
        .argv
        .iter()
        .skip(1)
        .any(|word| match word.strip_prefix("--") {
            Some(flag) => flag.split('=').next() == Some(long),
            None => match (word.strip_prefix('-'), letter) {
                (Some(short), Some((_, letter))) => short.starts_with(*letter),
                _ => false,
            },
        })
}

/// The engine's security option of this name in full (`name=seccomp,profile=builtin`); none where it is not on.
///
/// # Errors
/// Unknown, where no engine listed its security options.
pub(in crate::check) fn security_option<'a>(host: &'a Host, name: &str) -> Result<Option<&'a str>, Verdict> {
    let shown = host
        .facts
        .engine
        .get()
        .and_then(|engine| engine.security_options.as_ref());
    let Some(options) = shown.or(host.facts.security_options.as_ref()) else {
        host.facts.engine.look()?;
        return Err(Verdict::unknown("the engine does not list its security options"));
    };
    let is_named = |option: &&String| {
        let first = option.split(',').next().unwrap_or_default();
        first.strip_prefix("name=").unwrap_or(first) == name
    };
    Ok(options.iter().find(is_named).map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::testing::daemon::{daemon, day, hardened, set, set_by_flag};
    use crate::model::{Fact, VerdictKind};

    #[track_caller]
    fn check(vary: impl FnOnce(&mut Host), clause: &str, remedy: &str) {
        let mut host = hardened();
        daemon(&mut host).options.remove("icc");
        vary(&mut host);
        let setting = Setting::of(&host, "icc").unwrap();
        let value = setting.flag(true).unwrap();
        assert_eq!(
            setting.tell(Verdict::pass().because(setting.is(value))).reason,
            clause
        );
        assert_eq!(setting.set_to(&json!(false)), remedy);
    }

    #[test]
    fn flag_then_file_then_default() {
        let put = "Put \"icc\": false in /etc/docker/daemon.json, then restart the engine";
        check(|_| {}, "`icc` is true by default", put);
        let by_file = "`icc` is false in /etc/docker/daemon.json";
        check(|host| set(host, "icc", json!(false)), by_file, put);
        let by_flag = "Remove the flag --icc from the unit's ExecStart and put \"icc\": false in \
                       /etc/docker/daemon.json, then restart the engine";
        let flagged = "`icc` is true by the flag --icc";
        check(|host| set_by_flag(host, "icc", json!(true)), flagged, by_flag);
    }

    #[test]
    fn a_changed_file_is_told_and_decides_nothing() {
        let pending = |host: &mut Host| {
            set(host, "icc", json!(true));
            daemon(host).options.get_mut("icc").unwrap().pending = Some(json!(false));
        };
        let put = "Put \"icc\": false in /etc/docker/daemon.json, then restart the engine";
        let next = "pending-restart: /etc/docker/daemon.json says false, which holds after the next restart";
        check(
            pending,
            &format!("`icc` is true in /etc/docker/daemon.json; {next}"),
            put,
        );
    }

    /// The file was changed after the daemon was started.
    fn newer(host: &mut Host) {
        let daemon = daemon(host);
        daemon.started = Some(day("2026-10-01"));
        daemon.config_file.changed = Some(day("2026-10-02"));
    }

    #[test]
    fn a_file_that_is_newer_than_the_daemon_is_not_what_it_read() {
        let said = "`icc` is not known: /etc/docker/daemon.json was changed after the daemon was started; ";
        let next = "pending-restart: /etc/docker/daemon.json says false, which holds after the next restart";
        let given = |host: &mut Host| {
            newer(host);
            set(host, "icc", Value::Null);
            daemon(host).options.get_mut("icc").unwrap().pending = Some(json!(false));
        };
        check_unknown(given, &format!("{said}{next}"));
        check_unknown(newer, &format!("{said}restart the engine to be sure"));
        let flagged = |host: &mut Host| {
            newer(host);
            set_by_flag(host, "icc", json!(false));
        };
        let mut host = hardened();
        flagged(&mut host);
        assert_eq!(Setting::of(&host, "icc").unwrap().flag(true), Ok(false));
        assert_eq!(Setting::of(&host, "live-restore").unwrap().flag(false), Ok(false));
        let shown = Setting::shown(&host, "log-driver", |_| Some("gelf")).unwrap();
        assert_eq!(shown.text(), Ok(Some("gelf")));
    }

    #[track_caller]
    fn check_unknown(vary: impl FnOnce(&mut Host), words: &str) {
        let mut host = hardened();
        daemon(&mut host).options.clear();
        vary(&mut host);
        let verdict = Setting::of(&host, "icc")
            .and_then(|icc| icc.flag(true))
            .unwrap_err();
        assert_eq!(
            (verdict.kind, verdict.reason.as_str()),
            (VerdictKind::Unknown, words)
        );
    }

    #[test]
    fn what_could_not_be_read_is_no_default() {
        let broken = "`icc` is not known: /etc/docker/daemon.json: expected value, line 1 column 2";
        check_unknown(
            |host| {
                daemon(host).config_file.content =
                    Fact::unknown("/etc/docker/daemon.json: expected value, line 1 column 2");
            },
            broken,
        );
        let nobody = "`icc` is not known: no dockerd runs";
        check_unknown(
            |host| host.facts.daemon = Fact::unknown("no dockerd runs"),
            nobody,
        );
        let odd = "`icc` is \"no\" in /etc/docker/daemon.json, which is no boolean";
        check_unknown(|host| set(host, "icc", json!("no")), odd);
    }

    #[test]
    fn the_api_decides_and_the_command_line_is_to_be_changed() {
        let mut host = hardened();
        for word in ["--debug=true", "-D", "-Dl", "--debug"] {
            daemon(&mut host).argv = vec!["dockerd".into(), word.into()];
            let setting = Setting::shown(&host, "debug", |_| Some(true)).unwrap();
            assert_eq!(setting.is(true), "`debug` is true as the engine shows");
            let remedy = "Remove the flag --debug from the unit's ExecStart, then restart the engine";
            assert_eq!(setting.unset(), remedy);
        }
        daemon(&mut host).argv = vec!["dockerd".into(), "--debugger".into()];
        let setting = Setting::shown(&host, "debug", |_| Some(true)).unwrap();
        let remedy = "Remove \"debug\" from /etc/docker/daemon.json, then reload the engine";
        assert_eq!(setting.unset(), remedy);
    }

    #[test]
    fn a_security_option_is_found_by_its_whole_name() {
        let mut host = hardened();
        host.facts.engine.get_mut().unwrap().security_options =
            Some(vec!["name=usernsx".into(), "name=seccomp,profile=/a,b".into()]);
        assert_eq!(security_option(&host, "userns"), Ok(None));
        assert_eq!(
            security_option(&host, "seccomp"),
            Ok(Some("name=seccomp,profile=/a,b"))
        );
    }
}
