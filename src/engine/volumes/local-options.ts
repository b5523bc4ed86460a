import { invalid } from '../../util/errors.ts';

/** What the driver `local` was told of a volume. */
export type LocalOptions = Readonly<Record<string, string>>;

const KNOWN = new Set(['type', 'o', 'device', 'size']);
const NEEDS_DEVICE = ['type', 'o'] as const;
const SIZE = /^(\d+(?:\.\d+)*) ?[kKmMgGtTpP]?[iI]?[bB]?$/;
const CIFS_PORT = /^\/\/[^/]*:\d+(?:\/|$)/;

/** Checks the options of a new volume. @throws `invalid` in Docker's words. */
export function checkLocalOptions(name: string, options: LocalOptions): void {
  const fail = (why: string) => invalid(`create ${name}: ${why}`);
  const unknown = Object.keys(options).find((option) => !KNOWN.has(option));
  if (unknown !== undefined) throw fail(`invalid option: "${unknown}"`);
  const { size, device, type } = options;
  if (type === 'cifs' && device !== undefined && CIFS_PORT.test(device))
    throw fail("port not allowed in CIFS device URL, include 'port' in 'o='");
  if (size !== undefined) checkSize(size, fail);
  if (device === undefined && NEEDS_DEVICE.some((option) => options[option] !== undefined))
    throw fail('missing required option: "device"');
  if (device !== undefined && type === undefined) throw fail('missing required option: "type"');
}

/** A quota takes a kernel and a file system with project quotas, which no host so far had switched on. That of a tmpfs is one of its `o`. */
function checkSize(size: string, fail: (why: string) => Error): void {
  const count = SIZE.exec(size)?.[1];
  if (count === undefined) throw fail(`invalid size: '${size}'`);
  if (Number.parseFloat(count) > 0) throw fail('quota size requested but no quota support');
}

/** Whether there is something to mount. */
export const isMounted = (options: LocalOptions | null): options is LocalOptions => (options?.['device'] ?? '') !== '';
