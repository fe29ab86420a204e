//! The ladder of hooks: per probe, truest and cheapest first. One table; the loader tries the rungs in
//! order by loading and attaching, since nothing less proves that a hook works.

use hullwatch_common::{OffsetGroup, Source};

/// How a rung attaches.
#[derive(Clone, Copy, Debug)]
pub enum Hook {
    /// Programs on tracepoints by their BTF type: program, tracepoint.
    TypedTracepoints(&'static [(&'static str, &'static str)]),
    /// Programs on raw tracepoints: program, tracepoint.
    RawTracepoints(&'static [(&'static str, &'static str)]),
    /// One program at the entries, one at the returns of the system calls.
    Syscalls {
        /// Program at `sys_enter_*`.
        enter: &'static str,
        /// Program at `sys_exit_*`.
        exit: &'static str,
        /// Names of the calls; those a kernel lacks are left out.
        calls: &'static [&'static str],
        /// The call without which the rung is worth nothing.
        required: &'static str,
    },
}

/// One way to see something.
#[derive(Clone, Copy, Debug)]
pub struct Rung {
    /// Name in reports.
    pub name: &'static str,
    /// How it attaches.
    pub hook: Hook,
    /// Kernel fields it cannot do without, beyond those of every probe.
    pub needs: &'static [OffsetGroup],
    /// What this rung cannot see, each a sentence.
    pub blind: &'static [&'static str],
    /// What it costs those who do nothing of interest.
    pub cost: &'static str,
}

/// One thing to see.
#[derive(Clone, Copy, Debug)]
pub struct Probe {
    /// Name in reports and options.
    pub name: &'static str,
    /// Where its losses are counted.
    pub source: Source,
    /// What it sees, for people.
    pub sees: &'static str,
    /// Truest and cheapest first.
    pub rungs: &'static [Rung],
}

/// Needed by every probe.
pub(super) const ALWAYS: &[OffsetGroup] = &[OffsetGroup::Task, OffsetGroup::File, OffsetGroup::Cgroup];

const FILE_CAPS_BY_ROOT: &str =
    "a file with file capabilities executed by root on the host, who gains nothing by it";
const SOCKET_BLIND: &[&str] = &[
    "attempts that the socket's permissions refuse",
    "engines that listen on TCP",
    "whose words a proxy outside the container passes on: only its own connection is seen",
];
const SYSCALL_COST: &str = "about 50 ns on every system call of the host";
const COMPAT: &str = "calls made by 32-bit programs";

/// Every probe. Rungs for LSM, fentry and kprobe hooks come before those listed, once there is a kernel
/// to prove them on: `bprm_committing_creds` before the raw tracepoints of `exec`; `unix_stream_connect`
/// before `sk_data_ready`; `sb_mount`, `sb_umount`, `move_mount` and fexit of `create_new_namespaces`
/// before the system call tracepoints.
pub const PROBES: &[Probe] = &[
    Probe {
        name: "cgroup",
        source: Source::Cgroup,
        sees: "birth and death of containers",
        rungs: &[Rung {
            name: "raw_tp:cgroup_mkdir+cgroup_rmdir",
            hook: Hook::RawTracepoints(&[("cgroup_mkdir", "cgroup_mkdir"), ("cgroup_rmdir", "cgroup_rmdir")]),
            needs: &[],
            blind: &["containers whose cgroup bears no 64-digit id"],
            cost: "nothing",
        }],
    },
    Probe {
        name: "exec",
        source: Source::Exec,
        sees: "programs run in containers, and setuid, setgid and file-capability execs everywhere",
        rungs: &[
            Rung {
                name: "raw_tp:sched_prepare_exec+sched_process_exec",
                hook: Hook::RawTracepoints(&[
                    ("exec_prepare", "sched_prepare_exec"),
                    ("exec_commit", "sched_process_exec"),
                ]),
                needs: &[OffsetGroup::Exec],
                blind: &[FILE_CAPS_BY_ROOT],
                cost: "some 2 µs per exec",
            },
            Rung {
                name: "raw_tp:sched_process_exec",
                hook: Hook::RawTracepoints(&[("exec_commit", "sched_process_exec")]),
                needs: &[OffsetGroup::Exec],
                blind: &[
                    FILE_CAPS_BY_ROOT,
                    "credentials before the exec: what was gained is the kernel's own judgement (AT_SECURE), without which ids or capabilities",
                ],
                cost: "some 1 µs per exec",
            },
        ],
    },
    Probe {
        name: "connect",
        source: Source::Connect,
        sees: "connections to the sockets of container runtimes, and their use",
        rungs: &[
            Rung {
                name: "tp_btf:sk_data_ready",
                hook: Hook::TypedTracepoints(&[("connect_data_ready_typed", "sk_data_ready")]),
                needs: &[OffsetGroup::Unix],
                blind: SOCKET_BLIND,
                cost: "less than 0.1 µs per received chunk of socket data, 0.13 µs per connection to a named unix socket",
            },
            Rung {
                name: "raw_tp:sk_data_ready",
                hook: Hook::RawTracepoints(&[("connect_data_ready", "sk_data_ready")]),
                needs: &[OffsetGroup::Unix],
                blind: SOCKET_BLIND,
                cost: "some 0.1 µs per received chunk of socket data, 0.4 µs per connection to a named unix socket",
            },
        ],
    },
    Probe {
        name: "mount",
        source: Source::Mount,
        sees: "mounts, old and new API",
        rungs: &[Rung {
            name: "tracepoint:syscalls",
            hook: Hook::Syscalls {
                enter: "mount_enter",
                exit: "mount_exit",
                calls: &[
                    "mount",
                    "umount",
                    "move_mount",
                    "fsmount",
                    "open_tree",
                    "open_tree_attr",
                    "mount_setattr",
                    "pivot_root",
                ],
                required: "mount",
            },
            needs: &[],
            blind: &[COMPAT],
            cost: SYSCALL_COST,
        }],
    },
    Probe {
        name: "namespace",
        source: Source::Namespace,
        sees: "entry into namespaces of the host or of another container",
        rungs: &[Rung {
            name: "tracepoint:syscalls",
            hook: Hook::Syscalls {
                enter: "namespace_enter",
                exit: "namespace_exit",
                calls: &["setns", "unshare"],
                required: "setns",
            },
            needs: &[],
            blind: &[COMPAT],
            cost: SYSCALL_COST,
        }],
    },
];
