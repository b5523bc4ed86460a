/**
 * The system calls that perl has no words for. arm64 has the numbers of `include/uapi/asm-generic/unistd.h`, x64 those of
 * `arch/x86/entry/syscalls/syscall_64.tbl`; what is newer than 2019 has one number everywhere.
 */
export const SYSCALL_NUMBERS = {
  x64: {
    unshare: 272,
    setns: 308,
    mount: 165,
    lsetxattr: 189,
    lgetxattr: 192,
    llistxattr: 195,
    mknodat: 259,
    utimensat: 280,
    fchownat: 260,
    statx: 332,
    openat: 257,
    linkat: 265,
    open_tree: 428,
    move_mount: 429,
    mount_setattr: 442,
  },
  arm64: {
    unshare: 97,
    setns: 268,
    mount: 40,
    lsetxattr: 6,
    lgetxattr: 9,
    llistxattr: 12,
    mknodat: 33,
    utimensat: 88,
    fchownat: 54,
    statx: 291,
    openat: 56,
    linkat: 37,
    open_tree: 428,
    move_mount: 429,
    mount_setattr: 442,
  },
} as const;
