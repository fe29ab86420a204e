//! One read-only global per kernel field, written by the agent before loading.

use aya_ebpf::Global;
use hullwatch_common::OFFSET_MISSING;

macro_rules! globals {
    ($($name:ident: $group:ident $structure:literal $path:literal;)*) => {
        $(#[unsafe(no_mangle)]
        pub static $name: Global<u32> = Global::new(OFFSET_MISSING);)*
    };
}

hullwatch_common::for_each_offset!(globals);

/// Index in `css_set.subsys` of the version 1 controller whose hierarchy tells containers apart, or
/// `OFFSET_MISSING` where version 2 does.
#[unsafe(no_mangle)]
pub static CGROUP_V1_SUBSYS: Global<u32> = Global::new(OFFSET_MISSING);

/// Hierarchy that `CGROUP_V1_SUBSYS` belongs to; 0 is version 2.
#[unsafe(no_mangle)]
pub static CGROUP_HIERARCHY: Global<u32> = Global::new(0);

/// Namespaces of the host, in the order of `Namespaces`.
#[unsafe(no_mangle)]
pub static HOST_NAMESPACES: Global<[u32; 7]> = Global::new([0; 7]);

/// Events per second, container and CPU of the frequent kind (ordinary execs).
#[unsafe(no_mangle)]
pub static QUOTA_BULK: Global<u64> = Global::new(1000);

/// Events per second, container, source and CPU of the rare, security-bearing kind.
#[unsafe(no_mangle)]
pub static QUOTA_RARE: Global<u64> = Global::new(250);

/// Bit N is set where a name that a runtime binds is N bytes long: most sockets need no further look.
#[unsafe(no_mangle)]
pub static SOCKET_NAME_LENGTHS: Global<[u64; 2]> = Global::new([u64::MAX; 2]);
