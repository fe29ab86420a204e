//! Durations as people write them.

use std::time::Duration;

/// Reads `500ms`, `30s`, `5m`, `2h`, `1d`, or a bare number of seconds.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration; write 500ms, 30s, 5m, 2h or 1d");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_error| wrong())?;
    let millis = match unit {
        "ms" => Some(1),
        "" | "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    let total = millis.and_then(|millis: u64| number.checked_mul(millis));
    total.map(Duration::from_millis).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_nonsense_refused() {
        assert_eq!(parse("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("2h"), Ok(Duration::from_secs(7200)));
        for bad in [
            "",
            "s",
            "-1s",
            "1.5s",
            "3w",
            "99999999999999999999d",
            "18446744073709551615d",
        ] {
            assert!(parse(bad).unwrap_err().contains("write 500ms"), "{bad}");
        }
    }
}
