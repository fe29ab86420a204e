//! Steps of an image's history: what the builders wrote of each, read back into instructions.

use super::shell::{Command, commands};
use crate::model::{HistoryEntry, Image};

/// Bytes of one step that are looked at.
const LONGEST: usize = 1 << 16;
/// Words of a build argument's prefix and of a shell's options that are looked at.
const WORDS: usize = 1024;
/// Instructions of a Dockerfile other than RUN.
const INSTRUCTIONS: [&str; 17] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::check) enum Step<'a> {
    /// An instruction and its arguments.
    Instruction(&'a str, &'a str),
    /// A script that ran.
    Run(&'a str),
}

/// What a step was: classic builder (`/bin/sh -c #(nop) ADD …`, `|1 A=b /bin/sh -c …`) or buildkit
/// (`RUN |1 A=b /bin/sh -c … # buildkit`, `ADD … # buildkit`). Anything else counts as a command that ran.
pub(in crate::check) fn step(created_by: &str) -> Step<'_> {
    let text = created_by
        .get(..created_by.floor_char_boundary(LONGEST))
        .unwrap_or_default()
        .trim();
    let text = text.strip_suffix("# buildkit").unwrap_or(text).trim_end();
    if let Some((word, rest)) = instruction(text) {
        return Step::Instruction(word, rest);
    }
    let text = text.strip_prefix("RUN ").unwrap_or(text).trim_start();
    let script = script(text);
    let nop = script.trim_start().strip_prefix("#(nop)");
    match nop.map(|rest| rest.trim_start()) {
        Some(rest) => instruction(rest).map_or(Step::Run(""), |(word, rest)| Step::Instruction(word, rest)),
        None => Step::Run(script),
    }
}

fn instruction(text: &str) -> Option<(&str, &str)> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    INSTRUCTIONS.contains(&word).then(|| (word, rest.trim()))
}

/// What follows the build arguments (`|n NAME=value …`) and the shell with its `-c`. Values are not quoted, so each
/// argument is one word at least, and the first shell after them ends them.
fn script(text: &str) -> &str {
    let (arguments, text) = match text.strip_prefix('|').and_then(|rest| rest.split_once(' ')) {
        Some((count, rest)) => match count.parse::<usize>() {
            Ok(count) => (count, rest),
            Err(_) => return text,
        },
        None => (0, text),
    };
    let mut rest = text;
    for _ in 0..arguments.min(WORDS) {
        rest = after_word(rest);
    }
    let own = rest;
    for _ in 0..WORDS {
        if let Some(script) = after_shell(rest) {
            return script;
        }
        if arguments == 0 || rest.is_empty() {
            break;
        }
        rest = after_word(rest);
    }
    own
}

fn after_word(text: &str) -> &str {
    text.split_once(' ').map_or("", |(_, rest)| rest.trim_start())
}

/// The script, where the text starts with a shell by its path, options and `-c`.
fn after_shell(text: &str) -> Option<&str> {
    let (path, mut rest) = text.split_once(' ')?;
    let shell = Command {
        words: vec![path.to_owned()],
        piped: false,
    };
    if !path.starts_with('/') || !shell.is_shell() {
        return None;
    }
    for _ in 0..WORDS {
        let (word, next) = rest.split_once(char::is_whitespace)?;
        rest = next;
        match word {
            word if word.starts_with('-') && word.ends_with('c') => return Some(rest),
            word if word.starts_with('-') || word == "pipefail" => {}
            _ => return None,
        }
    }
    None
}

/// The steps that an image's history tells, with their place in it; none where it tells nothing.
pub(in crate::check) fn told(image: &Image) -> Option<Vec<(usize, &HistoryEntry)>> {
    let told: Vec<_> = image
        .history
        .iter()
        .flatten()
        .enumerate()
        .filter(|(_, entry)| !entry.created_by.trim().is_empty())
        .collect();
    (!told.is_empty()).then_some(told)
}

/// The commands that a step ran.
pub(in crate::check) fn ran(entry: &HistoryEntry) -> Vec<Command> {
    match step(&entry.created_by) {
        Step::Run(script) => commands(script),
        Step::Instruction(..) => Vec::new(),
    }
}

/// The start of a step, for people.
pub(in crate::check) fn excerpt(text: &str) -> String {
    const LENGTH: usize = 80;
    let line: Vec<_> = text.split_whitespace().take(LENGTH).collect();
    let line = line.join(" ");
    if line.chars().count() <= LENGTH {
        line
    } else {
        line.chars().take(LENGTH).chain(['…']).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(created_by: &str, expect: &Step<'_>) {
        assert_eq!(step(created_by), *expect, "{created_by}");
    }

    #[test]
    fn the_classic_builder() {
        check(
            "/bin/sh -c #(nop) ADD file:ab12 in / ",
            &Step::Instruction("ADD", "file:ab12 in /"),
        );
        check(
            "/bin/sh -c #(nop)  CMD [\"sh\"]",
            &Step::Instruction("CMD", "[\"sh\"]"),
        );
        check("/bin/sh -c apt-get update", &Step::Run("apt-get update"));
        check("|2 A=1 B=x y /bin/sh -c make B", &Step::Run("make B"));
        check("|1 A=1 make", &Step::Run("make"));
        check("/bin/bash -o pipefail -ec a | b", &Step::Run("a | b"));
        check("apt-get update", &Step::Run("apt-get update"));
    }

    #[test]
    fn buildkit() {
        check(
            "ADD https://x.example/a /a # buildkit",
            &Step::Instruction("ADD", "https://x.example/a /a"),
        );
        check(
            "RUN /bin/sh -c apt-get update # buildkit",
            &Step::Run("apt-get update"),
        );
        check("RUN |1 A=/bin/sh -c /bin/bash -c b # buildkit", &Step::Run("b"));
        check("RUN /bin/sh -c a\nb\n # buildkit", &Step::Run("a\nb"));
        check(
            "ENTRYPOINT [\"/app\"]",
            &Step::Instruction("ENTRYPOINT", "[\"/app\"]"),
        );
    }

    #[test]
    fn look_alikes_are_no_instructions() {
        check("/bin/sh -c useradd ADD", &Step::Run("useradd ADD"));
        check("RUN /bin/sh -c ADD=1 make", &Step::Run("ADD=1 make"));
        check("/bin/sh -c #(nop) add x", &Step::Run(""));
        check("ADDED x", &Step::Run("ADDED x"));
        check("| x", &Step::Run("| x"));
    }

    #[test]
    fn a_long_step_is_cut_for_people() {
        assert_eq!(excerpt("a \n b"), "a b");
        assert_eq!(excerpt(&"é".repeat(100)).chars().count(), 81);
    }

    proptest! {
        #[test]
        fn any_text_is_a_step(text in ".{0,200}") {
            let entry = HistoryEntry { created_by: text, ..HistoryEntry::default() };
            prop_assert!(ran(&entry).len() <= 200);
        }
    }
}
