import { posix } from 'node:path';

/** A path in a container as clients give it: from the root whatever they write, with the end that they wrote. */
export function containerPath(path: string): string {
  const clean = posix.normalize(`/${path}`).replace(/(.)\/$/, '$1');
  const end = /(?:^|\/)\.$/.test(path) ? '/.' : path.endsWith('/') ? '/' : '';
  return clean === '/' ? (end === '/.' ? '/.' : '/') : clean + end;
}

/** The name by which an archive of that path begins, and which is told of it: `/` for the root, `.` after `/.`. */
export function nameOfPath(path: string): string {
  const whole = containerPath(path);
  if (whole === '/') return '/';
  return whole.endsWith('/.') ? '.' : posix.basename(whole);
}

/** How a file below that path is called in its archive. */
export function archiveName(base: string, below: string): string {
  if (base === '/') return `/${below}`;
  if (below === '') return base === '.' ? './' : base;
  return `${base}/${below}`;
}
