//! Units of systemd, as its files define them (`systemd.unit(5)`). systemd itself is not asked: what it has loaded may
//! be older than the files, and it need not run.

use std::collections::BTreeMap;

use super::root::Root;

/// Directories of system units, those that count more first.
pub(super) const SYSTEM: &[&str] = &[
    "/etc/systemd/system.control",
    "/run/systemd/system.control",
    "/run/systemd/transient",
    "/run/systemd/generator.early",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/run/systemd/system",
    "/run/systemd/system.attached",
    "/run/systemd/generator",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
    "/run/systemd/generator.late",
];

/// Directories of a user's units that belong to the system.
pub(super) const USER: &[&str] = &[
    "/etc/systemd/user",
    "/run/systemd/user",
    "/usr/local/lib/systemd/user",
    "/usr/lib/systemd/user",
    "/lib/systemd/user",
];

/// Settings of one unit that are kept.
const MAX_SETTINGS: usize = 4096;

/// A unit that is defined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unit {
    /// The file that defines it: the first that is found.
    pub(super) fragment: String,
    /// Whether that file says that there is no such unit.
    pub(super) masked: bool,
    /// Files that add to it, in the order in which they are read.
    pub(super) drop_ins: Vec<String>,
    /// Why one of these files could not be read.
    pub(super) unread: Option<String>,
    /// Section, name, value; in order.
    settings: Vec<(String, String, String)>,
}

impl Unit {
    /// Looks for a unit (`docker.service`) in directories, those that count more first.
    pub(super) fn find(root: &Root, directories: &[String], name: &str) -> Option<Self> {
        let candidates = directories.iter().map(|directory| format!("{directory}/{name}"));
        let fragment = candidates
            .into_iter()
            .find(|path| root.link(path).is_some() || root.has(path))?;
        let mut unit = Self {
            masked: is_mask(root, &fragment),
            fragment,
            ..Self::default()
        };
        if unit.masked {
            return Some(unit);
        }
        unit.drop_ins = drop_ins(root, directories, name);
        let files: Vec<String> = std::iter::once(&unit.fragment)
            .chain(&unit.drop_ins)
            .cloned()
            .collect();
        for path in files {
            match root.read(&path) {
                Ok(text) => unit.settings.extend(parse(&text)),
                Err(error) => unit.unread = Some(format!("{path} could not be read: {error}")),
            }
        }
        unit.settings.truncate(MAX_SETTINGS);
        Some(unit)
    }

    /// Values of a setting that adds up; an empty one takes back those before it.
    pub(super) fn all(&self, section: &str, name: &str) -> Vec<&str> {
        let mut values = Vec::new();
        for (_, _, value) in self.settings.iter().filter(|(s, n, _)| s == section && n == name) {
            if value.is_empty() {
                values.clear();
            } else {
                values.push(value.as_str());
            }
        }
        values
    }

    /// Value of a setting that the last word decides.
    pub(super) fn last(&self, section: &str, name: &str) -> Option<&str> {
        let mut settings = self.settings.iter().rev();
        let (_, _, value) = settings.find(|(s, n, _)| s == section && n == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Whether a file stands for "no such unit": a link to `/dev/null`, or empty.
fn is_mask(root: &Root, path: &str) -> bool {
    root.link(path).as_deref() == Some("/dev/null") || root.read(path).is_ok_and(|text| text.is_empty())
}

/// Drop-ins of a unit. Of files with equal names the one whose directory counts more is read, and those of the unit
/// itself count more than those of all units of its type.
fn drop_ins(root: &Root, directories: &[String], name: &str) -> Vec<String> {
    let of_type = name.rsplit_once('.').map_or(name, |(_, suffix)| suffix);
    let mut found = BTreeMap::new();
    for owner in [name, of_type] {
        for directory in directories {
            let directory = format!("{directory}/{owner}.d");
            let names = root.list(&directory).unwrap_or_default();
            for file in names.into_iter().filter(|file| file.ends_with(".conf")) {
                let path = format!("{directory}/{file}");
                found.entry(file).or_insert(path);
            }
        }
    }
    found.into_values().filter(|path| !is_mask(root, path)).collect()
}

/// Settings of one file: section, name, value.
fn parse(text: &str) -> Vec<(String, String, String)> {
    let mut section = String::new();
    let mut settings = Vec::new();
    for line in joined(text) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
        } else if let Some((name, value)) = line.split_once('=') {
            settings.push((
                section.clone(),
                name.trim_end().to_owned(),
                value.trim().to_owned(),
            ));
        }
        if settings.len() > MAX_SETTINGS {
            break;
        }
    }
    settings
}

/// Lines without comments, with continuation lines joined to the ones before them.
fn joined(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut begun = String::new();
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(head) = line.strip_suffix('\\') {
            begun.push_str(head);
            begun.push(' ');
            continue;
        }
        begun.push_str(line);
        let whole = std::mem::take(&mut begun);
        if !whole.is_empty() {
            lines.push(whole);
        }
    }
    lines.extend(Some(begun.trim_end().to_owned()).filter(|rest| !rest.is_empty()));
    lines
}

/// A path of a setting with the specifiers of system units resolved; `None` where it has others, or is no path.
pub(super) fn path_in(value: &str) -> Option<String> {
    let value = value.strip_prefix('-').unwrap_or(value);
    let value = value.trim_matches('"').replace("%t", "/run").replace("%%", "%");
    (value.starts_with('/') && !value.contains('%')).then_some(value)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    const UNIT: &str = "[Unit]\nDescription=x\n# [Service]\n[Service]\nEnvironmentFile=-/etc/default/a\n\
        ExecStart=/usr/bin/dockerd \\\n  ; between\n  -H fd://\n[Socket]\nListenStream = /run/docker.sock\n";

    /// A unit of these files; a content that starts with `->` is a link.
    #[track_caller]
    fn check(files: &[(&str, &str)]) -> Option<Unit> {
        let dir = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = dir.path().join(path.trim_start_matches('/'));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            match content.strip_prefix("->") {
                Some(target) => symlink(target, path).unwrap(),
                None => fs::write(path, content).unwrap(),
            }
        }
        let directories: Vec<_> = SYSTEM.iter().map(|&directory| directory.to_owned()).collect();
        Unit::find(&Root::open(dir.path()).unwrap(), &directories, "docker.service")
    }

    #[test]
    fn the_first_directory_defines_the_unit() {
        assert_eq!(check(&[]), None);
        let distribution = ("/lib/systemd/system/docker.service", UNIT);
        let found = check(&[distribution]).unwrap();
        assert_eq!(found.fragment, distribution.0);
        assert_eq!(found.all("Service", "EnvironmentFile"), ["-/etc/default/a"]);
        assert_eq!(
            found.last("Service", "ExecStart"),
            Some("/usr/bin/dockerd  -H fd://")
        );
        assert_eq!(found.all("Socket", "ListenStream"), ["/run/docker.sock"]);
        let own = ("/etc/systemd/system/docker.service", "[Service]\n");
        let found = check(&[distribution, own]).unwrap();
        assert_eq!((found.fragment.as_str(), found.masked), (own.0, false));
        assert_eq!(found.last("Service", "ExecStart"), None);
        let link = (own.0, "->/opt/docker.service");
        let found = check(&[distribution, link, ("/opt/docker.service", UNIT)]).unwrap();
        assert_eq!(found.fragment, own.0);
        assert!(found.last("Service", "ExecStart").is_some());
        let dangling = check(&[distribution, link]).unwrap();
        assert!(dangling.unread.unwrap().contains("could not be read"));
    }

    #[test]
    fn masks_hide_units_and_drop_ins() {
        let distribution = ("/usr/lib/systemd/system/docker.service", UNIT);
        for mask in ["->/dev/null", ""] {
            let found = check(&[distribution, ("/etc/systemd/system/docker.service", mask)]).unwrap();
            assert!(found.masked, "{mask:?}");
            let found = check(&[
                distribution,
                ("/etc/systemd/system/docker.service.d/a.conf", mask),
                ("/usr/lib/systemd/system/docker.service.d/a.conf", UNIT),
            ]);
            assert_eq!(found.unwrap().drop_ins, [""; 0]);
        }
    }

    #[test]
    fn drop_ins_are_read_by_name_and_the_nearest_of_equals_counts() {
        let found = check(&[
            ("/usr/lib/systemd/system/docker.service", UNIT),
            (
                "/usr/lib/systemd/system/docker.service.d/20.conf",
                "[Service]\nEnvironmentFile=/lost\n",
            ),
            (
                "/run/systemd/system/docker.service.d/20.conf",
                "[Service]\nEnvironmentFile=\nEnvironmentFile=/b\n",
            ),
            (
                "/etc/systemd/system/service.d/10.conf",
                "[Service]\nEnvironmentFile=/a\n",
            ),
            ("/etc/systemd/system/service.d/20.conf", "[Service]\nUser=x\n"),
            (
                "/etc/systemd/system/docker.service.d/30.txt",
                "[Service]\nUser=y\n",
            ),
        ])
        .unwrap();
        let expect = [
            "/etc/systemd/system/service.d/10.conf",
            "/run/systemd/system/docker.service.d/20.conf",
        ];
        assert_eq!(found.drop_ins, expect);
        assert_eq!(found.all("Service", "EnvironmentFile"), ["/b"]);
        assert_eq!(found.last("Service", "User"), None);
    }

    #[test]
    fn paths_resolve_what_system_units_may_say() {
        assert_eq!(
            path_in("-/etc/default/docker").as_deref(),
            Some("/etc/default/docker")
        );
        assert_eq!(path_in("%t/docker.sock").as_deref(), Some("/run/docker.sock"));
        for none in ["%h/x", "2375", "@abstract", ""] {
            assert_eq!(path_in(none), None, "{none}");
        }
    }
}
