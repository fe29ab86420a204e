//! Names, paths and arguments are the attacker's to choose; a terminal must not obey them.

use std::borrow::Cow;
use std::fmt::Write;

/// The text with everything that moves a cursor, ends a line, changes direction or cannot be seen
/// written as an escape: `\n`, `\x1b`, `\u{202e}`. A backslash is doubled, so that no name can pose as
/// another's escape.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\\')
}

/// The same for JSON text, where backslashes are escapes already.
pub(super) fn visible_json(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// Arguments as a shell would take them: quoted where they would be read as several or none.
pub(super) fn command_line(args: &[String]) -> String {
    let quoted = args.iter().map(|arg| {
        let plain = !arg.is_empty()
            && !arg
                .chars()
                .any(|c| c.is_whitespace() || "'\"`$;&|<>()*?#".contains(c));
        let shown = visible(arg);
        if plain {
            shown.into_owned()
        } else {
            format!("'{}'", shown.replace('\'', "'\\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

fn escaped(text: &str, also: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| is_hidden(c) || also(c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\\' if also(c) => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if u32::from(c) < 0x80 && is_hidden(c) => {
                // Writing to a string cannot fail.
                write!(shown, "\\x{:02x}", u32::from(c)).unwrap_or_default();
            }
            c if is_hidden(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Control characters (`Cc`), line and paragraph separators (`Zl`, `Zp`), and the format characters (`Cf`)
/// and fillers that are invisible or change the direction of what follows.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        assert_eq!(visible(text), shown);
    }

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        check("/bin/sh", "/bin/sh");
        check("Größe 文件 ×", "Größe 文件 ×");
        check("\x1b[2J\x07", "\\x1b[2J\\x07");
        check("a\nb\r\tc", "a\\nb\\r\\tc");
        check("\u{9b}31m\u{7f}", "\\u{9b}31m\\x7f");
        check("txt.\u{202e}exe", "txt.\\u{202e}exe");
        check("ad\u{200b}min\u{feff}", "ad\\u{200b}min\\u{feff}");
        check("\\x1b", "\\\\x1b");
    }

    #[test]
    fn arguments_that_would_be_read_otherwise_are_quoted() {
        let args = ["sh", "-c", "id; ls", "", "it's", "a\nb"].map(str::to_owned);
        assert_eq!(command_line(&args), "sh -c 'id; ls' '' 'it'\\''s' 'a\\nb'");
    }

    proptest! {
        #[test]
        fn no_text_keeps_a_hidden_character_and_no_two_look_alike(one in "\\PC{0,12}|.{0,12}|[\\\\x1b\u{1b}]{0,8}", two in ".{0,3}|[\\\\x1b\u{1b}]{0,8}") {
            prop_assert!(!visible(&one).chars().any(is_hidden));
            prop_assert!(!visible_json(&one).chars().any(is_hidden));
            prop_assert_eq!(one == two, visible(&one) == visible(&two));
        }
    }
}
