//! What audit rules mean: whether the kernel would record every change to an object.
//!
//! Nothing is compared as text. Each way to change an object is run through the rules as the kernel would, in three
//! values, so that what depends on who acts never counts as recorded. The kernel resolves the path of a rule once, when it
//! is loaded; where a mount may have changed since what the path stands for, nothing is covered until a proof shows it.
//!
//! Two things are outside of what a rule list can tell. A directory that was moved away and replaced after a rule on it
//! was loaded: the kernel still watches the old one, and lists the rule as before. No time in the list or of the directory
//! dates the one against the other, for a directory that is older than the rule can be moved there as well. Whoever
//! watches sees it happen, and a proof shows it. And calls by io_uring, which no rule by `perm` matches.

mod call;
mod decide;
mod field;
mod globals;
mod inside;
mod keeper;
mod persistence;
mod place;
mod reason;
mod remedy;
mod required;
mod simulate;
mod survey;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
mod verdict;

pub(crate) use decide::{Decision, decide};
pub(crate) use field::{asks_outcome, describe, keys};
pub(crate) use keeper::{Keeper, keeper};
pub(crate) use persistence::{AtBoot, persistence};
pub(crate) use remedy::rule_lines;
pub(crate) use required::{ASKED, Asked, Found, Required, required};
pub(super) use verdict::{SIGNALS, assess};
