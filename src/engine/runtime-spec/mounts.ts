import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { OciMount } from '../../spec/oci.ts';
import { internal, invalid, unavailable } from '../../util/errors.ts';
import type { Container } from '../containers/model.ts';
import { isContainerMode } from './namespaces.ts';
import { atLeast } from './seccomp.ts';
import { parseSecurityOpts } from './security-opts.ts';
import { PLAIN_DEFAULTS, type SpecDefaults } from './spec-defaults.ts';
import { type WantedMount, wantedMounts } from './wanted-mounts.ts';

/** Where the init of `--init` is found in a container. */
export const INIT_PATH = '/sbin/docker-init';

/** The kernel that can make a whole tree of mounts read-only. Source: mount_setattr(2). */
const RECURSIVE_READ_ONLY = '5.12';

interface MountFacts {
  readonly container: Container;
  readonly host: Pick<HostFacts, 'kernel' | 'propagationAt' | 'initBinary'>;
  /** On the host: the /dev/shm of a container that shares its own, or of the one whose it shares. */
  readonly shm: string | undefined;
  readonly defaults?: Pick<SpecDefaults, 'init'> | undefined;
}

/**
 * Everything mounted in a container, in the order it is to be mounted: the kernel's file systems, then the rest with
 * what lies deeper later. A mount the user asks for takes the place of one of ours.
 */
export function containerMounts(facts: MountFacts): OciMount[] {
  const asked = [...askedMounts(facts), ...containerFiles(facts.container), ...sharedShm(facts)];
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
  const { writableCgroups } = parseSecurityOpts(hostConfig.SecurityOpt ?? []);
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
      options: Privileged || writableCgroups ? safe : ['ro', ...safe],
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
function containerFiles({ files, hostConfig }: Container): OciMount[] {
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
  const asked = wantedMounts(hostConfig).filter(({ type }) => type !== 'volume');
  const volumes = mounts.filter(({ type }) => type === 'volume');
  return [
    ...asked.map((mount) => (mount.type === 'tmpfs' ? tmpfsMount(mount) : bindMount(mount, facts))),
    ...volumes.map(({ source, destination, rw }) => ({
      destination,
      type: 'bind',
      source,
      options: rw ? ['rbind'] : ['rbind', 'ro'],
    })),
  ];
}

function tmpfsMount({ destination, options }: WantedMount): OciMount {
  return { destination, type: 'tmpfs', source: 'tmpfs', options };
}

function bindMount(mount: WantedMount, facts: MountFacts): OciMount {
  const propagation = mount.propagation || defaultPropagation(mount.source, facts.container);
  if (mount.propagation !== '') checkPropagation(mount, facts.host);
  const options = [
    mount.nonRecursive ? 'bind' : 'rbind',
    ...(mount.readOnly ? ['ro'] : []),
    ...(readOnlyBelow(mount, facts.host) ? ['rro'] : []),
    propagation,
  ];
  return { destination: mount.destination, type: 'bind', source: mount.source, options };
}

/**
 * A directory above the engine's own would carry the root file systems of all containers into this one, and keep them
 * mounted there; as a slave it forgets them with the host.
 */
export function defaultPropagation(source: string, { graph }: Pick<Container, 'graph'>): string {
  const above = [graph.merged, graph.upper].some((dir) => source === '/' || dir.startsWith(`${source}/`));
  return above ? 'rslave' : 'rprivate';
}

function readOnlyBelow(mount: WantedMount, { kernel }: Pick<HostFacts, 'kernel'>): boolean {
  if (!mount.readOnly || mount.nonRecursive || mount.readOnlyBelow === 'never') return false;
  if (atLeast(kernel, RECURSIVE_READ_ONLY)) return true;
  if (mount.readOnlyBelow === 'where possible') return false;
  throw invalid(`mount ${mount.destination}: recursively read-only mounts take kernel ${RECURSIVE_READ_ONLY} or newer`);
}

/** Mounts can travel only from where the host lets them go. */
function checkPropagation({ source, propagation }: WantedMount, host: Pick<HostFacts, 'propagationAt'>): void {
  if (propagation.endsWith('private')) return;
  const { mountPoint, shared, slave } = host.propagationAt(source);
  const wantsShared = propagation.endsWith('shared');
  if (wantsShared && !shared) throw invalid(`path ${source} is mounted on ${mountPoint} but it is not a shared mount`);
  if (!wantsShared && !shared && !slave) {
    throw invalid(`path ${source} is mounted on ${mountPoint} but it is not a shared or slave mount`);
  }
}

/** How the root file system must propagate so that what the binds ask for can work; undefined: as the runtime does. */
export function rootPropagation({ hostConfig }: Pick<Container, 'hostConfig'>): 'shared' | 'rslave' | undefined {
  const asked = wantedMounts(hostConfig).map(({ propagation }) => propagation);
  if (asked.some((propagation) => propagation.endsWith('shared'))) return 'shared';
  return asked.some((propagation) => propagation.endsWith('slave')) ? 'rslave' : undefined;
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
