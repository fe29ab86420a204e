//! Lines for a terminal of some width.

/// Columns below which nothing is gained by breaking lines.
const NARROWEST: usize = 40;

/// The text, its lines broken between words where they are longer than the width; what a line is continued with
/// begins with the indent. A word that is longer than a line, such as a path, stays whole. Colours take no room.
pub(super) fn wrapped(text: &str, width: Option<usize>, indent: &str) -> String {
    match width {
        Some(width) if width >= NARROWEST => {
            let lines: Vec<_> = text.split('\n').map(|line| broken(line, width, indent)).collect();
            lines.join("\n")
        }
        _ => text.to_owned(),
    }
}

fn broken(line: &str, width: usize, indent: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut column = 0;
    // Blanks at the beginning are the line's own indent.
    let mut has_words = false;
    for (at, word) in line.split(' ').enumerate() {
        let long = columns(word);
        if has_words && column + 1 + long > width {
            out.push('\n');
            out.push_str(indent);
            column = columns(indent);
        } else if at > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += long;
        has_words |= long > 0;
    }
    out
}

/// Characters without those of colour sequences, `ESC [ … m`.
fn columns(word: &str) -> usize {
    let mut count = 0;
    let mut is_colour = false;
    for c in word.chars() {
        match c {
            '\x1b' => is_colour = true,
            'm' if is_colour => is_colour = false,
            _ if is_colour => {}
            _ => count += 1,
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(wrapped(text, Some(NARROWEST), "    "), expect);
    }

    #[test]
    fn lines_break_between_words() {
        check("short  as it is", "short  as it is");
        check(
            "0123456789 0123456789 0123456789 0123456",
            "0123456789 0123456789 0123456789 0123456",
        );
        check(
            "0123456789 0123456789 0123456789 01234567 9",
            "0123456789 0123456789 0123456789\n    01234567 9",
        );
        check(
            "first\n  second line that is too long for one of forty",
            "first\n  second line that is too long for one\n    of forty",
        );
    }

    #[test]
    fn a_long_word_stays_whole() {
        let path = "/x".repeat(40);
        check(&format!("  {path} y"), &format!("  {path}\n    y"));
        check(&path, &path);
    }

    #[test]
    fn colours_take_no_room() {
        let coloured = "\x1b[1;31m0123456789\x1b[0m 0123456789 0123456789 0123456";
        check(coloured, coloured);
    }

    #[test]
    fn nothing_is_broken_where_no_width_is_known_or_none_would_do() {
        let long = "word ".repeat(40);
        for width in [None, Some(0), Some(NARROWEST - 1)] {
            assert_eq!(wrapped(&long, width, "    "), long);
        }
    }
}
