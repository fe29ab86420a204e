//! Patterns with `*` (any text) and `?` (any letter).

/// Whether the whole text is as the pattern says. Takes time in proportion to the product of their lengths at most.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    // The places of the pattern that the text so far may have led to.
    let letters: Vec<char> = pattern.chars().collect();
    let mut at = vec![false; letters.len() + 1];
    if let Some(first) = at.first_mut() {
        *first = true;
    }
    skip_stars(&letters, &mut at);
    for c in text.chars() {
        let mut next = vec![false; at.len()];
        for (place, letter) in letters.iter().enumerate() {
            if !at.get(place).copied().unwrap_or_default() {
                continue;
            }
            let to = match letter {
                '*' => place,
                '?' => place + 1,
                same if *same == c => place + 1,
                _ => continue,
            };
            if let Some(reached) = next.get_mut(to) {
                *reached = true;
            }
        }
        skip_stars(&letters, &mut next);
        at = next;
    }
    at.last().copied().unwrap_or_default()
}

/// A star may stand for nothing.
fn skip_stars(letters: &[char], at: &mut [bool]) {
    for (place, letter) in letters.iter().enumerate() {
        if *letter == '*'
            && at.get(place).copied().unwrap_or_default()
            && let Some(next) = at.get_mut(place + 1)
        {
            *next = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expect: bool) {
        assert_eq!(matches(pattern, text), expect, "{pattern} {text}");
    }

    #[test]
    fn the_whole_text_is_as_the_pattern_says() {
        for (pattern, text) in [
            ("5.*", "5.1"),
            ("*", ""),
            ("**b", "ab"),
            ("a?c", "aßc"),
            ("*-not-*", "runtime-not-privileged"),
            ("web", "web"),
        ] {
            check(pattern, text, true);
        }
        for (pattern, text) in [
            ("5.*", "15.1"),
            ("?", ""),
            ("web", "web-1"),
            ("*b", "abc"),
            ("", "a"),
        ] {
            check(pattern, text, false);
        }
    }

    #[test]
    fn many_stars_do_not_take_for_ever() {
        check(&"*a".repeat(200), &"a".repeat(2000), true);
        check(&format!("{}b", "*a".repeat(200)), &"a".repeat(2000), false);
    }
}
