import { bool, type FlagSpec, list, one, text } from '../flags/flag-spec.ts';
import { bytes, bytesOrUnlimited, duration, integer, nanoCpus, uint16 } from '../flags/values.ts';
import {
  attachStream,
  dnsAddress,
  extraHost,
  labelOrEnv,
  sysctl,
  throttleBps,
  throttleIops,
  ulimit,
  weightDevice,
} from './flag-values.ts';
import { parseGpus } from './gpus.ts';
import { parseMount } from './mount.ts';
import { parseNetwork } from './network.ts';

const int = (name: string, doc: string, extra = {}) => one(name, 'int', doc, { parse: integer, ...extra });
const size = (name: string, doc: string) => one(name, 'bytes', doc, { parse: bytes });
const span = (name: string, doc: string) => one(name, 'duration', doc, { parse: duration, default: '0s' });
const hidden = { hidden: true };

const general: readonly FlagSpec[] = [
  list('a, attach', 'Attach to STDIN, STDOUT or STDERR', { parse: attachStream }),
  list('annotation', 'Add an annotation to the container (passed through to the OCI runtime)', {
    type: 'map',
    ...hidden,
  }),
  text('cidfile', 'Write the container ID to the file'),
  bool('disable-content-trust', 'Skip image verification (default true)'),
  text('domainname', 'Container NIS domain name'),
  text('entrypoint', 'Overwrite the default ENTRYPOINT of the image'),
  list('e, env', 'Set environment variables', { parse: labelOrEnv }),
  list('env-file', 'Read in a file of environment variables'),
  text('h, hostname', 'Container host name'),
  bool('help', 'Print usage'),
  bool('i, interactive', 'Keep STDIN open even if not attached'),
  list('l, label', 'Set meta data on a container', { parse: labelOrEnv }),
  list('label-file', 'Read in a line delimited file of labels'),
  text('name', 'Assign a name to the container'),
  text('platform', 'Set platform if server is multi-platform capable'),
  bool('q, quiet', 'Suppress the pull output'),
  text('restart', 'Restart policy to apply when a container exits', { default: '"no"' }),
  bool('rm', 'Automatically remove the container and its associated anonymous volumes when it exits'),
  text('runtime', 'Runtime to use for this container'),
  text('stop-signal', 'Signal to stop the container'),
  int('stop-timeout', 'Timeout (in seconds) to stop a container'),
  list('sysctl', 'Sysctl options', { type: 'map', default: 'map[]', parse: sysctl }),
  bool('t, tty', 'Allocate a pseudo-TTY'),
  list('ulimit', 'Ulimit options', { type: 'ulimit', default: '[]', parse: ulimit }),
  text('u, user', 'Username or UID (format: <name|uid>[:<group|gid>])'),
  text('w, workdir', 'Working directory inside the container'),
  bool('init', 'Run an init inside the container that forwards signals and reaps processes'),
];

const security: readonly FlagSpec[] = [
  list('cap-add', 'Add Linux capabilities'),
  list('cap-drop', 'Drop Linux capabilities'),
  list('group-add', 'Add additional groups to join'),
  bool('privileged', 'Give extended privileges to this container'),
  list('security-opt', 'Security Options'),
  text('userns', 'User namespace to use'),
];

const health: readonly FlagSpec[] = [
  text('health-cmd', 'Command to run to check health'),
  span('health-interval', 'Time between running the check (ms|s|m|h)'),
  int('health-retries', 'Consecutive failures needed to report unhealthy'),
  span('health-timeout', 'Maximum time to allow one check to run (ms|s|m|h)'),
  span(
    'health-start-period',
    'Start period for the container to initialize before starting health-retries countdown (ms|s|m|h)',
  ),
  {
    ...span('health-start-interval', 'Time between running the check during the start period (ms|s|m|h)'),
    hidden: true,
  },
  bool('no-healthcheck', 'Disable any container-specified HEALTHCHECK'),
];

const namespaces: readonly FlagSpec[] = [
  text('cgroup-parent', 'Optional parent cgroup for the container'),
  text(
    'cgroupns',
    "Cgroup namespace to use (host|private)\n'host':    Run the container in the Docker host's cgroup namespace\n" +
      "'private': Run the container in its own private cgroup namespace\n" +
      "'':        Use the cgroup namespace as configured by the\n           default-cgroupns-mode option on the daemon (default)",
  ),
  text('ipc', 'IPC mode to use'),
  text('isolation', 'Container isolation technology'),
  text('pid', 'PID namespace to use'),
  size('shm-size', 'Size of /dev/shm'),
  text('uts', 'UTS namespace to use'),
];

const storage: readonly FlagSpec[] = [
  list('device', 'Add a host device to the container'),
  list('device-cgroup-rule', 'Add a rule to the cgroup allowed devices list'),
  list('gpus', "GPU devices to add to the container ('all' to pass all GPUs)", {
    type: 'gpu-request',
    parse: parseGpus,
  }),
  list('mount', 'Attach a filesystem mount to the container', { type: 'mount', parse: parseMount }),
  bool('read-only', "Mount the container's root filesystem as read only"),
  list('storage-opt', 'Storage driver options for the container'),
  list('tmpfs', 'Mount a tmpfs directory'),
  list('v, volume', 'Bind mount a volume'),
  text('volume-driver', 'Optional volume driver for the container'),
  list('volumes-from', 'Mount volumes from the specified container(s)'),
];

const network: readonly FlagSpec[] = [
  list('add-host', 'Add a custom host-to-IP mapping (host:ip)', { parse: extraHost }),
  list('dns', 'Set custom DNS servers', { parse: dnsAddress }),
  list('dns-option', 'Set DNS options'),
  list('dns-opt', 'Set DNS options', { ...hidden, aliasOf: 'dns-option' }),
  list('dns-search', 'Set custom DNS search domains'),
  list('expose', 'Expose a port or a range of ports'),
  text('ip', 'IPv4 address (e.g., 172.30.100.104)'),
  text('ip6', 'IPv6 address (e.g., 2001:db8::33)'),
  list('link', 'Add link to another container'),
  list('link-local-ip', 'Container IPv4/IPv6 link-local addresses'),
  text('mac-address', 'Container MAC address (e.g., 92:d0:c6:0a:29:33)'),
  list('network', 'Connect a container to a network', { type: 'network', parse: parseNetwork }),
  list('net', 'Connect a container to a network', { ...hidden, aliasOf: 'network', parse: parseNetwork }),
  list('network-alias', 'Add network-scoped alias for the container'),
  list('net-alias', 'Add network-scoped alias for the container', { ...hidden, aliasOf: 'network-alias' }),
  list('p, publish', "Publish a container's port(s) to the host"),
  bool('P, publish-all', 'Publish all exposed ports to random ports'),
];

const resources: readonly FlagSpec[] = [
  one('blkio-weight', 'uint16', 'Block IO (relative weight), between 10 and 1000, or 0 to disable', {
    default: '0',
    parse: uint16,
  }),
  list('blkio-weight-device', 'Block IO weight (relative device weight)', { default: '[]', parse: weightDevice }),
  int('cpu-period', 'Limit CPU CFS (Completely Fair Scheduler) period'),
  int('cpu-quota', 'Limit CPU CFS (Completely Fair Scheduler) quota'),
  int('cpu-rt-period', 'Limit CPU real-time period in microseconds'),
  int('cpu-rt-runtime', 'Limit CPU real-time runtime in microseconds'),
  int('c, cpu-shares', 'CPU shares (relative weight)'),
  one('cpus', 'decimal', 'Number of CPUs', { parse: nanoCpus }),
  text('cpuset-cpus', 'CPUs in which to allow execution (0-3, 0,1)'),
  text('cpuset-mems', 'MEMs in which to allow execution (0-3, 0,1)'),
  int('cpu-count', 'CPU count (Windows only)', hidden),
  int('cpu-percent', 'CPU percent (Windows only)', hidden),
  { ...size('io-maxbandwidth', 'Maximum IO bandwidth limit for the system drive (Windows only)'), hidden: true },
  int('io-maxiops', 'Maximum IOps limit for the system drive (Windows only)', hidden),
  list('device-read-bps', 'Limit read rate (bytes per second) from a device', { default: '[]', parse: throttleBps }),
  list('device-read-iops', 'Limit read rate (IO per second) from a device', { default: '[]', parse: throttleIops }),
  list('device-write-bps', 'Limit write rate (bytes per second) to a device', { default: '[]', parse: throttleBps }),
  list('device-write-iops', 'Limit write rate (IO per second) to a device', { default: '[]', parse: throttleIops }),
  size('kernel-memory', 'Kernel memory limit'),
  size('m, memory', 'Memory limit'),
  size('memory-reservation', 'Memory soft limit'),
  one('memory-swap', 'bytes', "Swap limit equal to memory plus swap: '-1' to enable unlimited swap", {
    parse: bytesOrUnlimited,
  }),
  int('memory-swappiness', 'Tune container memory swappiness (0 to 100)', { default: '-1' }),
  bool('oom-kill-disable', 'Disable OOM Killer'),
  int('oom-score-adj', "Tune host's OOM preferences (-1000 to 1000)"),
  int('pids-limit', 'Tune container pids limit (set -1 for unlimited)'),
];

const logging: readonly FlagSpec[] = [
  text('log-driver', 'Logging driver for the container'),
  list('log-opt', 'Log driver options'),
];

/** The flags `run` and `create` share; they differ in one word of the text for `--pull`. */
export const containerFlags = (pullDoc: string): readonly FlagSpec[] => [
  ...general,
  ...security,
  ...health,
  ...namespaces,
  ...storage,
  ...network,
  ...resources,
  ...logging,
  text('pull', pullDoc, { default: '"missing"' }),
];
