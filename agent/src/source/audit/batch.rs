//! Many datagrams with one call. Where auditing is on, every call is run through the rules.

use std::io::IoSliceMut;
use std::os::fd::AsRawFd;

use nix::sys::socket::{MsgFlags, MultiHeaders, NetlinkAddr, recvmmsg};

/// Datagrams taken with one call where many are expected.
pub(super) const MANY: usize = 64;
/// Longest datagram that is taken whole. Records of the kernel are shorter than 9 KiB; a rule of 64 fields with a path in
/// each would be longer, and the kernel's `auditctl` cannot make one.
const LONGEST: usize = 16 << 10;

/// Room for what one call brings; stays in its thread.
pub(super) struct Batch {
    headers: MultiHeaders<NetlinkAddr>,
    buffers: Vec<[u8; LONGEST]>,
}

impl Batch {
    /// For so many datagrams.
    pub(super) fn of(count: usize) -> Self {
        Self {
            headers: MultiHeaders::preallocate(count, None),
            buffers: vec![[0; LONGEST]; count],
        }
    }

    /// Takes what waits, and tells whether more may. Those of anybody but the kernel are left out; one that is too long is
    /// cut off, and no whole message then.
    ///
    /// # Errors
    /// As `recvmmsg(2)`: `EAGAIN` where nothing waits.
    pub(super) fn take(
        &mut self,
        socket: &impl AsRawFd,
        flags: MsgFlags,
        mut each: impl FnMut(&[u8]),
    ) -> nix::Result<bool> {
        let mut slices: Vec<_> = self
            .buffers
            .iter_mut()
            .map(|buffer| [IoSliceMut::new(buffer)])
            .collect();
        let results = recvmmsg(socket.as_raw_fd(), &mut self.headers, &mut slices, flags, None)?;
        let mut count = 0;
        for message in results {
            count += 1;
            // Only the kernel has port 0.
            if message.address.is_some_and(|sender| sender.pid() == 0) {
                message.iovs().for_each(&mut each);
            }
        }
        Ok(count == self.buffers.len())
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").finish_non_exhaustive()
    }
}
