//! Questions to the kernel's audit, and its answers, on a socket of their own.

use std::time::{Duration, Instant};

use netlink_packet_audit::AuditMessage;
use netlink_packet_core::{NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_sys::protocols::NETLINK_AUDIT;
use netlink_sys::{Socket, SocketAddr};
use nix::sys::socket::MsgFlags;
use rustix::io::Errno;
use rustix::net::sockopt::{
    Timeout, set_socket_recv_buffer_size, set_socket_recv_buffer_size_force, set_socket_timeout,
};

use super::AuditError;
use super::batch::Batch;

/// How long an answer may take, in seconds.
const PATIENCE: u64 = 2;
/// Bytes of answers that may wait. Where a list of rules does not fit, the kernel's thread that sends it and ours wake
/// each other up for every few rules; it counts 2 to 3 KiB for each.
const WAITING: usize = 4 << 20;
/// `NLMSG_ERROR` and `NLMSG_DONE` (`include/uapi/linux/netlink.h`).
const ERROR: u16 = 2;
const DONE: u16 = 3;

/// A message of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer<'a> {
    /// Of this type, with this body.
    Message(u16, &'a [u8]),
    /// The end of a list, or that a question was heard.
    End,
    /// A question was refused.
    Refused(Errno),
}

/// Header and body of a datagram. `None` where it is not one whole message.
pub(super) fn split(datagram: &[u8]) -> Option<(NetlinkHeader, &[u8])> {
    let message = NetlinkBuffer::new_checked(datagram).ok()?;
    let mut header = NetlinkHeader::default();
    header.length = message.length();
    header.message_type = message.message_type();
    header.flags = message.flags();
    header.sequence_number = message.sequence_number();
    header.port_number = message.port_number();
    Some((header, message.payload()))
}

/// What a message says.
fn interpret(message_type: u16, body: &[u8]) -> Answer<'_> {
    match message_type {
        DONE => Answer::End,
        ERROR => match body.first_chunk().map(|code| i32::from_ne_bytes(*code)) {
            Some(0) => Answer::End,
            Some(code @ -4095..=-1) => Answer::Refused(Errno::from_raw_os_error(-code)),
            _ => Answer::Refused(Errno::BADMSG),
        },
        other => Answer::Message(other, body),
    }
}

/// A socket for questions.
pub(super) struct Link {
    socket: Socket,
    sequence: u32,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("sequence", &self.sequence)
            .finish_non_exhaustive()
    }
}

impl Link {
    /// Opens it. Connected, so that nobody but the kernel can answer.
    pub(super) fn open() -> Result<Self, AuditError> {
        let socket = Socket::new(NETLINK_AUDIT).map_err(|error| AuditError::of_call("open", error))?;
        let limit = Some(Duration::from_secs(PATIENCE));
        set_socket_timeout(&socket, Timeout::Recv, limit)
            .map_err(|error| AuditError::of_call("set a timeout on", error.into()))?;
        // Whoever may not have so much gets what anybody may have, which is slower and no less right.
        if set_socket_recv_buffer_size_force(&socket, WAITING).is_err() {
            set_socket_recv_buffer_size(&socket, WAITING)
                .map_err(|error| AuditError::of_call("make room on", error.into()))?;
        }
        socket
            .connect(&SocketAddr::new(0, 0))
            .map_err(|error| AuditError::of_call("connect", error))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Asks, and hands over each answer, as many at once as there is room for, until `hear` has enough or the list ends.
    ///
    /// # Errors
    /// [`AuditError`], or what `hear` makes of an answer.
    pub(super) fn ask(
        &mut self,
        question: AuditMessage,
        mut room: Batch,
        mut hear: impl FnMut(u16, &[u8]) -> Result<Enough, AuditError>,
    ) -> Result<(), AuditError> {
        self.send(question)?;
        let sequence = self.sequence;
        let deadline = Instant::now() + Duration::from_secs(PATIENCE);
        let mut outcome = Ok(Enough::No);
        while Instant::now() < deadline {
            self.receive(&mut room, |datagram| {
                if let Ok(Enough::No) = outcome {
                    outcome = answer(datagram, sequence, &mut hear);
                }
            })?;
            if outcome? == Enough::Yes {
                return Ok(());
            }
            outcome = Ok(Enough::No);
        }
        Err(AuditError::Silent(PATIENCE))
    }

    fn send(&mut self, question: AuditMessage) -> Result<(), AuditError> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST;
        header.sequence_number = self.sequence;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(question));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        let sent = self.socket.send(&bytes, 0);
        sent.map_err(|error| AuditError::of_call("write to", error))?;
        Ok(())
    }

    /// Waits for some answers.
    fn receive(&self, room: &mut Batch, mut each: impl FnMut(&[u8])) -> Result<(), AuditError> {
        loop {
            match room.take(&self.socket, MsgFlags::MSG_WAITFORONE, &mut each) {
                Ok(_more) => return Ok(()),
                Err(nix::Error::EINTR) => {}
                Err(nix::Error::EAGAIN) => return Err(AuditError::Silent(PATIENCE)),
                Err(error) => return Err(AuditError::of_call("read from", error.into())),
            }
        }
    }
}

/// Hands over an answer to the question of this number.
fn answer(
    datagram: &[u8],
    sequence: u32,
    hear: &mut impl FnMut(u16, &[u8]) -> Result<Enough, AuditError>,
) -> Result<Enough, AuditError> {
    let (header, body) = split(datagram).ok_or(AuditError::Malformed("message"))?;
    // What is left of a question that was given up.
    if header.sequence_number != sequence {
        return Ok(Enough::No);
    }
    match interpret(header.message_type, body) {
        Answer::End => Ok(Enough::Yes),
        Answer::Refused(errno) => Err(AuditError::of_answer(errno)),
        Answer::Message(kind, body) => hear(kind, body),
    }
}

/// Whether a question is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enough {
    /// Nothing more is expected.
    Yes,
    /// More answers follow.
    No,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn datagram(length: u32, kind: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend([0; 10]);
        bytes.extend(body);
        bytes
    }

    #[track_caller]
    fn check(length: u32, kind: u16, body: &[u8], expect: Option<Answer<'_>>) {
        let bytes = datagram(length, kind, body);
        let answer = split(&bytes).map(|(header, body)| interpret(header.message_type, body));
        assert_eq!(answer, expect);
    }

    #[test]
    fn answers_are_told_apart() {
        check(18, 1000, b"ab", Some(Answer::Message(1000, b"ab")));
        check(17, 1000, b"ab", Some(Answer::Message(1000, b"a")));
        check(20, DONE, &[0; 4], Some(Answer::End));
        check(20, ERROR, &0i32.to_ne_bytes(), Some(Answer::End));
        check(
            20,
            ERROR,
            &(-1i32).to_ne_bytes(),
            Some(Answer::Refused(Errno::PERM)),
        );
        check(16, ERROR, b"", Some(Answer::Refused(Errno::BADMSG)));
    }

    #[test]
    fn what_is_no_message_is_left() {
        check(19, 1000, b"ab", None);
        check(15, 1000, b"ab", None);
        assert_eq!(split(&[0; 15]), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Some((header, body)) = split(&bytes) {
                prop_assert!(body.len() <= bytes.len() - 16);
                interpret(header.message_type, body);
            }
        }
    }
}
