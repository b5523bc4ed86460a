import { posix, resolve } from 'node:path';

/** An argument of `cp`: a path in a container, or a local one. */
export interface CopyArgument {
  /** Empty: local. */
  readonly container: string;
  readonly path: string;
}

/** `CONTAINER:PATH` unless the path is absolute or begins with a dot. */
export function splitArgument(argument: string): CopyArgument {
  const colon = argument.indexOf(':');
  if (argument.startsWith('/') || colon < 0 || argument.startsWith('.')) return { container: '', path: argument };
  return { container: argument.slice(0, colon), path: argument.slice(colon + 1) };
}

export const endsInSlash = (path: string): boolean => path.endsWith('/');
export const endsInDot = (path: string): boolean => path === '' || posix.basename(path) === '.';

/** The path must mean a directory. */
export const meansDirectory = (path: string): boolean => endsInSlash(path) || endsInDot(path);

/** An absolute local path with the slash or dot at its end that the user wrote: they have a meaning. */
export function localPath(path: string): string {
  const whole = resolve(path);
  if (endsInDot(path)) return whole === '/' ? '/.' : `${whole}/.`;
  return endsInSlash(path) && whole !== '/' ? `${whole}/` : whole;
}

/** Directory and last part; a dot at the end is a part. */
export function splitLast(path: string): { dir: string; base: string } {
  const clean = posix.normalize(path).replace(/(.)\/$/, '$1');
  if (!endsInDot(path)) return { dir: posix.dirname(clean), base: posix.basename(clean) || '/' };
  return { dir: clean.replace(/\/\.$/, '') || '/', base: '.' };
}

/** What a link leads to, with the end of the path that named the link; `rename` is the name an archive must get then. */
export function followed(path: string, target: string): { path: string; rename: string } {
  const end = endsInDot(path) && !endsInDot(target) ? '/.' : endsInSlash(path) && !endsInSlash(target) ? '/' : '';
  const whole = target + end;
  const [asked, got] = [posix.basename(path), posix.basename(whole)];
  return { path: whole, rename: asked === got ? '' : asked };
}
