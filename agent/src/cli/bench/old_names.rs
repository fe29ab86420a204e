//! Names that scripts of older tools use: of checks, of groups, of benchmarks.

use super::select::Name;
use crate::check::Benchmark;

/// A group of docker-bench-security.
pub(super) fn group(word: &str) -> Option<Name> {
    let (word, level) = match word.strip_suffix("_level1") {
        Some("cis") => return Some(Name::Level(1)),
        Some(rest) => (rest, Some(1)),
        None => (word, None),
    };
    let section = match word {
        "cis" | "all" => return Some(Name::All),
        "community_checks" => return Some(Name::Nothing),
        "host_configuration" => "host",
        "docker_daemon_configuration" => "daemon",
        "docker_daemon_files" => "daemon-files",
        "container_images" => "images",
        "container_runtime" => "runtime",
        "docker_security_operations" => "operations",
        "docker_swarm_configuration" => "swarm",
        "docker_enterprise_configuration" => "enterprise",
        "linux_hosts_specific_configuration" => return Some(Name::Glob("1.1.*".to_owned())),
        "host_general_configuration" => return Some(Name::Glob("1.2.*".to_owned())),
        _ => return None,
    };
    Some(Name::Section(section.to_owned(), level))
}

/// The number in a function of docker-bench-security: `check_5_5` is 5.5.
pub(super) fn number(word: &str) -> Option<String> {
    let digits = word.strip_prefix("check_")?;
    let number = digits.replace('_', ".");
    number
        .split('.')
        .all(|part| part.parse::<u32>().is_ok())
        .then_some(number)
}

/// A benchmark by its name, or by that of docker-bench's directory for it.
///
/// # Errors
/// Neither, in one line.
pub(super) fn benchmark(text: &str) -> Result<Benchmark, String> {
    match text {
        "cis-1.0" => Ok(Benchmark::V1_13_0),
        "cis-1.1" => Ok(Benchmark::V1_1_0),
        "cis-1.2" => Ok(Benchmark::V1_2_0),
        other => other.parse(),
    }
}

/// The benchmark for an engine's version, as docker-bench takes it: `20.10`.
///
/// # Errors
/// An engine that no benchmark was written for.
pub(super) fn engine_version(text: &str) -> Result<Benchmark, String> {
    Benchmark::of_engine(text).ok_or_else(|| format!("there is no benchmark for engine version `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_become_numbers() {
        assert_eq!(number("check_1_1_10").as_deref(), Some("1.1.10"));
        assert_eq!(number("check_5").as_deref(), Some("5"));
        assert_eq!(number("check_x"), None);
        assert_eq!(number("5_5"), None);
    }

    #[test]
    fn benchmarks_and_versions_are_those_of_the_catalogue() {
        assert_eq!(benchmark("cis-1.1"), Ok(Benchmark::V1_1_0));
        assert_eq!(benchmark("cis-1.6.0"), Ok(Benchmark::V1_6_0));
        assert_eq!(engine_version("17.06"), Ok(Benchmark::V1_1_0));
        assert!(benchmark("cis-9").is_err() && engine_version("1.2").is_err());
    }
}
