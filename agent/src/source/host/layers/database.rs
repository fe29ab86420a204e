//! Databases of installed packages.

/// Longest name of a package that is believed.
const NAME_LEN: usize = 200;

/// Names of the packages that a database lists, sorted.
pub(super) fn packages(database: &str, text: &str) -> Vec<String> {
    let mut names: Vec<_> = if database == "apk" {
        text.lines().filter_map(|line| line.strip_prefix("P:")).collect()
    } else {
        text.split("\n\n").filter_map(installed).collect()
    };
    names.retain(|name| !name.is_empty() && name.len() <= NAME_LEN);
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(|name| name.trim().to_owned()).collect()
}

/// The package of a paragraph of dpkg's. Those of images without dpkg have no state, and are installed.
fn installed(paragraph: &str) -> Option<&str> {
    let field = |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name));
    let is_installed = field("Status:").is_none_or(|state| state.trim().ends_with(" installed"));
    field("Package:").map(str::trim).filter(|_| is_installed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(database: &str, text: &str, expected: &[&str]) {
        assert_eq!(packages(database, text), expected);
    }

    #[test]
    fn installed_packages_are_listed() {
        check(
            "dpkg",
            "Package: curl\nStatus: install ok installed\nDescription: x\n Package: no\n\nPackage: old\nStatus: \
             deinstall ok config-files\n\nPackage: bash\nStatus: install ok installed\n",
            &["bash", "curl"],
        );
        check("dpkg", "Package: tzdata\nVersion: 1\n", &["tzdata"]);
        check("apk", "C:Q1\nP:musl\nV:1\n\nP:busybox\n", &["busybox", "musl"]);
        check("apk", "nonsense", &[]);
    }
}
