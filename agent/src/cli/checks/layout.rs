//! Columns and wrapped paragraphs.

use std::io::{self, Write};

/// Writes rows with every column but the last as wide as its widest cell.
pub(super) fn table<const N: usize>(rows: &[[String; N]], out: &mut dyn Write) -> io::Result<()> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    for row in rows {
        let cells: Vec<_> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// Writes text behind a head, wrapped at a width and indented by the head's.
pub(super) fn paragraph(head: &str, text: &str, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let indent = " ".repeat(head.len());
    let mut line = head.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.len() + 1 + word.len() > width {
            writeln!(out, "{line}")?;
            line.clone_from(&indent);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    writeln!(out, "{line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(head: &str, text: &str, expect: &str) {
        let mut out = Vec::new();
        paragraph(head, text, 12, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expect);
    }

    #[test]
    fn words_are_wrapped_behind_the_head_and_never_cut() {
        check("", "one two three four", "one two\nthree four\n");
        check("ab  ", "one two three", "ab  one two\n    three\n");
        check("", "unbreakable-word x", "unbreakable-word\nx\n");
        check("ab  ", "", "ab  \n");
    }

    #[test]
    fn columns_are_aligned_and_lines_end_at_their_last_letter() {
        let rows = [["a", "bb"], ["ccc", ""]].map(|row| row.map(str::to_owned));
        let mut out = Vec::new();
        table(&rows, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a    bb\nccc\n");
    }
}
