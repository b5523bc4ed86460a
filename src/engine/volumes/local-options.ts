import { invalid, unsupported } from '../../util/errors.ts';

/** What the driver `local` was told of a volume. */
export type LocalOptions = Readonly<Record<string, string>>;

const KNOWN = new Set(['type', 'o', 'device', 'size']);
const NEEDS_DEVICE = ['type', 'o'] as const;
const SIZE = /^\d+(?:\.\d+)? ?(?:[kKmMgGtTpP](?:[iI]?[bB])?|[bB])?$/;

/** Checks the options of a new volume. @throws `invalid`, `unsupported` in Docker's words. */
export function checkLocalOptions(name: string, options: LocalOptions): void {
  const fail = (why: string) => invalid(`create ${name}: ${why}`);
  const unknown = Object.keys(options).find((option) => !KNOWN.has(option));
  if (unknown !== undefined) throw fail(`invalid option: "${unknown}"`);
  const { size, device, type } = options;
  if (size !== undefined && !SIZE.test(size)) throw fail(`invalid size: '${size}'`);
  // A size takes project quotas, which the file systems of the usual hosts do not have switched on.
  if (size !== undefined) throw unsupported(`create ${name}: quota size requested but no quota support`);
  if (device === undefined && NEEDS_DEVICE.some((option) => options[option] !== undefined))
    throw fail('missing required option: "device"');
  if (device !== undefined && type === undefined) throw fail('missing required option: "type"');
}

/** Whether there is something to mount. */
export const isMounted = (options: LocalOptions | null): options is LocalOptions => (options?.['device'] ?? '') !== '';
