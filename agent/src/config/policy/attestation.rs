//! A dated statement, as written.

use std::time::Duration;

use serde::Deserialize;
use toml::value::Datetime;

use crate::model::{Attestation, Time};

const DAY: Duration = Duration::from_hours(24);

/// A statement whose dates are TOML's: a day, or an instant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    statement: String,
    by: String,
    date: Datetime,
    expires: Datetime,
}

impl Written {
    /// The statement. A day on which it expires is a day on which it still holds.
    ///
    /// # Errors
    /// In one sentence: a date that is none, or an end before the beginning.
    pub(super) fn into_attestation(self) -> Result<Attestation, String> {
        let whole_day = |date: &Datetime| if date.time.is_none() { DAY } else { Duration::ZERO };
        let date = time(&self.date)?;
        let expires = time(&self.expires)?.after(whole_day(&self.expires));
        if expires <= date {
            return Err(format!("it expires on {}, before it was made", self.expires));
        }
        if self.statement.trim().is_empty() || self.by.trim().is_empty() {
            return Err("a statement says what was done, and by whom".to_owned());
        }
        Ok(Attestation {
            statement: self.statement,
            by: self.by,
            date,
            expires,
        })
    }
}

/// An instant; without a time of day the day's first, without an offset in UTC.
fn time(written: &Datetime) -> Result<Time, String> {
    let text = match (written.date, written.time, written.offset) {
        (None, ..) => return Err(format!("`{written}` has no date")),
        (Some(date), None, _) => format!("{date}T00:00:00Z"),
        (_, _, None) => format!("{written}Z"),
        _ => written.to_string(),
    };
    Time::try_from(text).map_err(|error| format!("`{written}` is no date: {error}"))
}
