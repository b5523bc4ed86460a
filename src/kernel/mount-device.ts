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

/** File systems whose server must be given by its address, because no helper program resolves it. */
const OF_THE_NETWORK = new Set(['nfs', 'nfs4', 'cifs']);

/** `//host/share`; a host of IPv6 in brackets is an address. */
const CIFS_DEVICE = /^\/\/([^/[\]:]+)(\/.*)?$/su;

const NO_SUCH_DEVICE = 'no such device';

/** What mount(8) says, and the error of mount(2) behind it, which is what Docker tells. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [/unknown filesystem type/, NO_SUCH_DEVICE],
  [/does not exist|No such file/, 'no such file or directory'],
  [/wrong fs type, bad option|Invalid argument/, 'invalid argument'],
  [/is not a block device/, 'block device required'],
  [/permission denied/i, 'permission denied'],
  [/already mounted or mount point busy/, 'device or resource busy'],
  [/[Cc]onnection refused/, 'connection refused'],
];

/** Mounts a device, without the helper programs of its file system. @throws `internal`, `invalid` in Docker's words. */
export async function mountDevice(asked: DeviceMount): Promise<void> {
  const { type, target } = asked;
  const { device, options } = await withAddresses(asked);
  const given = options === '' ? [] : ['-o', options];
  try {
    // Its words are read below.
    const env = { ...process.env, LC_ALL: 'C' };
    await run('mount', ['-i', '-t', type === '' ? 'none' : type, ...given, '--', device, target], { env });
  } catch (error) {
    const said = withoutPassword(messageOf(error));
    const reason = REASONS.find(([pattern]) => pattern.test(said))?.[1] ?? said;
    const data = options === '' ? '' : `, data: ${withoutPassword(options)}`;
    const lack = reason === NO_SUCH_DEVICE ? ` (the kernel of this host has no file system "${type}")` : '';
    throw internal(`failed to mount local volume: mount ${device}:${target}${data}: ${reason}${lack}`);
  }
}

const withoutPassword = (text: string): string => text.replaceAll(/\bpassword=[^,\s]*/g, 'password=********');

/** As Docker does it: the address in the options, or for CIFS the host in the device's name. */
async function withAddresses({ type, device, options }: DeviceMount): Promise<{ device: string; options: string }> {
  if (!OF_THE_NETWORK.has(type)) return { device, options };
  const parts = options.split(',');
  const at = parts.findIndex((part) => part.startsWith('addr='));
  const given = parts[at]?.slice('addr='.length) ?? '';
  if (given !== '') return { device, options: parts.with(at, `addr=${await addressOf(given)}`).join(',') };
  const [, host = '', share = ''] = (type === 'cifs' && CIFS_DEVICE.exec(device)) || [];
  return { device: host === '' ? device : `//${await addressOf(host)}${share}`, options };
}

async function addressOf(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw invalid(`error resolving passed in network volume address: lookup ${host}: no such host`, error);
  }
}
