//! `name=value` pairs of a record.

/// One pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// What stands before the `=`.
    pub name: &'a [u8],
    /// What stands behind it.
    pub value: Value<'a>,
}

/// A value as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Up to the next blank.
    Plain(&'a [u8]),
    /// Within double quotes.
    Quoted(&'a [u8]),
    /// Within single quotes: what a program has to say, which is fields again.
    Nested(&'a [u8]),
}

impl<'a> Value<'a> {
    /// The bytes, without quotes.
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Plain(bytes) | Self::Quoted(bytes) | Self::Nested(bytes) => bytes,
        }
    }

    /// As text; what is no UTF-8 is replaced.
    #[must_use]
    pub fn text(self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    /// As a decimal number.
    #[must_use]
    pub fn number<T: std::str::FromStr>(self) -> Option<T> {
        std::str::from_utf8(self.bytes()).ok()?.parse().ok()
    }

    /// The bytes of a name that somebody else chose: written within quotes, or where it holds blanks, quotes or bytes
    /// beyond ASCII, in hexadecimal digits. `None` for `(null)`, `?` and what is neither.
    #[must_use]
    pub fn untrusted(self) -> Option<Vec<u8>> {
        match self {
            Self::Quoted(bytes) => Some(bytes.to_vec()),
            Self::Plain(digits) => unhex(digits),
            Self::Nested(_) => None,
        }
    }

    /// As [`untrusted`](Self::untrusted), as text.
    #[must_use]
    pub fn name(self) -> Option<String> {
        self.untrusted()
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The fields within.
    #[must_use]
    pub fn nested(self) -> Fields<'a> {
        Fields::of(self.bytes())
    }
}

/// Bytes from pairs of hexadecimal digits.
fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        u8::try_from(high? << 4 | low?).ok()
    };
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    bytes.filter(|bytes| rest.is_empty() && !bytes.is_empty())
}

/// The fields of a text, one after the other.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Of this text.
    pub(super) const fn of(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// What comes before the first byte that ends it; the rest starts behind that byte.
    fn until(&mut self, is_end: impl Fn(u8) -> bool) -> &'a [u8] {
        let text = self.rest;
        let end = text.iter().position(|byte| is_end(*byte)).unwrap_or(text.len());
        self.rest = text.get(end + 1..).unwrap_or_default();
        text.get(..end).unwrap_or_default()
    }

    /// Up to the next blank; or to an `op=`, before which the kernel forgets the blank where a watched file goes away:
    /// `ses=4294967295op=remove_rule`.
    fn plain(&mut self) -> &'a [u8] {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match self.rest.split_at_checked(digits) {
            Some((number, rest)) if digits > 0 && rest.starts_with(b"op=") => {
                self.rest = rest;
                number
            }
            _ => self.until(is_blank),
        }
    }

    fn value(&mut self) -> Value<'a> {
        if let Some(quoted) = self.rest.strip_prefix(b"\"") {
            self.rest = quoted;
            return Value::Quoted(self.until(|byte| byte == b'"'));
        }
        if let Some(nested) = self.rest.strip_prefix(b"'") {
            // A program may quote within: its message ends with the last quote.
            let end = nested.iter().rposition(|byte| *byte == b'\'');
            let (inner, rest) = nested
                .split_at_checked(end.unwrap_or(nested.len()))
                .unwrap_or_default();
            self.rest = rest.get(1..).unwrap_or_default();
            return Value::Nested(inner);
        }
        Value::Plain(self.plain())
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            self.rest = self.rest.trim_ascii_start();
            if self.rest.is_empty() {
                return None;
            }
            // Words that are no field are skipped.
            let word = self.rest.iter().position(|byte| *byte == b'=' || is_blank(*byte));
            let is_field = word.is_some_and(|at| self.rest.get(at) == Some(&b'='));
            let name = self.until(|byte| byte == b'=' || is_blank(byte));
            if is_field && !name.is_empty() {
                let value = self.value();
                return Some(Field { name, value });
            }
        }
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &[(&str, Value<'_>)]) {
        let found: Vec<_> = Fields::of(text.as_bytes()).collect();
        let expect: Vec<_> = expect
            .iter()
            .map(|(name, value)| Field {
                name: name.as_bytes(),
                value: *value,
            })
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn values_are_plain_quoted_or_nested() {
        check(
            " uid=0 comm=\"a b\" key=(null) msg='op=x text='q' \"' ",
            &[
                ("uid", Value::Plain(b"0")),
                ("comm", Value::Quoted(b"a b")),
                ("key", Value::Plain(b"(null)")),
                ("msg", Value::Nested(b"op=x text='q' \"")),
            ],
        );
    }

    #[test]
    fn what_is_no_field_is_skipped() {
        check(
            "hello =x a= b= c",
            &[("a", Value::Plain(b"")), ("b", Value::Plain(b""))],
        );
        check("open=\"never closed", &[("open", Value::Quoted(b"never closed"))]);
        check("open='", &[("open", Value::Nested(b""))]);
    }

    #[test]
    fn a_forgotten_blank_is_seen() {
        check(
            "ses=4294967295op=remove_rule a0=12",
            &[
                ("ses", Value::Plain(b"4294967295")),
                ("op", Value::Plain(b"remove_rule")),
                ("a0", Value::Plain(b"12")),
            ],
        );
    }

    #[test]
    fn names_are_quoted_or_digits() {
        assert_eq!(Value::Quoted(b"a").name().as_deref(), Some("a"));
        assert_eq!(Value::Plain(b"772FC3A9").name().as_deref(), Some("w/é"));
        assert_eq!(Value::Plain(b"(null)").name(), None);
        assert_eq!(Value::Plain(b"?").name(), None);
        assert_eq!(Value::Plain(b"").name(), None);
        assert_eq!(Value::Plain(b"ABC").name(), None);
        assert_eq!(Value::Plain(b"FF").name().as_deref(), Some("\u{fffd}"));
        let mut nested = Value::Nested(b"acct=\"r\" res=failed").nested();
        assert_eq!(nested.next().map(|field| field.value), Some(Value::Quoted(b"r")));
    }
}
