//! Every kernel structure field that a probe reads, listed once.
//!
//! The agent finds the offsets in the running kernel's BTF and writes them into the object's
//! read-only globals before loading; the probes declare those globals from the same list.

/// Value of a global whose field this kernel lacks.
pub const OFFSET_MISSING: u32 = u32::MAX;

/// Fields that stand or fall together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OffsetGroup {
    /// Who did it: every probe needs these.
    Task,
    /// Files and their paths.
    File,
    /// The binary being executed.
    Exec,
    /// Unix sockets.
    Unix,
    /// Cgroups.
    Cgroup,
    /// The cgroup of a task in a version 1 hierarchy.
    CgroupV1,
    /// Read where present; a kernel without them only shows less.
    Optional,
}

/// One field.
#[derive(Clone, Copy, Debug)]
pub struct Offset {
    /// Name of the global in the object.
    pub name: &'static str,
    /// Name of the kernel structure.
    pub structure: &'static str,
    /// Members from the structure inwards, separated by dots; `|` separates the names one member
    /// has had in different kernels. A bit-field's offset is in bits, any other's in bytes.
    pub path: &'static str,
    /// What depends on it.
    pub group: OffsetGroup,
}

/// Hands the list `NAME: group "structure" "path";` to a macro.
#[macro_export]
macro_rules! for_each_offset {
    ($with:ident) => {
        $with! {
            TASK_PID: Task "task_struct" "pid";
            TASK_TGID: Task "task_struct" "tgid";
            TASK_COMM: Task "task_struct" "comm";
            TASK_CRED: Task "task_struct" "cred";
            TASK_MM: Task "task_struct" "mm";
            TASK_NSPROXY: Task "task_struct" "nsproxy";
            TASK_REAL_PARENT: Task "task_struct" "real_parent";
            TASK_GROUP_LEADER: Task "task_struct" "group_leader";
            TASK_START_TIME: Task "task_struct" "start_boottime|real_start_time";
            TASK_ATOMIC_FLAGS: Task "task_struct" "atomic_flags";
            TASK_SECCOMP_MODE: Optional "task_struct" "seccomp.mode";
            TASK_LOGINUID: Optional "task_struct" "loginuid";
            TASK_SESSIONID: Optional "task_struct" "sessionid";
            MM_EXE_FILE: Task "mm_struct" "exe_file";
            CRED_UID: Task "cred" "uid";
            CRED_GID: Task "cred" "gid";
            CRED_EUID: Task "cred" "euid";
            CRED_EGID: Task "cred" "egid";
            CRED_SUID: Task "cred" "suid";
            CRED_SGID: Task "cred" "sgid";
            CRED_FSUID: Task "cred" "fsuid";
            CRED_FSGID: Task "cred" "fsgid";
            CRED_CAP_INHERITABLE: Task "cred" "cap_inheritable";
            CRED_CAP_PERMITTED: Task "cred" "cap_permitted";
            CRED_CAP_EFFECTIVE: Task "cred" "cap_effective";
            CRED_CAP_BOUNDING: Task "cred" "cap_bset";
            CRED_CAP_AMBIENT: Task "cred" "cap_ambient";
            CRED_USER_NS: Task "cred" "user_ns";
            NSPROXY_UTS: Task "nsproxy" "uts_ns";
            NSPROXY_IPC: Task "nsproxy" "ipc_ns";
            NSPROXY_MNT: Task "nsproxy" "mnt_ns";
            NSPROXY_PID: Task "nsproxy" "pid_ns_for_children";
            NSPROXY_NET: Task "nsproxy" "net_ns";
            NSPROXY_CGROUP: Task "nsproxy" "cgroup_ns";
            UTS_NS_INUM: Task "uts_namespace" "ns.inum";
            IPC_NS_INUM: Task "ipc_namespace" "ns.inum";
            MNT_NS_INUM: Task "mnt_namespace" "ns.inum";
            PID_NS_INUM: Task "pid_namespace" "ns.inum";
            NET_NS_INUM: Task "net" "ns.inum";
            CGROUP_NS_INUM: Task "cgroup_namespace" "ns.inum";
            USER_NS_INUM: Task "user_namespace" "ns.inum";
            FILE_INODE: File "file" "f_inode";
            FILE_MNT: File "file" "f_path.mnt";
            FILE_DENTRY: File "file" "f_path.dentry";
            INODE_INO: File "inode" "i_ino";
            INODE_MODE: File "inode" "i_mode";
            INODE_UID: File "inode" "i_uid";
            INODE_GID: File "inode" "i_gid";
            INODE_NLINK: File "inode" "i_nlink";
            INODE_SB: File "inode" "i_sb";
            SUPER_BLOCK_DEV: File "super_block" "s_dev";
            DENTRY_PARENT: File "dentry" "d_parent";
            DENTRY_INODE: File "dentry" "d_inode";
            DENTRY_NAME: File "dentry" "d_name.name";
            VFSMOUNT_ROOT: File "vfsmount" "mnt_root";
            VFSMOUNT_FLAGS: File "vfsmount" "mnt_flags";
            MOUNT_MNT: File "mount" "mnt";
            MOUNT_PARENT: File "mount" "mnt_parent";
            MOUNT_MOUNTPOINT: File "mount" "mnt_mountpoint";
            MM_ARG_START: Exec "mm_struct" "arg_start";
            MM_ARG_END: Exec "mm_struct" "arg_end";
            BINPRM_FILE: Exec "linux_binprm" "file";
            BINPRM_CRED: Exec "linux_binprm" "cred";
            BINPRM_ARGC: Exec "linux_binprm" "argc";
            BINPRM_FILENAME: Exec "linux_binprm" "filename";
            BINPRM_SECUREEXEC: Exec "linux_binprm" "secureexec";
            SOCK_FAMILY: Unix "sock" "__sk_common.skc_family";
            SOCK_STATE: Unix "sock" "__sk_common.skc_state";
            UNIX_SOCK_ADDR: Unix "unix_sock" "addr";
            UNIX_SOCK_DENTRY: Unix "unix_sock" "path.dentry";
            UNIX_ADDRESS_LEN: Unix "unix_address" "len";
            UNIX_ADDRESS_NAME: Unix "unix_address" "name";
            CGROUP_KN: Cgroup "cgroup" "kn";
            CGROUP_ROOT: Cgroup "cgroup" "root";
            CGROUP_ROOT_HIERARCHY: Cgroup "cgroup_root" "hierarchy_id";
            KERNFS_ID: Cgroup "kernfs_node" "id";
            KERNFS_NAME: Cgroup "kernfs_node" "name";
            KERNFS_PARENT: Cgroup "kernfs_node" "__parent|parent";
            TASK_CGROUPS: Cgroup "task_struct" "cgroups";
            CSS_SET_DFL_CGRP: Cgroup "css_set" "dfl_cgrp";
            CSS_SET_SUBSYS: CgroupV1 "css_set" "subsys";
            CSS_CGROUP: CgroupV1 "cgroup_subsys_state" "cgroup";
        }
    };
}

macro_rules! table {
    ($($name:ident: $group:ident $structure:literal $path:literal;)*) => {
        /// Every field, in the order of the list.
        pub const OFFSETS: &[Offset] = &[$(Offset {
            name: stringify!($name),
            structure: $structure,
            path: $path,
            group: OffsetGroup::$group,
        }),*];
    };
}

for_each_offset!(table);
