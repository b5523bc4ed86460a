import { posix } from 'node:path';
import type { HostConfig, MountPoint } from '../../spec/container.ts';
import { invalid, messageOf } from '../../util/errors.ts';
import { type MountMode, PROPAGATIONS, parseMountMode } from './mount-mode.ts';
import { tmpfsOptions, tmpfsOptionsOf } from './tmpfs-options.ts';

/** One mount a container asks for by `Binds`, `Mounts` or `Tmpfs`, checked. */
export interface WantedMount {
  readonly type: 'bind' | 'volume' | 'tmpfs' | 'image';
  /** Path on the host of a bind; name of a volume, empty for an anonymous one; reference of an image; empty for tmpfs. */
  readonly source: string;
  /** Absolute and clean. */
  readonly destination: string;
  readonly readOnly: boolean;
  /** The third field of a bind as it was given, for `inspect`. */
  readonly mode: string;
  /** Empty: not asked for. */
  readonly propagation: string;
  /** Without what is mounted below the source. */
  readonly nonRecursive: boolean;
  /** Whether read-only covers what is mounted below the source: where the kernel can, never, or else not at all. */
  readonly readOnlyBelow: 'where possible' | 'never' | 'required';
  /** SELinux: shared or private label. */
  readonly label: '' | 'z' | 'Z';
  /** Within an image or a volume, clean; empty for all of it. */
  readonly subpath: string;
  /** A source on the host that does not exist is made, as a directory, before the container starts; else it is an error. */
  readonly createSource: boolean;
  readonly noCopy: boolean;
  /** Of a tmpfs, for mount(8). */
  readonly options: readonly string[];
  /** Which field asked: `Tmpfs` ones are not shown by `inspect`. */
  readonly from: 'Binds' | 'Mounts' | 'Tmpfs';
}

/**
 * Everything a container wants mounted.
 *
 * @throws `invalid` in Docker's words for what cannot be, and for two mounts at one place.
 */
export function wantedMounts(hostConfig: Pick<HostConfig, 'Binds' | 'Mounts' | 'Tmpfs'>): WantedMount[] {
  const mounts = [
    ...(hostConfig.Binds ?? []).map(parseBind),
    ...hostConfig.Mounts.map(parseMount),
    ...Object.entries(hostConfig.Tmpfs).map(([path, options]) => parseTmpfs(path, options)),
  ];
  const taken = new Set<string>();
  for (const { destination } of mounts) {
    if (taken.has(destination)) throw invalid(`Duplicate mount point: ${destination}`);
    taken.add(destination);
  }
  return mounts;
}

/** `[source:]destination[:mode]`. @throws `invalid` in Docker's words. */
export function parseBind(spec: string): WantedMount {
  const fields = spec.split(':');
  const [first = '', second = '', third] = fields;
  const malformed = invalid(`invalid volume specification: '${spec}'`);
  if (first === '' || fields.length > 3) throw malformed;
  const bare = fields.length === 1;
  if (fields.length === 2 && parseMountMode(second) !== undefined) throw malformed;
  const mode = parseMountMode(third ?? '');
  if (mode === undefined) throw invalid(`invalid mode: ${third}`);
  const source = bare ? '' : first;
  const type = source.startsWith('/') ? 'bind' : 'volume';
  try {
    const destination = checkDestination(bare ? first : second);
    if (type === 'bind' && mode.noCopy) refuse('field VolumeOptions must not be specified');
    if (type === 'volume' && mode.propagation !== '') refuse('field BindOptions must not be specified');
    return { ...PLAIN, ...fromMode(mode), type, source: cleanSource(type, source), destination, mode: third ?? '' };
  } catch (error) {
    throw invalid(
      `invalid volume specification: '${spec}': invalid mount config for type "${type}": ${messageOf(error)}`,
    );
  }
}

const PLAIN = {
  nonRecursive: false,
  readOnlyBelow: 'where possible',
  createSource: true,
  subpath: '',
  options: [],
  from: 'Binds',
} as const;

function fromMode({ readOnly, label, propagation, noCopy }: MountMode) {
  return { readOnly, label, propagation, noCopy };
}

function cleanSource(type: WantedMount['type'], source: string): string {
  return type === 'bind' ? cleanPath(source) : source;
}

/** @throws `invalid` in Docker's words. */
export function parseMount(mount: MountPoint): WantedMount {
  try {
    const destination = checkDestination(mount.Target);
    const parse = MOUNT_TYPES.get(mount.Type) ?? refuse('mount type unknown');
    return parse(mount, destination);
  } catch (error) {
    throw invalid(`invalid mount config for type "${mount.Type}": ${messageOf(error)}`);
  }
}

const MOUNT_TYPES: ReadonlyMap<string, (mount: MountPoint, destination: string) => WantedMount> = new Map([
  ['bind', bindMount],
  ['volume', volumeMount],
  ['tmpfs', tmpfsMount],
  ['image', imageMount],
]);

const NO_MODE = { mode: '', label: '', noCopy: false, subpath: '', options: [], from: 'Mounts' } as const;

/** The groups of options, each for one type of mount. */
const OPTIONS = { bind: 'BindOptions', volume: 'VolumeOptions', tmpfs: 'TmpfsOptions', image: 'ImageOptions' } as const;

function refuseOptionsOfOthers(mount: MountPoint, type: keyof typeof OPTIONS): void {
  for (const field of Object.values(OPTIONS)) {
    if (field !== OPTIONS[type] && mount[field] !== null) refuse(`field ${field} must not be specified`);
  }
}

function bindMount(mount: MountPoint, destination: string): WantedMount {
  const { Source, BindOptions: options } = mount;
  if (Source === '') refuse('field Source must not be empty');
  const propagation = options?.Propagation ?? '';
  if (propagation !== '' && !PROPAGATIONS.includes(propagation)) refuse(`invalid propagation mode: ${propagation}`);
  refuseOptionsOfOthers(mount, 'bind');
  checkAbsolute(Source);
  return {
    ...NO_MODE,
    type: 'bind',
    source: cleanPath(Source),
    destination,
    readOnly: mount.ReadOnly,
    propagation,
    nonRecursive: options?.NonRecursive === true,
    readOnlyBelow: readOnlyBelow(mount, propagation),
    createSource: options?.CreateMountpoint === true,
  };
}

function readOnlyBelow(
  { BindOptions: options, ReadOnly }: MountPoint,
  propagation: string,
): WantedMount['readOnlyBelow'] {
  if (options === null) return 'where possible';
  const { NonRecursive, ReadOnlyNonRecursive: never, ReadOnlyForceRecursive: required } = options;
  if (never && !ReadOnly) refuse('mount must be readonly with ReadOnlyNonRecursive');
  if (required && !ReadOnly) refuse('mount must be readonly with ReadOnlyForceRecursive');
  if (required && NonRecursive) refuse('mount must be recursive with ReadOnlyForceRecursive');
  if (required && propagation !== 'rprivate' && propagation !== '') {
    refuse("mount with ReadOnlyForceRecursive must have propagation 'rprivate'");
  }
  if (required && never) refuse('ReadOnlyNonRecursive and ReadOnlyForceRecursive are mutually exclusive');
  if (required) return 'required';
  return never ? 'never' : 'where possible';
}

function volumeMount(mount: MountPoint, destination: string): WantedMount {
  refuseOptionsOfOthers(mount, 'volume');
  if (mount.Source === '' && mount.ReadOnly) refuse('must not set ReadOnly mode when using anonymous volumes');
  const asked = mount.VolumeOptions?.Subpath ?? '';
  if (mount.Source === '' && asked !== '') refuse('must not set Subpath when using anonymous volumes');
  return {
    ...NO_MODE,
    type: 'volume',
    source: mount.Source,
    destination,
    readOnly: mount.ReadOnly,
    propagation: '',
    nonRecursive: false,
    readOnlyBelow: 'where possible',
    createSource: false,
    noCopy: mount.VolumeOptions?.NoCopy === true,
    subpath: within(asked),
  };
}

function tmpfsMount(mount: MountPoint, destination: string): WantedMount {
  refuseOptionsOfOthers(mount, 'tmpfs');
  if (mount.Source !== '') refuse('field Source must not be specified');
  return { ...tmpfs(destination, tmpfsOptionsOf(mount)), readOnly: mount.ReadOnly, from: 'Mounts' };
}

function imageMount(mount: MountPoint, destination: string): WantedMount {
  refuseOptionsOfOthers(mount, 'image');
  if (mount.Source === '') refuse('field Source must not be empty');
  const subpath = within(mount.ImageOptions?.Subpath ?? '');
  return {
    ...NO_MODE,
    type: 'image',
    source: mount.Source,
    destination,
    readOnly: true,
    propagation: '',
    nonRecursive: false,
    readOnlyBelow: 'never',
    createSource: false,
    subpath,
  };
}

/** A path that stays where it is relative to, clean; empty for all that is there. */
function within(subpath: string): string {
  const clean = subpath === '' ? '' : cleanPath(subpath);
  if (clean.startsWith('/') || clean.split('/')[0] === '..')
    refuse('subpath must be a relative path within the volume');
  return clean === '.' ? '' : clean;
}

function parseTmpfs(path: string, options: string): WantedMount {
  return tmpfs(checkPlace(path), options);
}

function tmpfs(destination: string, asked: string): WantedMount {
  const options = tmpfsOptions(asked);
  return {
    ...NO_MODE,
    type: 'tmpfs',
    source: '',
    destination,
    readOnly: options.includes('ro'),
    propagation: '',
    nonRecursive: false,
    readOnlyBelow: 'never',
    createSource: false,
    options,
    from: 'Tmpfs',
  };
}

function checkDestination(path: string): string {
  if (path === '') refuse('field Target must not be empty');
  return checkPlace(path);
}

function checkPlace(path: string): string {
  if (cleanPath(path) === '/') refuse("invalid specification: destination can't be '/'");
  checkAbsolute(path);
  return cleanPath(path);
}

function checkAbsolute(path: string): void {
  if (!path.startsWith('/')) refuse(`invalid mount path: '${path}' mount path must be absolute`);
}

/** Without `.`, `..`, doubled and trailing slashes. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 ? clean.replace(/\/$/, '') : clean;
}

function refuse(why: string): never {
  throw invalid(why);
}
