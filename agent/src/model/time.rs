//! Wall-clock time of an event.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An instant in UTC, nanoseconds exact. In JSON: RFC 3339 with nine fractional digits and `Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("format" = "date-time"))]
pub struct Time(jiff::Timestamp);

impl Time {
    /// From nanoseconds since the epoch; instants that RFC 3339 cannot write are clamped.
    #[must_use]
    pub fn from_unix_nanos(nanos: i128) -> Self {
        let clamped = nanos.clamp(
            jiff::Timestamp::MIN.as_nanosecond(),
            jiff::Timestamp::MAX.as_nanosecond(),
        );
        Self(jiff::Timestamp::from_nanosecond(clamped).unwrap_or(jiff::Timestamp::UNIX_EPOCH))
    }

    /// The present.
    #[must_use]
    pub fn now() -> Self {
        Self(jiff::Timestamp::now())
    }

    /// Nanoseconds since the epoch.
    #[must_use]
    pub fn unix_nanos(self) -> i128 {
        self.0.as_nanosecond()
    }

    /// Time passed since `earlier`; zero where that is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        let nanos =
            u64::try_from(self.unix_nanos().saturating_sub(earlier.unix_nanos()).max(0)).unwrap_or(u64::MAX);
        Duration::from_nanos(nanos)
    }

    /// This much later.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        let nanos = i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX);
        Self::from_unix_nanos(self.unix_nanos().saturating_add(nanos))
    }

    /// Local time of day for people, to the millisecond.
    #[must_use]
    pub fn clock(self) -> String {
        self.0
            .to_zoned(jiff::tz::TimeZone::system())
            .strftime("%H:%M:%S%.3f")
            .to_string()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.9}", self.0)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<Time> for String {
    fn from(time: Time) -> Self {
        time.to_string()
    }
}

impl TryFrom<String> for Time {
    type Error = jiff::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_rfc_3339_with_nine_digits_and_survives_a_round_trip() {
        let time = Time::from_unix_nanos(1_700_000_000_000_000_001);
        let json = serde_json::to_string(&time).unwrap();
        assert_eq!(json, "\"2023-11-14T22:13:20.000000001Z\"");
        assert_eq!(serde_json::from_str::<Time>(&json).unwrap(), time);
        let whole = serde_json::to_string(&Time::from_unix_nanos(0)).unwrap();
        assert_eq!(whole, "\"1970-01-01T00:00:00.000000000Z\"");
    }
}
