//! Items of the host.

use crate::check::Item;
use crate::model::Verdict;

/// An item, and what came of judging it: a verdict that was reached early is one, too.
pub(in crate::check) fn item(subject: impl Into<String>, verdict: Result<Verdict, Verdict>) -> Item {
    Item {
        subject: subject.into(),
        verdict: verdict.unwrap_or_else(|early| early),
    }
}
