/** When a rule counts: the container has all of `caps`, lacks `withoutCap`, runs on one of `arches` and on none of `notArches`. */
export interface SeccompCondition {
  readonly caps?: readonly string[];
  readonly withoutCap?: string;
  readonly arches?: readonly string[];
  readonly notArches?: readonly string[];
  /** Oldest kernel, as in `4.8`. */
  readonly minKernel?: string;
}

/** A comparison of an argument; with `MASKED_EQ`, `value` is the mask and `valueTwo`, else 0, what must remain. */
export interface SeccompComparison {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: 'EQ' | 'LT' | 'MASKED_EQ';
}

/** System calls with the same answer. `allow` unless an `errno` is given; each of `args` is an alternative. */
export interface SeccompFact extends SeccompCondition {
  readonly names: string;
  readonly args?: readonly SeccompComparison[];
  readonly errno?: number;
}

const EPERM = 1;
const ENOSYS = 38;

/** What a system call gets that no fact below allows. */
export const DEFAULT_ERRNO = EPERM;

/** The further instruction sets a program on an architecture (GOARCH) can use, by their names in libseccomp. */
export const SECCOMP_ARCHES: Readonly<Record<string, readonly string[]>> = {
  amd64: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32'],
  arm64: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
  mips64: ['SCMP_ARCH_MIPS64', 'SCMP_ARCH_MIPS', 'SCMP_ARCH_MIPS64N32'],
  mips64le: ['SCMP_ARCH_MIPSEL64', 'SCMP_ARCH_MIPSEL', 'SCMP_ARCH_MIPSEL64N32'],
  s390x: ['SCMP_ARCH_S390X', 'SCMP_ARCH_S390'],
  riscv64: ['SCMP_ARCH_RISCV64'],
  loong64: ['SCMP_ARCH_LOONGARCH64'],
};

/**
 * Address families of socket(2) from 12 on that programs have a use for: not DECnet, Econet, ATM SVC, IrDA, WAN pipes, ISDN,
 * CAIF, ALG, vsock. Written as `[first, size]` of aligned blocks, since each comparison costs every start of a container.
 */
const FAMILIES = [
  [13, 1],
  [14, 2],
  [16, 2],
  [18, 1],
  [21, 1],
  [22, 1],
  [24, 1],
  [26, 2],
  [28, 4],
  [32, 2],
  [35, 1],
  [36, 1],
  [39, 1],
  [41, 1],
  [42, 2],
  [44, 2],
] as const;

/** personality(2): PER_LINUX, PER_LINUX32, each with and without UNAME26, and the query. */
const PERSONALITIES = [0x0, 0x8, 0x20000, 0x20008, 0xffffffff];

/** CLONE_NEW* of namespaces that take CAP_SYS_ADMIN: cgroup, ipc, net, ns, pid, user, uts. */
const CLONE_NAMESPACES = 0x7e020000;

const equal = (index: number, value: number) => ({ index, value, op: 'EQ' as const });

/** One of `size` values, a power of two, from `first` on, of an argument of 32 bits. */
const block = (index: number, first: number, size: number) => ({
  index,
  value: 2 ** 32 - size,
  valueTwo: first,
  op: 'MASKED_EQ' as const,
});

/** Docker's default profile as facts. Source: moby/profiles, seccomp/default.json. */
export const SECCOMP_FACTS: readonly SeccompFact[] = [
  { names: always() },
  { names: 'process_vm_readv process_vm_writev ptrace', minKernel: '4.8' },
  {
    names: 'socket',
    args: [{ index: 0, value: 12, op: 'LT' }, ...FAMILIES.map(([first, size]) => block(0, first, size))],
  },
  { names: 'personality', args: PERSONALITIES.map((value) => equal(0, value)) },
  { names: 'sync_file_range2 swapcontext', arches: ['ppc64le'] },
  {
    names: 'arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls',
    arches: ['arm', 'arm64'],
  },
  { names: 'arch_prctl', arches: ['amd64'] },
  { names: 'modify_ldt', arches: ['amd64', '386'] },
  { names: 's390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr', arches: ['s390x'] },
  { names: 'riscv_flush_icache', arches: ['riscv64'] },
  { names: 'open_by_handle_at', caps: ['CAP_DAC_READ_SEARCH'] },
  {
    names: `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr lsm_list_modules
      lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl quotactl_fd setdomainname
      sethostname setns syslog umount umount2 unshare`,
    caps: ['CAP_SYS_ADMIN'],
  },
  {
    names: 'clone',
    args: [{ index: 0, value: CLONE_NAMESPACES, op: 'MASKED_EQ' }],
    withoutCap: 'CAP_SYS_ADMIN',
    notArches: ['s390x'],
  },
  // On s390 the flags are the second argument.
  {
    names: 'clone',
    args: [{ index: 1, value: CLONE_NAMESPACES, op: 'MASKED_EQ' }],
    withoutCap: 'CAP_SYS_ADMIN',
    arches: ['s390x'],
  },
  // Its flags lie in memory, where a filter cannot look: "no such call" makes the C library fall back to clone.
  { names: 'clone3', errno: ENOSYS, withoutCap: 'CAP_SYS_ADMIN' },
  { names: 'reboot', caps: ['CAP_SYS_BOOT'] },
  { names: 'chroot', caps: ['CAP_SYS_CHROOT'] },
  { names: 'delete_module init_module finit_module', caps: ['CAP_SYS_MODULE'] },
  { names: 'acct', caps: ['CAP_SYS_PACCT'] },
  {
    names: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace',
    caps: ['CAP_SYS_PTRACE'],
  },
  { names: 'iopl ioperm', caps: ['CAP_SYS_RAWIO'] },
  { names: 'settimeofday stime clock_settime clock_settime64', caps: ['CAP_SYS_TIME'] },
  { names: 'vhangup', caps: ['CAP_SYS_TTY_CONFIG'] },
  { names: 'get_mempolicy mbind set_mempolicy set_mempolicy_home_node', caps: ['CAP_SYS_NICE'] },
  { names: 'syslog', caps: ['CAP_SYSLOG'] },
  { names: 'bpf', caps: ['CAP_BPF'] },
  { names: 'perf_event_open', caps: ['CAP_PERFMON'] },
];

/** Calls that are allowed in every container; a name an architecture does not have is passed over by the runtime. */
function always(): string {
  return `
  _llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown chown32
  clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
  clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1
  epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit
  exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat fchmodat2
  fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat
  fstat64 fstatat64 fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait
  futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid
  getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp getpid
  getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname
  getsockopt gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init inotify_init1
  inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl
  ioprio_get ioprio_set ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32
  lgetxattr link linkat listen listmount listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat lstat64
  madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2
  mlockall mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend
  mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap
  name_to_handle_at nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc
  pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6
  pselect6_time64 pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg
  recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall
  riscv_hwprobe rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
  rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min
  sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
  sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp
  select semctl semget semop semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto
  set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups
  setgroups32 setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid
  setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown
  sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64
  statmount statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create timer_delete
  timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime
  timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink
  unlinkat uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid write writev`;
}
