import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import * as v from 'valibot';
import { ContainerConfigSchema } from '../../spec/container.ts';
import { mediaTypes } from '../../spec/manifest.ts';
import { digestOf } from '../../util/digest.ts';
import { hasCode, unavailable } from '../../util/errors.ts';
import { run } from '../../util/spawn.ts';
import { padding } from '../../util/tar/header.ts';
import { TAR_END } from '../../util/tar/tar-writer.ts';
import { BUILTIN_BUSYBOX } from './builtin-name.ts';
import type { Collection } from './collection.ts';
import { hostPlatform } from './host-platform.ts';
import { makeImage } from './import.ts';
import { type PlainMember, plainHeader } from './plain-header.ts';

/** Label of the image that tells which busybox it was made of. */
const MADE_OF = 'org.gantry.busybox';
/** The same busybox must give the same image, so it has no time of its own. */
const CREATED = '1970-01-01T00:00:00Z';
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const DIRECTORIES: readonly [name: string, mode: number][] = [
  ['bin', 0o755],
  ['dev', 0o755],
  ['etc', 0o755],
  ['home', 0o755],
  ['proc', 0o755],
  ['root', 0o700],
  ['run', 0o755],
  ['sbin', 0o755],
  ['sys', 0o755],
  ['tmp', 0o1777],
  ['usr', 0o755],
  ['usr/bin', 0o755],
  ['usr/sbin', 0o755],
  ['var', 0o755],
  ['var/log', 0o755],
  ['var/tmp', 0o1777],
];

const FILES: Readonly<Record<string, string>> = {
  'etc/group': 'root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nmail:x:8:\nwww-data:x:33:\nusers:x:100:\nnobody:x:65534:\n',
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\n' +
    'www-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
  'etc/shadow': 'root:*:::::::\nnobody:*:::::::\n',
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

/** Makes `builtin/busybox` of the host's busybox, unless it is there and made of the same one. */
export async function ensureBusybox(collection: Collection, path: string): Promise<void> {
  const binary = await readBusybox(path);
  const madeOf = digestOf(binary);
  const tag = { name: BUILTIN_BUSYBOX, tag: 'latest' };
  const current = collection.catalogue.lookup(tag);
  const image = current === undefined ? undefined : collection.catalogue.byId(current);
  if (image?.config.config.Labels[MADE_OF] === madeOf) return;
  await using lease = collection.store.lease();
  const archive = busyboxArchive(binary, await appletsOf(path));
  const { digest } = await lease.put(archive, mediaTypes.ociLayer);
  const config = {
    ...v.parse(ContainerConfigSchema, {}),
    Cmd: ['sh'],
    Env: [`PATH=${PATH}`],
    Labels: { [MADE_OF]: madeOf },
  };
  const made = await makeImage(collection.store.content, lease, digest, {
    config,
    platform: hostPlatform(),
    created: CREATED,
    comment: '',
    createdBy: 'gantry: assembled from the busybox of the host',
  });
  await collection.add(lease, [{ image: made, manifestMade: true, tags: [tag] }]);
}

async function readBusybox(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
    throw unavailable(`builtin/busybox needs ${path}: install the Debian package busybox-static`, error);
  }
}

/** Names of its applets, sorted. */
async function appletsOf(path: string): Promise<string[]> {
  const { stdout } = await run(path, ['--list-full']);
  const names = stdout.split('\n').map((line) => posix.basename(line.trim()));
  return [...new Set(names)].filter((name) => /^[\w[.+-]+$/.test(name) && name !== 'busybox').toSorted();
}

/** A root file system with every applet as a hard link in /bin; the same input gives the same bytes. */
export function busyboxArchive(binary: Buffer, applets: readonly string[]): Buffer {
  const pieces: Buffer[] = [];
  const add = (member: PlainMember, body: Buffer = Buffer.alloc(0)): void => {
    pieces.push(plainHeader({ ...member, size: body.length }), body, Buffer.alloc(padding(body.length)));
  };
  for (const [name, mode] of DIRECTORIES) add({ name: `${name}/`, type: 'directory', mode });
  add({ name: 'bin/busybox', type: 'file', mode: 0o755 }, binary);
  for (const applet of applets) add({ name: `bin/${applet}`, type: 'link', mode: 0o755, target: 'bin/busybox' });
  add({ name: 'usr/bin/env', type: 'symlink', mode: 0o777, target: '../../bin/env' });
  for (const [name, content] of Object.entries(FILES)) {
    add({ name, type: 'file', mode: name === 'etc/shadow' ? 0o640 : 0o644 }, Buffer.from(content));
  }
  return Buffer.concat([...pieces, TAR_END]);
}
