import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../util/errors.ts';

/** A device node of the host. `mode` holds permission bits only. */
export interface HostDevice {
  readonly path: string;
  readonly type: 'c' | 'b';
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What is found at a path: one device, or those below a directory. */
export type DeviceLookup =
  | { readonly kind: 'device'; readonly device: HostDevice }
  | { readonly kind: 'directory'; readonly devices: readonly HostDevice[] }
  | { readonly kind: 'other' }
  | { readonly kind: 'missing' };

/** Below /dev, but not devices of the host: file systems and files that every container gets its own of. */
const NOT_DEVICES = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev', 'console']);

/** Looks for devices at a path of the host, following a symbolic link at the path itself. */
export function lookupDevices(path: string): DeviceLookup {
  // Resolved it would be the engine's own directory.
  if (!path.startsWith('/')) return { kind: 'missing' };
  const real = ifThere(() => realpathSync(path));
  const stats = real === undefined ? undefined : ifThere(() => statSync(real));
  // A link that leads nowhere is there, and no device.
  if (real === undefined || stats === undefined) {
    return { kind: ifThere(() => lstatSync(path)) === undefined ? 'missing' : 'other' };
  }
  if (stats.isDirectory()) return { kind: 'directory', devices: devicesBelow(path) };
  const device = toDevice(path, stats);
  return device === undefined ? { kind: 'other' } : { kind: 'device', device };
}

function devicesBelow(dir: string): HostDevice[] {
  const found: HostDevice[] = [];
  for (const name of readdirSync(dir).sort()) {
    if (NOT_DEVICES.has(name)) continue;
    const path = join(dir, name);
    const stats = ifThere(() => lstatSync(path));
    if (stats?.isDirectory() === true) found.push(...devicesBelow(path));
    const device = stats === undefined ? undefined : toDevice(path, stats);
    if (device !== undefined) found.push(device);
  }
  return found;
}

function toDevice(path: string, stats: Stats): HostDevice | undefined {
  if (!stats.isCharacterDevice() && !stats.isBlockDevice()) return undefined;
  return {
    path,
    type: stats.isBlockDevice() ? 'b' : 'c',
    ...deviceNumber(stats.rdev),
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    gid: stats.gid,
  };
}

/** Splits a device number as glibc packs it: 12 bits of major and 20 of minor, interleaved. Source: makedev(3). */
export function deviceNumber(rdev: number): { major: number; minor: number } {
  const dev = BigInt(rdev);
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn & 0xffffffffn);
  return { major: Number(major), minor: Number(minor) };
}

/** A device may be unplugged between being listed and being looked at. */
function ifThere<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ENXIO', 'EACCES')) return undefined;
    throw error;
  }
}
