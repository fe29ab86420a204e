//! Every map, with the reason for its size.

use aya_ebpf::{
    macros::map,
    maps::{HashMap, LruHashMap, PerCpuArray, PerCpuHashMap, RingBuf},
};
use hullwatch_common::{
    ContainerCgroup, Credentials, Inflight, Inode, LOSS_COUNTERS, Quota, QuotaKey, Recent,
    event::SUN_PATH_LEN,
};

/// Bytes of the largest record: header, exec payload, and a tail whose three parts may each be cut.
pub const RECORD_MAX: usize = 8192;

/// A record under construction.
#[repr(C, align(8))]
pub struct Scratch {
    pub bytes: [u8; RECORD_MAX],
}

/// Rare events, those that can be violations by themselves. At about 1.2 KiB each it holds some 800,
/// and the quota keeps one container from taking more than its share.
#[map]
pub static RARE: RingBuf = RingBuf::with_byte_size(1 << 20, 0);

/// Ordinary execs in containers: about 1 KiB each, some 2,000 between two looks 5 ms apart.
#[map]
pub static BULK: RingBuf = RingBuf::with_byte_size(1 << 21, 0);

/// Where records are put together: the stack of 512 bytes is too small. One per probe family, since
/// one family's program can interrupt another's.
#[map]
pub static SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(5, 0);

/// Losses by source and reason; the agent adds the CPUs up.
#[map]
pub static LOSSES: PerCpuArray<u64> = PerCpuArray::with_max_entries(LOSS_COUNTERS, 0);

/// What each container has spent of its quota, per CPU so that the count of what is lost is exact
/// without atomic operations. Full, events pass without a quota.
#[map]
pub static QUOTAS: PerCpuHashMap<QuotaKey, Quota> = PerCpuHashMap::with_max_entries(8192, 0);

/// Every cgroup that is a container's or lies in one. A host has some hundreds.
#[map]
pub static CONTAINERS: HashMap<u64, ContainerCgroup> = HashMap::with_max_entries(16384, 0);

/// How many cgroups each container has within its own, so that one cannot fill `CONTAINERS`. Counted with
/// `cgroup_mutex` held, so without atomic operations.
#[map]
pub static NESTED: HashMap<u64, u32> = HashMap::with_max_entries(16384, 0);

/// Namespaces that belong to containers: inode number to outermost cgroup. Seven per container.
#[map]
pub static NAMESPACES: LruHashMap<u32, u64> = LruHashMap::with_max_entries(16384, 0);

/// Credentials before an exec, from the point of no return to the commit: a few hundred microseconds,
/// so one entry per exec in flight. LRU because an exec can die in between.
#[map]
pub static BEFORE: LruHashMap<u32, Credentials> = LruHashMap::with_max_entries(4096, 0);

/// The last execs of the host, by process id: half a kilobyte each. LRU, so that the oldest make room.
#[map]
pub static RECENT: LruHashMap<u32, Recent> = LruHashMap::with_max_entries(4096, 0);

/// Runtime sockets by inode, with their index in the agent's table.
#[map]
pub static SOCKETS: HashMap<Inode, u32> = HashMap::with_max_entries(256, 0);

/// Names that runtimes bind, NUL-padded, with their index in the agent's table.
#[map]
pub static SOCKET_NAMES: HashMap<[u8; SUN_PATH_LEN], u32> = HashMap::with_max_entries(256, 0);

/// Who has spoken on which connection: only the first bytes of a process are worth an event.
#[map]
pub static SPOKEN: LruHashMap<[u64; 2], u32> = LruHashMap::with_max_entries(8192, 0);

/// System calls of interest: number on this architecture to `CALL_*`.
#[map]
pub static MOUNT_CALLS: HashMap<u32, u32> = HashMap::with_max_entries(16, 0);

/// As `MOUNT_CALLS`, for setns and unshare.
#[map]
pub static NAMESPACE_CALLS: HashMap<u32, u32> = HashMap::with_max_entries(16, 0);

/// Calls between entry and return, by thread. LRU because a thread can be killed in between.
#[map]
pub static INFLIGHT: LruHashMap<u64, Inflight> = LruHashMap::with_max_entries(4096, 0);
