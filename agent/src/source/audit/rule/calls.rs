//! Names and numbers of system calls, by architecture.

use syscalls::{aarch64, x86, x86_64};

use super::MASK_WORDS;

/// `AUDIT_ARCH_*` (`include/uapi/linux/audit.h`).
pub(super) const X86_64: u32 = 0xc000_003e;
pub(super) const I386: u32 = 0x4000_0003;
pub(super) const AARCH64: u32 = 0xc000_00b7;
pub(super) const ARM: u32 = 0x4000_0028;

/// The architecture of this host, `b64`.
#[cfg(target_arch = "aarch64")]
pub(super) const NATIVE: u32 = AARCH64;
#[cfg(not(target_arch = "aarch64"))]
pub(super) const NATIVE: u32 = X86_64;

/// The architecture of its 32-bit programs, `b32`.
#[cfg(target_arch = "aarch64")]
pub(super) const COMPAT: u32 = ARM;
#[cfg(not(target_arch = "aarch64"))]
pub(super) const COMPAT: u32 = I386;

/// Architectures by the names that `auditctl` knows; the first of a number is the one that is printed.
pub(super) const ARCHS: &[(u32, &str)] = &[
    (NATIVE, "b64"),
    (COMPAT, "b32"),
    (X86_64, "x86_64"),
    (I386, "i386"),
    (I386, "i486"),
    (I386, "i586"),
    (I386, "i686"),
    (AARCH64, "aarch64"),
    (ARM, "arm"),
    (ARM, "armv7l"),
];

/// Name of a system call; `None` for a number or architecture that is not known.
#[must_use]
pub fn call_name(arch: u32, number: u32) -> Option<&'static str> {
    let id = usize::try_from(number).ok()?;
    match arch {
        X86_64 => x86_64::Sysno::new(id).map(|call| call.name()),
        I386 => x86::Sysno::new(id).map(|call| call.name()),
        AARCH64 => aarch64::Sysno::new(id).map(|call| call.name()),
        _ => None,
    }
}

/// Number of a system call; `None` for a name or architecture that is not known.
pub(super) fn call_number(arch: u32, name: &str) -> Option<u32> {
    let id = match arch {
        X86_64 => name.parse::<x86_64::Sysno>().ok()?.id(),
        I386 => name.parse::<x86::Sysno>().ok()?.id(),
        AARCH64 => name.parse::<aarch64::Sysno>().ok()?.id(),
        _ => return None,
    };
    u32::try_from(id).ok()
}

/// Marks a call in a mask; false where it lies beyond.
pub(super) fn mark(mask: &mut [u32], number: u32) -> bool {
    let word = usize::try_from(number / u32::BITS).ok();
    match word.and_then(|word| mask.get_mut(word)) {
        Some(word) => {
            *word |= 1 << (number % u32::BITS);
            true
        }
        None => false,
    }
}

/// The calls marked in a mask.
pub(super) fn marked(mask: &[u32]) -> impl Iterator<Item = u32> + '_ {
    (0u32..).zip(mask).flat_map(|(at, word)| {
        let bits = (0..u32::BITS).filter(move |bit| word >> bit & 1 == 1);
        bits.map(move |bit| at * u32::BITS + bit)
    })
}

/// A mask of every call.
pub(super) fn every() -> Vec<u32> {
    vec![u32::MAX; MASK_WORDS]
}

/// A mask of no call.
pub(super) fn none() -> Vec<u32> {
    vec![0; MASK_WORDS]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arch: u32, number: u32, name: &str) {
        assert_eq!(call_name(arch, number), Some(name));
        assert_eq!(call_number(arch, name), Some(number));
    }

    #[test]
    fn calls_have_the_numbers_of_their_architecture() {
        check(X86_64, 257, "openat");
        check(X86_64, 452, "fchmodat2");
        check(I386, 5, "open");
        check(I386, 295, "openat");
        check(AARCH64, 56, "openat");
        assert_eq!(call_number(AARCH64, "open"), None);
        assert_eq!(call_name(X86_64, 4000), None);
        assert_eq!(call_name(ARM, 1), None);
    }

    #[test]
    fn masks_hold_what_was_marked() {
        let mut mask = none();
        assert!(mark(&mut mask, 0) && mark(&mut mask, 257) && mark(&mut mask, 2047));
        assert!(!mark(&mut mask, 2048));
        assert_eq!(marked(&mask).collect::<Vec<_>>(), [0, 257, 2047]);
        assert_eq!(marked(&every()).count(), 2048);
    }
}
