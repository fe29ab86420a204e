//! Rust text without what is not code: comments, and the contents of string and character literals.

/// What the scanner is inside of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Code,
    LineComment,
    /// Nested this deep.
    BlockComment(u32),
    Text,
    /// With this many `#`.
    RawText(usize),
}

/// The code of each line, with comments and the contents of literals left out.
///
/// A lexer in miniature: enough to look for names without finding them in prose.
pub(super) fn lines(text: &str) -> Vec<String> {
    let mut inside = Inside::Code;
    let mut lines = Vec::new();
    for line in text.lines() {
        let mut code = String::new();
        let mut rest = line;
        while !rest.is_empty() {
            let (step, next, kept) = step(rest, inside, &code);
            code.push_str(kept);
            inside = next;
            rest = rest.get(step..).unwrap_or_default();
        }
        if inside == Inside::LineComment {
            inside = Inside::Code;
        }
        lines.push(code);
    }
    lines
}

/// Bytes consumed at the start of `rest`, what comes next, and what is code of it.
fn step<'a>(rest: &'a str, inside: Inside, before: &str) -> (usize, Inside, &'a str) {
    let one = rest.chars().next().map_or(1, char::len_utf8);
    match inside {
        Inside::LineComment => (rest.len(), Inside::LineComment, ""),
        Inside::BlockComment(depth) if rest.starts_with("*/") => match depth {
            1 => (2, Inside::Code, ""),
            deep => (2, Inside::BlockComment(deep - 1), ""),
        },
        Inside::BlockComment(depth) if rest.starts_with("/*") => (2, Inside::BlockComment(depth + 1), ""),
        Inside::Text if rest.starts_with('\\') => (2, Inside::Text, ""),
        Inside::Text if rest.starts_with('"') => (1, Inside::Code, "\""),
        Inside::RawText(hashes) if closes_raw(rest, hashes) => (1 + hashes, Inside::Code, "\""),
        Inside::BlockComment(_) | Inside::Text | Inside::RawText(_) => (one, inside, ""),
        Inside::Code => code_step(rest, before, one),
    }
}

fn code_step<'a>(rest: &'a str, before: &str, one: usize) -> (usize, Inside, &'a str) {
    if rest.starts_with("//") {
        return (rest.len(), Inside::LineComment, "");
    }
    if rest.starts_with("/*") {
        return (2, Inside::BlockComment(1), "");
    }
    if rest.starts_with('"') {
        return (1, Inside::Text, "\"");
    }
    let starts_word = !before.ends_with(|last: char| last.is_alphanumeric() || last == '_');
    if let Some((length, hashes)) = opens_raw(rest).filter(|_| starts_word) {
        return (length, Inside::RawText(hashes), "\"");
    }
    match char_literal(rest) {
        Some(length) => (length, Inside::Code, "''"),
        None => (one, Inside::Code, rest.get(..one).unwrap_or_default()),
    }
}

/// Length and hashes of the opening of a raw string, `r#"` or `br"`.
fn opens_raw(rest: &str) -> Option<(usize, usize)> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let inner = after.trim_start_matches('#');
    let hashes = after.len() - inner.len();
    inner
        .starts_with('"')
        .then(|| (rest.len() - inner.len() + 1, hashes))
}

fn closes_raw(rest: &str, hashes: usize) -> bool {
    rest.strip_prefix('"')
        .is_some_and(|after| after.bytes().take_while(|byte| *byte == b'#').count() >= hashes)
}

/// Length of a character literal; none for a lifetime.
fn char_literal(rest: &str) -> Option<usize> {
    let mut chars = rest.strip_prefix('\'')?.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        chars.next()?;
        return chars.find(|(_, c)| *c == '\'').map(|(at, _)| at + 2);
    }
    chars.next().filter(|(_, c)| *c == '\'').map(|(at, _)| at + 2)
}

/// Lines of code with their numbers, without the ones of `mod tests`: those are last in a file.
pub(super) fn without_tests(text: &str) -> impl Iterator<Item = (usize, String)> {
    lines(text)
        .into_iter()
        .enumerate()
        .take_while(|(_, line)| line.trim() != "mod tests {")
        .map(|(at, line)| (at + 1, line))
}

/// Whether a file holds tests and nothing else: these may bring rooms together.
pub(super) fn is_tests(path: &str) -> bool {
    let segments = path.trim_end_matches(".rs").split('/');
    segments
        .into_iter()
        .any(|segment| matches!(segment, "tests" | "testing"))
}

/// Whether a word stands in the code by itself.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|tail| tail.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        assert_eq!(lines(text), expect);
    }

    #[test]
    fn comments_go() {
        check("a // b\nc", &["a ", "c"]);
        check("a /* b /* c */ d\n e */ f", &["a ", " f"]);
        check("//! aya\nuse x;", &["", "use x;"]);
    }

    #[test]
    fn contents_of_literals_go() {
        check(r#"let a = "use // aya \" b"; c"#, &[r#"let a = ""; c"#]);
        check("r#\"a \" b\"# + c", &["\"\" + c"]);
        check("br\"a\\\" + c", &["\"\" + c"]);
        check("\"a\nb\" + c", &["\"", "\" + c"]);
    }

    #[test]
    fn characters_are_no_lifetimes() {
        check("f('\"', '\\'', '\\u{7f}', 'x') // é", &["f('', '', '', '') "]);
        check(
            "fn f<'a>(x: &'a str) -> &'static str",
            &["fn f<'a>(x: &'a str) -> &'static str"],
        );
        check("'é' é", &["'' é"]);
    }

    #[test]
    fn words_stand_alone() {
        assert!(has_word("use aya::Ebpf;", "aya"));
        assert!(!has_word("use aya_obj::Ebpf;", "aya"));
        assert!(!has_word("himalaya", "aya"));
        assert!(has_word("x aya2 aya", "aya"));
    }
}
