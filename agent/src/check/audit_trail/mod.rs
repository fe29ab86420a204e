//! What audit rules mean: whether the kernel would record every change to an object.
//!
//! Nothing is compared as text. Each way to change an object is run through the rules as the kernel would, in three
//! values, so that what depends on who acts never counts as recorded. Two things are outside of what a rule list can
//! tell: a directory that was moved away and replaced after a rule on it was loaded, where the kernel still watches the
//! old one, and calls by io_uring, which no rule by `perm` matches.

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
pub(crate) use persistence::persistence;
pub(crate) use remedy::rule_lines;
pub(crate) use required::{ASKED, Asked, Found, Required, required};
pub(super) use verdict::{SIGNALS, assess};
