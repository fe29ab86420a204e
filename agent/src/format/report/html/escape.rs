//! Text that a browser takes for text, whatever it holds.

use super::super::super::visible;

/// Safe between tags and in quoted attributes.
pub(super) fn escaped(text: &str) -> String {
    let shown = visible(text);
    let mut safe = String::with_capacity(shown.len());
    for c in shown.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// The same for a text whose lines are to stay lines; those after the first are indented.
pub(super) fn escaped_lines(text: &str) -> String {
    text.lines().map(escaped).collect::<Vec<_>>().join("\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_browser_or_a_reader_would_obey_is_left() {
        assert_eq!(
            escaped("\"><script>'&\n\x1b\u{202e}"),
            "&quot;&gt;&lt;script&gt;&#39;&amp;\\n\\x1b\\u{202e}"
        );
        assert_eq!(escaped_lines("a<\nb\r"), "a&lt;\n  b\\r");
    }
}
