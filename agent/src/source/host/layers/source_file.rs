//! Settings of package managers: sources that are not verified.

/// Settings of a file that are told.
const MAX_SETTINGS: usize = 16;
/// Longest setting that is told, in characters.
const SETTING_LEN: usize = 120;

/// Whose settings a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceKind {
    AptSources,
    AptConf,
    Yum,
    Pip,
    Npm,
}

impl SourceKind {
    /// By the path from the root of a layer.
    pub(super) fn of(path: &str) -> Option<Self> {
        let name = path.rsplit('/').next().unwrap_or_default();
        let lies_in = |directory: &str| path.starts_with(directory);
        if path == "etc/apt/sources.list" || lies_in("etc/apt/sources.list.d/") {
            Some(Self::AptSources)
        } else if path == "etc/apt/apt.conf" || lies_in("etc/apt/apt.conf.d/") {
            Some(Self::AptConf)
        } else if matches!(path, "etc/yum.conf" | "etc/dnf/dnf.conf") || lies_in("etc/yum.repos.d/") {
            Some(Self::Yum)
        } else if name == "pip.conf" {
            Some(Self::Pip)
        } else if name == ".npmrc" || path.ends_with("etc/npmrc") {
            Some(Self::Npm)
        } else {
            None
        }
    }
}

/// Settings that let unverified packages in.
pub(super) fn unverified(kind: SourceKind, text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim);
    let live = lines.filter(|line| !line.starts_with(['#', ';']) && !line.starts_with("//"));
    live.filter_map(|line| setting(kind, line))
        .take(MAX_SETTINGS)
        .collect()
}

fn setting(kind: SourceKind, line: &str) -> Option<String> {
    let squeezed: String = line.chars().filter(|letter| !letter.is_whitespace()).collect();
    let squeezed = squeezed.to_ascii_lowercase();
    let (name, value) = squeezed.split_once(['=', ':']).unwrap_or((&squeezed, ""));
    let is_off = matches!(value, "0" | "no" | "false" | "off");
    let found = match kind {
        SourceKind::AptSources => {
            let options = squeezed
                .split_once('[')
                .and_then(|(_, rest)| rest.split_once(']'));
            let options = options.map_or("", |(options, _)| options);
            let named = ["trusted=yes", "allow-insecure=yes"];
            let in_options = named.into_iter().find(|option| options.contains(option));
            let in_field = matches!(name, "trusted" | "allow-insecure") && value == "yes";
            in_options
                .map(str::to_owned)
                .or_else(|| in_field.then(|| format!("{name}: yes")))
        }
        SourceKind::AptConf => {
            let named = ["allowunauthenticated", "allowinsecurerepositories"];
            let is_on = ["\"true\"", "\"1\"", "\"yes\""]
                .iter()
                .any(|on| squeezed.contains(on));
            let is_named = named.iter().any(|name| squeezed.contains(name));
            (is_on && is_named).then(|| line.to_owned())
        }
        SourceKind::Yum => {
            let is_named = matches!(name, "gpgcheck" | "repo_gpgcheck" | "sslverify");
            // That of the list of packages is off by default.
            (is_named && name != "repo_gpgcheck" && is_off).then_some(squeezed)
        }
        SourceKind::Pip => (name == "trusted-host").then_some(squeezed),
        SourceKind::Npm => (name == "strict-ssl" && is_off).then_some(squeezed),
    };
    found.map(|setting| setting.chars().take(SETTING_LEN).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, text: &str, expected: &[&str]) {
        let kind = SourceKind::of(path).unwrap();
        assert_eq!(unverified(kind, text), expected, "{path}");
    }

    #[test]
    fn what_is_not_verified_is_told() {
        check(
            "etc/apt/sources.list",
            "deb [arch=amd64 trusted=yes] http://x y\n",
            &["trusted=yes"],
        );
        check(
            "etc/apt/sources.list.d/a.sources",
            "Types: deb\nTrusted: yes\n",
            &["trusted: yes"],
        );
        let line = "APT::Get::AllowUnauthenticated \"true\";";
        check("etc/apt/apt.conf.d/99x", line, &[line]);
        check("etc/yum.repos.d/x.repo", "[x]\ngpgcheck = 0\n", &["gpgcheck=0"]);
        check(
            "root/.config/pip/pip.conf",
            "[global]\ntrusted-host = pypi.local\n",
            &["trusted-host=pypi.local"],
        );
        check("root/.npmrc", "strict-ssl=false\n", &["strict-ssl=false"]);
    }

    #[test]
    fn what_is_verified_is_not() {
        check(
            "etc/apt/sources.list",
            "deb [signed-by=/k] http://trusted=yes/ y\n# deb [trusted=yes] x\n",
            &[],
        );
        check(
            "etc/apt/apt.conf.d/99x",
            "APT::Get::AllowUnauthenticated \"false\";",
            &[],
        );
        check("etc/yum.conf", "[main]\ngpgcheck=1\nrepo_gpgcheck=0\n", &[]);
        assert_eq!(SourceKind::of("etc/passwd"), None);
    }
}
