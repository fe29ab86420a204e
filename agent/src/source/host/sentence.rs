//! Errors as the one sentence that says why a fact is unknown.

use std::error::Error;

use crate::model::Fact;

/// The fact, or what went wrong with all its causes.
pub(super) fn known<T>(result: Result<T, impl Error>) -> Fact<T> {
    match result {
        Ok(fact) => Fact::Known(fact),
        Err(error) => Fact::Unknown(sentence(&error)),
    }
}

/// An error and its causes, from the outermost on.
pub(super) fn sentence(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::super::TruthError;
    use super::*;

    #[test]
    fn causes_are_told() {
        let error = TruthError::Read {
            pid: 7,
            what: "status",
            source: std::io::Error::other("why"),
        };
        let fact: Fact<()> = known(Err(error));
        assert_eq!(fact, Fact::unknown("cannot read status of process 7: why"));
        assert_eq!(known(Ok::<_, TruthError>(1)), Fact::Known(1));
    }
}
