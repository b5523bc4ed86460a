import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { SeenUserns } from '../../kernel/userns/user-namespace.ts';
import type { OciMount } from '../../spec/oci.ts';
import { internal, invalid, unavailable } from '../../util/errors.ts';
import type { Container, ContainerMount } from '../containers/model.ts';
import { isContainerMode } from './namespaces.ts';
import { atLeast } from './seccomp.ts';
import { parseSecurityOpts } from './security-opts.ts';
import { PLAIN_DEFAULTS, type SpecDefaults } from './spec-defaults.ts';
import { tmpfsOptions } from './tmpfs-options.ts';
import { cleanPath } from './wanted-mounts.ts';

/** Where the init of `--init` is found in a container. */
export const INIT_PATH = '/sbin/docker-init';

/** The kernel that can make a whole tree of mounts read-only. Source: mount_setattr(2). */
const RECURSIVE_READ_ONLY = '5.12';

interface MountFacts {
  readonly container: Container;
  readonly host: Pick<HostFacts, 'kernel' | 'propagationAt' | 'initBinary'>;
  /** On the host: the /dev/shm of a container that shares its own, or of the one whose it shares. */
  readonly shm?: string | undefined;
  /** By destination: where an image is mounted on the host, or the part of it that is mounted. */
  readonly images?: ReadonlyMap<string, string> | undefined;
  /** Sees volumes with the ids of the container; undefined: they are as they are. */
  readonly userns?: Pick<SeenUserns, 'mapped'> | undefined;
  readonly defaults?: Pick<SpecDefaults, 'init'> | undefined;
  /** Why the runtime cannot make a whole tree of mounts read-only; empty when it can. */
  readonly noRecursiveReadOnly?: string | undefined;
}

/**
 * Everything mounted in a container, in the order it is to be mounted: the kernel's file systems, then the rest with
 * what lies deeper later. A mount the user asks for takes the place of one of ours.
 */
export function containerMounts(facts: MountFacts): OciMount[] {
  const asked = [...askedMounts(facts), ...containerFiles(facts), ...sharedShm(facts)];
  const unique = [...new Map(asked.toReversed().map((mount) => [mount.destination, mount])).values()].toReversed();
  const own = new Set(unique.map(({ destination }) => destination));
  const base = [...systemMounts(facts.container), ...initMount(facts)].filter(({ destination }) => {
    if (own.has(destination)) return false;
    return !(own.has('/dev') && destination.startsWith('/dev/'));
  });
  return [...base, ...unique.toSorted((a, b) => depth(a) - depth(b))];
}

function depth({ destination }: OciMount): number {
  return destination.split('/').length;
}

/** What every container has. */
function systemMounts({ hostConfig }: Container): OciMount[] {
  const { Privileged, IpcMode, ShmSize } = hostConfig;
  const { writableCgroups = Privileged } = parseSecurityOpts(hostConfig.SecurityOpt ?? []);
  const safe = ['nosuid', 'noexec', 'nodev'];
  const mounts: OciMount[] = [
    { destination: '/proc', type: 'proc', source: 'proc', options: safe },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: Privileged ? safe : [...safe, 'ro'] },
    {
      destination: '/sys/fs/cgroup',
      type: 'cgroup',
      source: 'cgroup',
      options: writableCgroups ? safe : ['ro', ...safe],
    },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: safe },
  ];
  if (IpcMode === 'private' || IpcMode === '') {
    mounts.push({
      destination: '/dev/shm',
      type: 'tmpfs',
      source: 'shm',
      options: [...safe, 'mode=1777', `size=${ShmSize}`],
    });
  }
  return mounts;
}

/** hosts, hostname and resolv.conf are the engine's to write; a container with a read-only root cannot. */
function containerFiles({ container: { files, hostConfig } }: MountFacts): OciMount[] {
  const options = hostConfig.ReadonlyRootfs ? ['rbind', 'ro', 'rprivate'] : ['rbind', 'rprivate'];
  const paths = [
    ['/etc/resolv.conf', files.resolvConf],
    ['/etc/hostname', files.hostname],
    ['/etc/hosts', files.hosts],
  ] as const;
  return paths
    .filter(([, source]) => source !== '')
    .map(([destination, source]) => ({ destination, type: 'bind', source, options }));
}

/** /dev/shm of the host, of another container, or one that others may join. */
function sharedShm({ container, shm }: MountFacts): OciMount[] {
  const { IpcMode } = container.hostConfig;
  const shared = IpcMode === 'shareable' || isContainerMode(IpcMode);
  if (IpcMode !== 'host' && !shared) return [];
  const source = IpcMode === 'host' ? '/dev/shm' : shm;
  if (source === undefined) throw internal(`no directory given for /dev/shm of ${container.id}`);
  return [{ destination: '/dev/shm', type: 'bind', source, options: ['rbind', 'rprivate'] }];
}

function askedMounts(facts: MountFacts): OciMount[] {
  const { hostConfig, mounts } = facts.container;
  const tmpfs = Object.entries(hostConfig.Tmpfs).map(([path, options]) => tmpfsMount(path, tmpfsOptions(options)));
  return [...tmpfs, ...mounts.map((mount) => askedMount(mount, facts))];
}

function askedMount(mount: ContainerMount, facts: MountFacts): OciMount {
  const { type, destination, manner } = mount;
  if (type === 'tmpfs') return tmpfsMount(destination, manner?.options ?? tmpfsOptions(mount.rw ? '' : 'ro'));
  if (manner?.image !== undefined) return imageMount(mount, facts);
  return bindMount(mount, facts);
}

function tmpfsMount(destination: string, options: readonly string[]): OciMount {
  return { destination: cleanPath(destination), type: 'tmpfs', source: 'tmpfs', options };
}

function bindMount(mount: ContainerMount, facts: MountFacts): OciMount {
  const { source, destination, rw, propagation, manner } = mount;
  travels(mount, facts.host);
  const options = [
    manner?.nonRecursive ? 'bind' : 'rbind',
    ...(rw ? [] : ['ro']),
    ...(readOnlyBelow(mount, facts) ? ['rro'] : []),
    ...(propagation === '' ? [] : [propagation]),
  ];
  const from = mount.type === 'volume' ? (facts.userns?.mapped(source) ?? source) : source;
  return { destination, type: 'bind', source: from, options };
}

/** @throws `internal` when it is not mounted on the host. */
function imageMount({ destination, name }: ContainerMount, { images }: MountFacts): OciMount {
  const source = images?.get(destination);
  if (source === undefined) throw internal(`image ${name} is not mounted for ${destination}`);
  return { destination, type: 'bind', source, options: ['bind', 'ro', 'rprivate'] };
}

/** Of a tree that cannot be made read-only as a whole, the top is. */
function readOnlyBelow({ rw, manner }: ContainerMount, { host, noRecursiveReadOnly = '' }: MountFacts): boolean {
  if (rw || manner?.nonRecursive || manner?.readOnlyBelow === 'never') return false;
  const why = atLeast(host.kernel, RECURSIVE_READ_ONLY)
    ? noRecursiveReadOnly
    : 'rro is not supported: failed to call mount_setattr: function not implemented (kernel is older than 5.12?)';
  if (why === '') return true;
  if (manner?.readOnlyBelow === 'required') throw invalid(why);
  return false;
}

/**
 * Whether mounts travel between host and container below this one.
 *
 * @throws `invalid` in Docker's words when they are asked to and the host does not let them go.
 */
function travels({ source, propagation, manner }: ContainerMount, host: Pick<HostFacts, 'propagationAt'>): boolean {
  if (propagation === '' || propagation.endsWith('private')) return false;
  const { mountPoint, shared, slave } = host.propagationAt(source);
  const possible = shared || (slave && propagation.endsWith('slave'));
  if (possible || manner?.nearEngine) return possible;
  const needed = propagation.endsWith('shared') ? 'shared' : 'shared or slave';
  throw invalid(`path ${source} is mounted on ${mountPoint} but it is not a ${needed} mount`);
}

/** How the root file system must propagate so that what the binds ask for can work; undefined: as the runtime does. */
export function rootPropagation(
  { mounts }: Pick<Container, 'mounts'>,
  host: Pick<HostFacts, 'propagationAt'>,
): 'shared' | 'rslave' | undefined {
  const travelling = mounts.filter((mount) => travels(mount, host)).map(({ propagation }) => propagation);
  if (travelling.some((propagation) => propagation.endsWith('shared'))) return 'shared';
  return travelling.length > 0 ? 'rslave' : undefined;
}

function initMount({ container, host: { initBinary }, defaults = PLAIN_DEFAULTS }: MountFacts): OciMount[] {
  if (!usesInit(container.hostConfig, defaults)) return [];
  if (initBinary === '') throw unavailable('the host tool "docker-init" is not installed, and tini-static neither');
  return [{ destination: INIT_PATH, type: 'bind', source: initBinary, options: ['bind', 'ro'] }];
}

/** An init of its own makes sense only in a pid namespace of its own. */
export function usesInit(
  { Init, PidMode }: Pick<Container['hostConfig'], 'Init' | 'PidMode'>,
  { init }: Pick<SpecDefaults, 'init'>,
): boolean {
  return (Init ?? init) && PidMode !== 'host' && !isContainerMode(PidMode);
}
