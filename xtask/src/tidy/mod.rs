//! `cargo xtask tidy`: what the compiler does not check. One rule per file, pure over the tree's text.

mod code;
mod direction;
mod documented;
mod externals;
mod lints;
mod placeholders;
mod places;
mod registered;
mod registered_checks;
mod size;
mod text;
mod tree;
mod unsafe_code;

use anyhow::Result;

use crate::{console, workspace};
use tree::{Problem, Tree};

/// A rule: its name, and what breaks it.
struct Rule {
    name: &'static str,
    check: fn(&Tree) -> Vec<Problem>,
}

const RULES: &[Rule] = &[
    Rule {
        name: "direction",
        check: direction::check,
    },
    Rule {
        name: "externals",
        check: externals::check,
    },
    Rule {
        name: "size",
        check: size::check,
    },
    Rule {
        name: "registered-checks",
        check: registered_checks::check,
    },
    Rule {
        name: "registered",
        check: registered::check,
    },
    Rule {
        name: "lints",
        check: lints::check,
    },
    Rule {
        name: "unsafe",
        check: unsafe_code::check,
    },
    Rule {
        name: "placeholders",
        check: placeholders::check,
    },
    Rule {
        name: "documented",
        check: documented::check,
    },
    Rule {
        name: "places",
        check: places::check,
    },
    Rule {
        name: "text",
        check: text::check,
    },
];

/// Applies every rule to the files of the project and prints what breaks one; true where nothing does.
pub(crate) fn run() -> Result<bool> {
    let tree = Tree::read(&workspace::root()?)?;
    let mut broken = 0usize;
    for rule in RULES {
        for problem in (rule.check)(&tree) {
            console::say(&format!("{problem} [{}]", rule.name));
            broken += 1;
        }
    }
    console::say(&format!(
        "tidy: {} rules over {} files, {broken} problems",
        RULES.len(),
        tree.len()
    ));
    Ok(broken == 0)
}
