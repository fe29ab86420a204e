//! Time as the probes tell it.

use crate::model::Time;

/// The difference between the wall clock and `CLOCK_BOOTTIME`, in which the probes tell time.
#[derive(Clone, Copy, Debug)]
pub struct BootClock {
    offset: i128,
}

impl BootClock {
    /// As it is now; a step of the wall clock changes it.
    #[must_use]
    pub fn now() -> Self {
        let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let boot = i128::from(boot.tv_sec) * 1_000_000_000 + i128::from(boot.tv_nsec);
        Self {
            offset: Time::now().unix_nanos() - boot,
        }
    }

    /// With a known difference, in nanoseconds.
    #[must_use]
    pub const fn with_offset(offset: i128) -> Self {
        Self { offset }
    }

    /// Wall-clock time of a `CLOCK_BOOTTIME` reading in nanoseconds.
    #[must_use]
    pub fn time(self, boot: u64) -> Time {
        Time::from_unix_nanos(i128::from(boot) + self.offset)
    }
}
