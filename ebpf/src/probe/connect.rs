//! A runtime's socket was connected to or spoken on.
//!
//! Hook: the tracepoint `sk_data_ready(const struct sock *sk)`, kernel 6.3 and later, by its BTF type
//! (cheapest: fields are read directly) or raw. A unix
//! stream connect wakes the listening socket, a send wakes the server's end of the connection, both in
//! the context of the client, and both sockets hold the inode that the server bound. So the peer is
//! known by what it is, whatever name, path or call (io_uring included) led to it. Other sockets pay
//! for reading their family.

use aya_ebpf::{
    helpers::generated::bpf_probe_read_kernel_str,
    macros::{btf_tracepoint, raw_tracepoint},
    programs::{BtfTracePointContext, RawTracePointContext},
};
use hullwatch_common::{
    Header, Inode, Kind, Source,
    event::{CONNECT_NEW, CONNECT_USE, Connect, MATCH_INODE, MATCH_NAME, SUN_PATH_LEN},
};

use crate::{
    emit::{self, Class},
    kernel::{self, Addr, Typed},
    map::{self, Scratch},
    offset, task,
};

/// `AF_UNIX`.
const FAMILY_UNIX: u16 = 1;
/// `TCP_ESTABLISHED`, of unix sockets too.
const STATE_ESTABLISHED: u8 = 1;
/// `TCP_LISTEN`, of unix sockets too.
const STATE_LISTEN: u8 = 10;
/// `sun_family` comes before `sun_path`.
const SUN_PATH_AT: u64 = 2;

#[btf_tracepoint(function = "sk_data_ready")]
pub fn connect_data_ready_typed(ctx: BtfTracePointContext) -> i32 {
    // SAFETY: the first argument is a `struct sock`, by the tracepoint's own type.
    let sock = unsafe { Typed::new(ctx.arg(0)) };
    if sock.value::<u16>(&offset::SOCK_FAMILY) != FAMILY_UNIX {
        return 0;
    }
    let Some(unix) = sock.unix_sock() else { return 0 };
    let inode = unix
        .follow(&offset::UNIX_SOCK_DENTRY)
        .follow(&offset::DENTRY_INODE);
    let ino: u64 = inode.value(&offset::INODE_INO);
    if ino != 0 {
        let dev: u32 = inode.follow(&offset::INODE_SB).value(&offset::SUPER_BLOCK_DEV);
        let len: u32 = unix
            .follow(&offset::UNIX_SOCK_ADDR)
            .value(&offset::UNIX_ADDRESS_LEN);
        judge(
            sock.address(),
            Inode { ino, dev, pad: 0 },
            sock.value(&offset::SOCK_STATE),
            len,
        );
    }
    0
}

#[raw_tracepoint(tracepoint = "sk_data_ready")]
pub fn connect_data_ready(ctx: RawTracePointContext) -> i32 {
    let sock = Addr(ctx.arg::<u64>(0));
    if sock.value::<u16>(&offset::SOCK_FAMILY) != FAMILY_UNIX {
        return 0;
    }
    let dentry = sock.follow(&offset::UNIX_SOCK_DENTRY);
    if dentry.0 != 0 {
        let (dev, ino) = kernel::inode_id(dentry.follow(&offset::DENTRY_INODE));
        let len: u32 = sock
            .follow(&offset::UNIX_SOCK_ADDR)
            .value(&offset::UNIX_ADDRESS_LEN);
        judge(
            sock,
            Inode { ino, dev, pad: 0 },
            sock.value(&offset::SOCK_STATE),
            len,
        );
    }
    0
}

/// Whether it is a runtime's socket, by its inode, or by the name alone where it was just made.
/// `address_len` is that of the address it is bound to.
#[inline(always)]
fn judge(sock: Addr, inode: Inode, state: u8, address_len: u32) {
    // SAFETY: entries are written whole by the agent.
    if let Some(&runtime) = unsafe { map::SOCKETS.get(inode) } {
        match state {
            STATE_LISTEN => report(sock, inode, runtime, CONNECT_NEW, MATCH_INODE),
            STATE_ESTABLISHED if first_words(sock) => report(sock, inode, runtime, CONNECT_USE, MATCH_INODE),
            _ => {}
        }
    } else if state == STATE_LISTEN
        && has_runtimes_length(address_len)
        && let Some(runtime) = runtime_by_name(sock)
    {
        report(sock, inode, runtime, CONNECT_NEW, MATCH_NAME);
    }
}

/// Whether this process has not spoken on this connection before.
#[inline(always)]
fn first_words(sock: Addr) -> bool {
    let tgid: u32 = kernel::current().value(&offset::TASK_TGID);
    map::SPOKEN
        .insert([sock.0, u64::from(tgid)], 1, 1 /* BPF_NOEXIST */)
        .is_ok()
}

/// The name the server bound. A socket with an inode has a path, and the kernel ends it with a NUL.
#[inline(always)]
fn bound_name(sock: Addr, out: &mut [u8; SUN_PATH_LEN]) {
    let name = sock
        .follow(&offset::UNIX_SOCK_ADDR)
        .field(&offset::UNIX_ADDRESS_NAME)
        .0
        .wrapping_add(SUN_PATH_AT);
    // SAFETY: at most the array's length is written.
    unsafe { bpf_probe_read_kernel_str(out.as_mut_ptr().cast(), SUN_PATH_LEN as u32, name as *const _) };
}

/// Whether a name that runtimes bind is as long: most sockets need no further look.
#[inline(always)]
fn has_runtimes_length(address_len: u32) -> bool {
    // Of the address, `sun_family` and the final NUL are not the name's.
    let len = address_len.wrapping_sub(SUN_PATH_AT as u32 + 1);
    let [short, long] = offset::SOCKET_NAME_LENGTHS.load();
    let lengths = if len < 64 { short } else { long };
    len < 128 && (lengths >> (len & 63)) & 1 == 1
}

#[inline(always)]
fn runtime_by_name(sock: Addr) -> Option<u32> {
    let mut name = [0; SUN_PATH_LEN];
    bound_name(sock, &mut name);
    // SAFETY: entries are written whole by the agent.
    unsafe { map::SOCKET_NAMES.get(&name) }.copied()
}

#[inline(always)]
fn report(sock: Addr, inode: Inode, runtime: u32, op: u32, matched: u32) {
    let current = kernel::current();
    let place = task::place(current);
    if !emit::within_quota(Source::Connect, Class::Rare, place) {
        return;
    }
    let Some(record) = emit::scratch(Source::Connect) else {
        return;
    };
    // SAFETY: the scratch record is this CPU's own and larger than header and payload.
    unsafe { write(record, sock, inode, runtime, op, matched, current, place) };
    emit::send(
        Source::Connect,
        Class::Rare,
        record,
        size_of::<Header>() + size_of::<Connect>(),
    );
}

/// # Safety
/// `record` points to a whole scratch record.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "inlined: the arguments are registers")]
unsafe fn write(
    record: *mut Scratch,
    sock: Addr,
    inode: Inode,
    runtime: u32,
    op: u32,
    matched: u32,
    current: Addr,
    place: task::Place,
) {
    let base: *mut u8 = record.cast();
    // SAFETY: header and payload lie within the record.
    unsafe {
        task::write_header(base.cast(), Kind::CONNECT, current, place);
        let connect = &mut *base.add(size_of::<Header>()).cast::<Connect>();
        connect.ino = inode.ino;
        connect.dev = inode.dev;
        connect.runtime = runtime;
        connect.op = op;
        connect.matched = matched;
        connect.name = [0; SUN_PATH_LEN];
        connect.pad = 0;
        bound_name(sock, &mut connect.name);
    }
}
