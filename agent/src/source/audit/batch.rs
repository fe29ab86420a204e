//! Many datagrams with one call. Where auditing is on, every call is run through the rules.

use std::io::IoSliceMut;
use std::os::fd::AsRawFd;

use nix::sys::socket::{MsgFlags, MultiHeaders, NetlinkAddr, recvmmsg};

/// Datagrams taken with one call where many are expected.
pub(super) const MANY: usize = 64;
/// Longest datagram that is taken whole. Records of the kernel are shorter than 9 KiB; a rule of 64 fields with a path in
/// each would be longer than this, and the kernel's `auditctl` cannot make one.
const LONGEST: usize = 64 << 10;

/// Room for what one call brings; stays in its thread.
pub(super) struct Batch {
    headers: MultiHeaders<NetlinkAddr>,
    /// Of every datagram, one after the other. Only what is written to takes memory.
    buffer: Vec<u8>,
}

impl Batch {
    /// For so many datagrams.
    pub(super) fn of(count: usize) -> Self {
        Self {
            headers: MultiHeaders::preallocate(count, None),
            buffer: vec![0; count.saturating_mul(LONGEST)],
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
        let room = self.buffer.chunks_exact_mut(LONGEST);
        let mut slices: Vec<_> = room.map(|datagram| [IoSliceMut::new(datagram)]).collect();
        let most = slices.len();
        let results = recvmmsg(socket.as_raw_fd(), &mut self.headers, &mut slices, flags, None)?;
        let mut count = 0;
        for message in results {
            count += 1;
            // Only the kernel has port 0.
            if message.address.is_some_and(|sender| sender.pid() == 0) {
                message.iovs().for_each(&mut each);
            }
        }
        Ok(count == most)
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").finish_non_exhaustive()
    }
}
