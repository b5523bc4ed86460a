import { readFileSync, realpathSync } from 'node:fs';
import { unescapePath } from '../mount-points.ts';

/** How mounts made below a mount point travel to other mount namespaces. Source: mount_namespaces(7). */
export interface Propagation {
  readonly mountPoint: string;
  readonly shared: boolean;
  readonly slave: boolean;
}

/** The propagation of the mount that a host path lies on. @throws when the path does not exist. */
export function propagationAt(path: string): Propagation {
  return propagationIn(readFileSync('/proc/self/mountinfo', 'utf8'), realpathSync(path));
}

/** Of mounts stacked on one point the last one counts. */
export function propagationIn(mountinfo: string, path: string): Propagation {
  let best = { mountPoint: '/', tags: [] as readonly string[] };
  for (const line of mountinfo.split('\n')) {
    const mount = parseMountLine(line);
    if (mount === undefined || !isBelow(path, mount.mountPoint)) continue;
    if (mount.mountPoint.length >= best.mountPoint.length) best = mount;
  }
  const has = (tag: string): boolean => best.tags.some((one) => one.startsWith(tag));
  return { mountPoint: best.mountPoint, shared: has('shared:'), slave: has('master:') };
}

function isBelow(path: string, point: string): boolean {
  return point === '/' || path === point || path.startsWith(`${point}/`);
}

/** Mount point and propagation tags of a line; undefined for an empty one. Source: proc(5), mountinfo. */
function parseMountLine(line: string): { mountPoint: string; tags: readonly string[] } | undefined {
  const fields = line.split(' ');
  const end = fields.indexOf('-');
  const point = fields[4];
  if (point === undefined || end < 0) return undefined;
  return { mountPoint: unescapePath(point), tags: fields.slice(6, end) };
}
