//! The engine's word against the kernel's.

use crate::model::{Container, ContainerState, Evidence, Severity, Verdict};

/// What one witness says of a recommendation.
#[derive(Debug)]
pub(in crate::check) enum Word {
    /// It is kept: a clause that can follow the container's name.
    Good(String),
    /// It is broken: a clause that can follow the container's name, and what shows it.
    Bad(String, Evidence),
    /// The witness cannot tell, and why.
    Silent(&'static str),
}

/// Whether any process of the container can be running. Where the engine does not know, it can.
pub(in crate::check) fn lives(container: &Container) -> bool {
    !matches!(
        container.state,
        ContainerState::Created | ContainerState::Exited | ContainerState::Dead
    )
}

/// A container's pass, for this reason.
pub(in crate::check) fn passed(container: &Container, clause: &str) -> Verdict {
    Verdict::pass().because(format!("container {} {clause}", container.name))
}

/// A container's failure: at most medium while nothing of it runs.
pub(in crate::check) fn failed(
    container: &Container,
    severity: Severity,
    clause: &str,
    evidence: Vec<Evidence>,
) -> Verdict {
    let severity = if lives(container) {
        severity
    } else {
        severity.min(Severity::Medium)
    };
    Verdict::fail(format!("container {} {clause}", container.name), evidence).severity(severity)
}

/// Joins the engine's description of a container with what the kernel shows of its first process.
///
/// The kernel decides how bad it is; a pass needs that neither objects and one has looked. Where they
/// contradict each other the reason says so: a bad configuration that its first process made good for
/// itself (with its own seccomp filter, say) still holds for the next exec session, so it stays a
/// failure of low severity.
pub(in crate::check) fn weigh(
    container: &Container,
    severity: Severity,
    config: Word,
    kernel: Word,
) -> Verdict {
    match (config, kernel) {
        (Word::Silent(why), Word::Silent(_)) => Verdict::unknown(why.to_owned()),
        (Word::Good(clause), Word::Good(_) | Word::Silent(_)) | (Word::Silent(_), Word::Good(clause)) => {
            passed(container, &clause)
        }
        (Word::Bad(clause, shown), Word::Silent(_)) | (Word::Silent(_), Word::Bad(clause, shown)) => {
            failed(container, severity, &clause, vec![shown])
        }
        (Word::Bad(clause, asked), Word::Bad(_, seen)) => {
            failed(container, severity, &clause, vec![asked, seen])
        }
        (Word::Good(_), Word::Bad(clause, seen)) => {
            let clause = format!("{clause}, although its configuration says otherwise");
            failed(container, severity, &clause, vec![seen])
        }
        (Word::Bad(clause, asked), Word::Good(_)) => {
            let clause = format!("{clause}, although the kernel does not show it of its first process");
            failed(container, Severity::Low, &clause, vec![asked])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::container;
    use super::*;
    use crate::check::support::config;
    use crate::model::VerdictKind;

    #[track_caller]
    fn check(from_config: Word, from_kernel: Word, expect: Result<(Severity, &str), Verdict>) {
        let verdict = weigh(&container("web"), Severity::High, from_config, from_kernel);
        match (verdict, expect) {
            (verdict, Ok((want, words))) => {
                assert_eq!(verdict.kind(), VerdictKind::Fail);
                assert_eq!((verdict.severity, verdict.reason.as_str()), (Some(want), words));
                assert!(!verdict.evidence.is_empty());
            }
            (verdict, Err(want)) => assert_eq!(verdict, want),
        }
    }

    fn good() -> Word {
        Word::Good("is fine".into())
    }

    fn bad() -> Word {
        Word::Bad("is odd".into(), config("Odd", true))
    }

    #[test]
    fn the_two_witnesses_are_joined() {
        let fine = || Err(Verdict::pass().because("container web is fine"));
        check(good(), Word::Good("is seen to be".into()), fine());
        check(Word::Silent("dark"), good(), fine());
        check(good(), Word::Silent("dark"), fine());
        check(
            Word::Silent("dark"),
            Word::Silent("too"),
            Err(Verdict::unknown("dark")),
        );
        check(
            bad(),
            Word::Silent("dark"),
            Ok((Severity::High, "container web is odd")),
        );
        check(
            Word::Silent("dark"),
            bad(),
            Ok((Severity::High, "container web is odd")),
        );
        check(bad(), bad(), Ok((Severity::High, "container web is odd")));
        let drifted = "container web is odd, although its configuration says otherwise";
        check(good(), bad(), Ok((Severity::High, drifted)));
        let mended = "container web is odd, although the kernel does not show it of its first process";
        check(bad(), good(), Ok((Severity::Low, mended)));
    }

    #[test]
    fn a_container_at_rest_is_at_most_of_medium_severity() {
        for state in [
            ContainerState::Created,
            ContainerState::Exited,
            ContainerState::Dead,
        ] {
            let resting = Container {
                state,
                ..container("web")
            };
            let verdict = failed(&resting, Severity::Critical, "is odd", Vec::new());
            assert_eq!(verdict.severity, Some(Severity::Medium), "{state:?}");
        }
    }
}
