import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { internal, invalid, messageOf } from '../util/errors.ts';
import { run } from '../util/spawn.ts';

/** What is mounted where, in the terms of mount(8). */
export interface DeviceMount {
  /** A file system's name; `none` for a bind. */
  readonly type: string;
  readonly device: string;
  /** Comma-separated: flags, and what the file system itself understands. */
  readonly options: string;
  readonly target: string;
}

/** File systems whose option `addr` must be an address, because no helper program resolves it. */
const OF_THE_NETWORK = new Set(['nfs', 'nfs4', 'cifs']);

/** What mount(8) says, and the error of mount(2) behind it, which is what Docker tells. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/unknown filesystem type/, 'no such device'],
  [/does not exist|No such file/, 'no such file or directory'],
  [/wrong fs type, bad option|Invalid argument/, 'invalid argument'],
  [/is not a block device/, 'block device required'],
  [/permission denied/i, 'permission denied'],
  [/already mounted or mount point busy/, 'device or resource busy'],
  [/[Cc]onnection refused/, 'connection refused'],
];

/** Mounts a device, without the helper programs of its file system. @throws `internal`, `invalid` in Docker's words. */
export async function mountDevice({ type, device, options, target }: DeviceMount): Promise<void> {
  const resolved = OF_THE_NETWORK.has(type) ? await withAddress(options) : options;
  const given = resolved === '' ? [] : ['-o', resolved];
  try {
    // Its words are read below.
    const env = { ...process.env, LC_ALL: 'C' };
    await run('mount', ['-i', '-t', type === '' ? 'none' : type, ...given, '--', device, target], { env });
  } catch (error) {
    const said = withoutPassword(messageOf(error));
    const reason = REASONS.find(([pattern]) => pattern.test(said))?.[1] ?? said;
    const data = resolved === '' ? '' : `, data: ${withoutPassword(resolved)}`;
    throw internal(`failed to mount local volume: mount ${device}:${target}${data}: ${reason}`);
  }
}

/** Takes the topmost mount off; who is in it keeps it until they leave. */
export async function unmountDevice(target: string): Promise<void> {
  await run('umount', ['--', target]);
}

const withoutPassword = (text: string): string => text.replaceAll(/\bpassword=[^,\s]*/g, 'password=********');

async function withAddress(options: string): Promise<string> {
  const parts = options.split(',');
  const at = parts.findIndex((part) => part.startsWith('addr='));
  const name = parts[at]?.slice('addr='.length) ?? '';
  if (at < 0 || isIP(name) !== 0) return options;
  try {
    const { address } = await lookup(name);
    return parts.with(at, `addr=${address}`).join(',');
  } catch (error) {
    throw invalid(`error resolving passed in network volume address: lookup ${name}: no such host`, error);
  }
}
