import { readlinkSync } from 'node:fs';

const LIMITS = [
  'memory/memory.limit_in_bytes',
  'memory/memory.memsw.limit_in_bytes',
  'memory/memory.soft_limit_in_bytes',
  'memory/memory.swappiness',
  'memory/memory.oom_control',
  'cpu/cpu.cfs_quota_us',
  'cpu/cpu.cfs_period_us',
  'cpu/cpu.shares',
  'cpuset/cpuset.cpus',
  'cpuset/cpuset.mems',
  'pids/pids.max',
  'blkio/blkio.bfq.weight',
  'devices/devices.list',
  'memory.max',
  'memory.swap.max',
  'memory.low',
  'cpu.max',
  'cpu.weight',
  'cpuset.cpus',
  'pids.max',
  'io.bfq.weight',
];

const SYSCTLS = [
  'net/ipv4/ip_forward',
  'net/ipv4/ip_unprivileged_port_start',
  'net/ipv4/ping_group_range',
  'net/ipv4/conf/lo/forwarding',
  'net/ipv6/conf/all/disable_ipv6',
  'net/core/somaxconn',
  'kernel/domainname',
  'kernel/msgmax',
  'kernel/shmmax',
  'kernel/shm_rmid_forced',
  'fs/mqueue/msg_max',
];

const MASKED =
  '/proc/asound /proc/acpi /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/timer_stats ' +
  '/proc/sched_debug /proc/scsi /sys/firmware';

const ETC = '/etc/hostname /etc/hosts /etc/resolv.conf';

/** Everything a process can see of the walls around it, by topic. The topics are shell commands for busybox. */
const TOPICS: Record<string, string> = {
  mounts: 'cat /proc/self/mountinfo',
  status:
    'grep -E "^(Umask|Uid|Gid|Groups|Cap|NoNew|Seccomp|Cpus_allowed_list|Mems_allowed_list|Sig(Blk|Ign))" /proc/self/status',
  devices: 'find /dev ! -path "/dev/pts/*" ! -path "/dev/shm/*" -exec stat -c "%N %F %t:%T %a %u:%g" {} + | sort',
  cgroup: 'cat /proc/self/cgroup',
  namespaces: 'for n in /proc/self/ns/*; do echo ${n##*/} $(readlink $n); done',
  sysctls: `cd /proc/sys; for f in ${SYSCTLS.join(' ')}; do echo $f $(cat $f 2>&1); done`,
  environment: 'env | sort',
  identity: 'id; pwd; umask; hostname; stat -c "%a %u:%g" / /tmp /dev/shm',
  files: `cat ${ETC}; stat -c "%n %a %u:%g" ${ETC}`,
  rlimits: 'cat /proc/self/limits',
  masked: `for f in ${MASKED}; do echo $f $(ls -d $f 2>&1) $([ -d $f ] && ls -A $f 2>&1 | wc -l || head -c1 $f 2>&1 | wc -c); done`,
  limits: `cd /sys/fs/cgroup; for f in ${LIMITS.join(' ')}; do [ -e $f ] && echo $f $(cat $f); done; true`,
  scores: 'cat /proc/self/oom_score_adj /proc/self/timerslack_ns 2>&1; cat /proc/self/loginuid',
  init: 'tr "\\0" " " </proc/1/cmdline | head -c 20',
  network: 'ls /sys/class/net; grep -c "\t00000000\t.*\t0003\t" /proc/net/route; ip -o addr show lo 2>&1',
};

/** A script for `sh -c` that shows all topics. */
export const LOOK_AROUND = Object.entries(TOPICS)
  .map(([topic, script]) => `echo; echo "@@ ${topic}"; (${script})`)
  .join('\n');

/** Parts what the script printed into topics and levels what must differ: ids, addresses, paths of the engine. */
export function topicsOf(output: string): Record<string, string[]> {
  const topics: Record<string, string[]> = {};
  for (const part of `\n${output}`.split('\n@@ ').slice(1)) {
    const [topic = '', ...lines] = part.trimEnd().split('\n');
    topics[topic] = lines.map((line) => level(topic, line));
  }
  // Docker hides the interrupts since 27; dockerd 20.10 does not.
  topics['mounts'] = topics['mounts']?.filter((line) => !line.startsWith('/proc/interrupts ')).sort() ?? [];
  // Interfaces of the host come and go with whatever else runs there.
  if (topics['namespaces']?.includes('net of the host')) {
    topics['network'] = topics['network']?.filter((line) => !/^\S+$/u.test(line)) ?? [];
  }
  return topics;
}

const LEVEL: Record<string, (line: string) => string> = {
  mounts: mount,
  namespaces: (line) => {
    const [name = '', own] = line.split(' ');
    return `${name} ${own === readlinkSync(`/proc/self/ns/${name}`) ? 'of the host' : 'its own'}`;
  },
  // dockerd 20.10 knows the capabilities up to AUDIT_READ; kernels have had more since 5.8.
  status: (line) => line.replace(/^(Cap\w+:\t)(\w+)$/u, (_, name, set) => `${name}${knownCaps(set)}`),
  // Which parent an engine puts its containers under is its own business.
  cgroup: (line) => line.replace(/:\/.*\/<id>$/u, ':<parent>/<id>'),
};

const knownCaps = (set: string): string => (BigInt(`0x${set}`) & 0x3fffffffffn).toString(16).padStart(16, '0');

function level(topic: string, line: string): string {
  const plain = line
    .replaceAll(/[0-9a-f]{64}/gu, '<id>')
    .replaceAll(/\b[0-9a-f]{12}\b/gu, '<short id>')
    .replaceAll(/\b(?!127\.|0\.0\.0\.0)\d+\.\d+\.\d+\.\d+\b/gu, '<address>');
  return LEVEL[topic]?.(plain) ?? plain;
}

/** proc(5): id parent major:minor root point options [tags] - type source super-options. */
function mount(line: string): string {
  const [left = '', right = ''] = line.split(' - ');
  const [, , , root = '', point = '', options = '', ...tags] = left.split(' ');
  const [type = '', source = '', superOptions = ''] = right.split(' ');
  // Whether the root file system was mounted in the engine's own mount namespace or not shows in its tags.
  const shared = point === '/' ? '' : tags.map((tag) => tag.replace(/:\d+/u, '')).join(' ');
  const from = root.replace(/^.*\/containers\/<id>\//u, '<container>/').replace(/^\/.*\/<id>$/u, '<cgroup>');
  const known =
    type === 'overlay'
      ? superOptions.replaceAll(/(lower|upper|work)dir=[^,]+/gu, '$1dir').replace(',uuid=on', '')
      : superOptions;
  const device = type === 'ext4' ? '' : source;
  return [point, from, options, shared, type, device, known].join(' ');
}
