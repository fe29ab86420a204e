//! Words that `auditctl` takes for the values of fields.

use super::calls::ARCHS;
use super::field::{self, Kind};

/// The value of a user, group or session that is not set.
pub(super) const UNSET: u32 = u32::MAX;

/// `AUDIT_PERM_*`.
const PERMS: &[(u32, &str)] = &[(4, "r"), (2, "w"), (1, "x"), (8, "a")];

/// `S_IFMT` (`include/uapi/linux/stat.h`).
const FILE_TYPES: &[(u32, &str)] = &[
    (0o100_000, "file"),
    (0o040_000, "dir"),
    (0o140_000, "socket"),
    (0o120_000, "link"),
    (0o020_000, "character"),
    (0o060_000, "block"),
    (0o010_000, "fifo"),
];

/// Magic numbers of the filesystems that the list of that name can be told (`include/uapi/linux/magic.h`).
const FS_TYPES: &[(u32, &str)] = &[(0x6462_6720, "debugfs"), (0x7472_6163, "tracefs")];

/// Error numbers that rules about failures name (`include/uapi/asm-generic/errno*.h`).
const ERRORS: &[(u32, &str)] = &[
    (1, "EPERM"),
    (2, "ENOENT"),
    (3, "ESRCH"),
    (4, "EINTR"),
    (5, "EIO"),
    (6, "ENXIO"),
    (7, "E2BIG"),
    (8, "ENOEXEC"),
    (9, "EBADF"),
    (10, "ECHILD"),
    (11, "EAGAIN"),
    (12, "ENOMEM"),
    (13, "EACCES"),
    (14, "EFAULT"),
    (16, "EBUSY"),
    (17, "EEXIST"),
    (18, "EXDEV"),
    (19, "ENODEV"),
    (20, "ENOTDIR"),
    (21, "EISDIR"),
    (22, "EINVAL"),
    (24, "EMFILE"),
    (26, "ETXTBSY"),
    (28, "ENOSPC"),
    (30, "EROFS"),
    (31, "EMLINK"),
    (36, "ENAMETOOLONG"),
    (38, "ENOSYS"),
    (39, "ENOTEMPTY"),
    (40, "ELOOP"),
    (95, "EOPNOTSUPP"),
    (110, "ETIMEDOUT"),
    (111, "ECONNREFUSED"),
];

/// Types of records that rules of the exclude list name (`include/uapi/linux/audit.h`, and `libaudit` for those of
/// programs).
const MESSAGE_TYPES: &[(u32, &str)] = &[
    (1005, "USER"),
    (1006, "LOGIN"),
    (1100, "USER_AUTH"),
    (1101, "USER_ACCT"),
    (1102, "USER_MGMT"),
    (1103, "CRED_ACQ"),
    (1104, "CRED_DISP"),
    (1105, "USER_START"),
    (1106, "USER_END"),
    (1107, "USER_AVC"),
    (1108, "USER_CHAUTHTOK"),
    (1109, "USER_ERR"),
    (1110, "CRED_REFR"),
    (1111, "USYS_CONFIG"),
    (1112, "USER_LOGIN"),
    (1113, "USER_LOGOUT"),
    (1114, "ADD_USER"),
    (1115, "DEL_USER"),
    (1116, "ADD_GROUP"),
    (1117, "DEL_GROUP"),
    (1123, "USER_CMD"),
    (1124, "USER_TTY"),
    (1127, "SYSTEM_BOOT"),
    (1128, "SYSTEM_SHUTDOWN"),
    (1130, "SERVICE_START"),
    (1131, "SERVICE_STOP"),
    (1132, "GRP_MGMT"),
    (1200, "DAEMON_START"),
    (1201, "DAEMON_END"),
    (1202, "DAEMON_ABORT"),
    (1203, "DAEMON_CONFIG"),
    (1300, "SYSCALL"),
    (1302, "PATH"),
    (1303, "IPC"),
    (1304, "SOCKETCALL"),
    (1305, "CONFIG_CHANGE"),
    (1306, "SOCKADDR"),
    (1307, "CWD"),
    (1309, "EXECVE"),
    (1311, "IPC_SET_PERM"),
    (1316, "KERNEL_OTHER"),
    (1317, "FD_PAIR"),
    (1318, "OBJ_PID"),
    (1319, "TTY"),
    (1320, "EOE"),
    (1321, "BPRM_FCAPS"),
    (1322, "CAPSET"),
    (1323, "MMAP"),
    (1324, "NETFILTER_PKT"),
    (1325, "NETFILTER_CFG"),
    (1326, "SECCOMP"),
    (1327, "PROCTITLE"),
    (1328, "FEATURE_CHANGE"),
    (1330, "KERN_MODULE"),
    (1331, "FANOTIFY"),
    (1332, "TIME_INJOFFSET"),
    (1333, "TIME_ADJNTPVAL"),
    (1334, "BPF"),
    (1335, "EVENT_LISTENER"),
    (1336, "URINGOP"),
    (1337, "OPENAT2"),
    (1400, "AVC"),
    (1401, "SELINUX_ERR"),
    (1403, "MAC_POLICY_LOAD"),
    (1404, "MAC_STATUS"),
    (1405, "MAC_CONFIG_CHANGE"),
    (1503, "APPARMOR_DENIED"),
    (1700, "ANOM_PROMISCUOUS"),
    (1701, "ANOM_ABEND"),
    (1702, "ANOM_LINK"),
    (1800, "INTEGRITY_DATA"),
    (2000, "KERNEL"),
    (2404, "CRYPTO_KEY_USER"),
    (2407, "CRYPTO_SESSION"),
    (2500, "VIRT_CONTROL"),
];

/// `AUDIT_COMPARE_*`: number, the two fields.
const COMPARISONS: &[(u32, &str, &str)] = &[
    (1, "uid", "obj_uid"),
    (2, "gid", "obj_gid"),
    (3, "euid", "obj_uid"),
    (4, "egid", "obj_gid"),
    (5, "auid", "obj_uid"),
    (6, "suid", "obj_uid"),
    (7, "sgid", "obj_gid"),
    (8, "fsuid", "obj_uid"),
    (9, "fsgid", "obj_gid"),
    (10, "uid", "auid"),
    (11, "uid", "euid"),
    (12, "uid", "fsuid"),
    (13, "uid", "suid"),
    (14, "auid", "fsuid"),
    (15, "auid", "suid"),
    (16, "auid", "euid"),
    (17, "euid", "suid"),
    (18, "euid", "fsuid"),
    (19, "suid", "fsuid"),
    (20, "gid", "egid"),
    (21, "gid", "fsgid"),
    (22, "gid", "sgid"),
    (23, "egid", "fsgid"),
    (24, "egid", "sgid"),
    (25, "sgid", "fsgid"),
];

/// The words for the values of a kind.
fn words(kind: Kind) -> &'static [(u32, &'static str)] {
    match kind {
        Kind::Arch => ARCHS,
        Kind::MessageType => MESSAGE_TYPES,
        Kind::FileType => FILE_TYPES,
        Kind::FsType => FS_TYPES,
        _ => &[],
    }
}

/// The value that a word of this kind stands for, users and groups by name apart.
pub(super) fn value(kind: Kind, word: &str) -> Option<u32> {
    match kind {
        Kind::Perm => perms(word),
        Kind::Exit => exit(word),
        Kind::User | Kind::Group if word == "unset" => Some(UNSET),
        Kind::Number if word == "unset" => Some(UNSET),
        _ => field::number(words(kind), word).or_else(|| integer(word)),
    }
}

/// The word for a value of this kind.
pub(super) fn show(kind: Kind, value: u32) -> String {
    match kind {
        Kind::Perm => PERMS
            .iter()
            .filter(|(bit, _)| value & bit != 0)
            .map(|(_, letter)| *letter)
            .collect(),
        Kind::Exit => show_exit(value),
        Kind::User | Kind::Group if value == UNSET => "-1".to_owned(),
        Kind::Arch => field::word(ARCHS, value).map_or_else(|| format!("{value:#x}"), str::to_owned),
        _ => field::word(words(kind), value).map_or_else(|| value.to_string(), str::to_owned),
    }
}

/// The comparison of two fields, in either order.
pub(super) fn comparison(one: &str, other: &str) -> Option<u32> {
    let is = |known: &str, name: &str| known == name || (known == "auid" && name == "loginuid");
    COMPARISONS
        .iter()
        .find(|(_, left, right)| (is(left, one) && is(right, other)) || (is(left, other) && is(right, one)))
        .map(|(number, ..)| *number)
}

/// The two fields of a comparison.
pub(super) fn compared(number: u32) -> Option<(&'static str, &'static str)> {
    COMPARISONS
        .iter()
        .find(|(known, ..)| *known == number)
        .map(|(_, left, right)| (*left, *right))
}

/// A 32-bit number, decimal, negative, `0x…` or `0…` as C writes them.
pub(super) fn integer(word: &str) -> Option<u32> {
    let (negative, digits) = match word.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, word),
    };
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let magnitude = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None if digits.len() > 1 && digits.starts_with('0') => u32::from_str_radix(digits, 8).ok()?,
        None => digits.parse().ok()?,
    };
    Some(if negative {
        magnitude.wrapping_neg()
    } else {
        magnitude
    })
}

/// The letters' bits together; a letter may be repeated.
fn perms(word: &str) -> Option<u32> {
    let letters = Some(word).filter(|word| !word.is_empty())?;
    letters.chars().try_fold(0, |bits, letter| {
        let (bit, _) = PERMS.iter().find(|(_, known)| known.starts_with(letter))?;
        Some(bits | bit)
    })
}

fn exit(word: &str) -> Option<u32> {
    match word.strip_prefix('-') {
        Some(name) if name.starts_with('E') => field::number(ERRORS, name).map(u32::wrapping_neg),
        _ if word.starts_with('E') => field::number(ERRORS, word),
        _ => integer(word),
    }
}

/// Negative where it can be an error: the kernel compares it as a signed number.
fn show_exit(value: u32) -> String {
    let error = value.wrapping_neg();
    match field::word(ERRORS, error) {
        Some(name) => format!("-{name}"),
        None if value > i32::MAX.unsigned_abs() => format!("-{error}"),
        None => value.to_string(),
    }
}
