import { readFile } from 'node:fs/promises';
import { invalid, messageOf } from '../../util/errors.ts';
import { ifExists } from '../../util/files.ts';
import { run } from '../../util/spawn.ts';
import { type IdMaps, subordinateIds } from './id-map.ts';

/** The user that is made for whoever asks for `default`. */
const DEFAULT_USER = 'dockremap';
const SIZE = 65_536;
const FIRST = 100_000;
const FILES = { subuid: '/etc/subuid', subgid: '/etc/subgid' } as const;

interface Owner {
  readonly name: string;
  readonly id: number;
}

/**
 * The maps that `--userns-remap` stands for: `default`, or a user, with or without `:group`, each by name or by number. For
 * `default` the user and its ranges are made when they are not there.
 *
 * @throws `invalid` in dockerd's words for who does not exist, or has no subordinate ids.
 */
export async function remapOf(wish: string): Promise<IdMaps> {
  const [userPart = '', groupPart, ...rest] = wish.split(':');
  if (rest.length > 0 || userPart === '' || groupPart === '') {
    throw invalid(`Invalid user/group specification in --userns-remap: "${wish}"`);
  }
  const user = userPart === 'default' ? await defaultUser() : await findUser(userPart);
  const group = await findGroup(groupPart ?? (isNumber(userPart) ? userPart : user.name));
  const [subuid, subgid] = await Promise.all([readOrEmpty(FILES.subuid), readOrEmpty(FILES.subgid)]);
  return {
    uid: subordinateIds(subuid, { ...user, kind: 'user' }),
    gid: subordinateIds(subgid, { ...group, kind: 'group' }),
  };
}

const isNumber = (text: string): boolean => /^\d+$/.test(text);

async function findUser(wanted: string): Promise<Owner> {
  const found = await entry('passwd', wanted);
  if (found !== undefined) return found;
  if (isNumber(wanted)) throw invalid(`Uid ${wanted} has no entry in /etc/passwd`);
  throw invalid(`Error during uid lookup for "${wanted}": no such user`);
}

async function findGroup(wanted: string): Promise<Owner> {
  const found = await entry('group', wanted);
  if (found !== undefined) return found;
  if (isNumber(wanted)) throw invalid(`Gid ${wanted} has no entry in /etc/group`);
  throw invalid(`Error during gid lookup for "${wanted}": no such group`);
}

/** From wherever the host has its users. */
async function entry(database: 'passwd' | 'group', key: string): Promise<Owner | undefined> {
  const { code, stdout } = await run('getent', [database, key], { allowFailure: true });
  const [name = '', , id] = stdout.split(':');
  return code === 0 && name !== '' ? { name, id: Number(id) } : undefined;
}

/** As Docker makes it: no home, no shell, and the first ids that nobody has. */
async function defaultUser(): Promise<Owner> {
  try {
    if ((await entry('passwd', DEFAULT_USER)) === undefined) {
      await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', DEFAULT_USER]);
    }
    await giveRange(FILES.subuid, '--add-subuids');
    await giveRange(FILES.subgid, '--add-subgids');
  } catch (error) {
    throw invalid(`Error during "${DEFAULT_USER}" user creation: ${messageOf(error)}`, error);
  }
  return findUser(DEFAULT_USER);
}

async function giveRange(file: string, option: string): Promise<void> {
  const lines = (await readOrEmpty(file)).split('\n').map((line) => line.split(':'));
  if (lines.some(([name]) => name === DEFAULT_USER)) return;
  const start = Math.max(FIRST, ...lines.map(([, first, count]) => Number(first) + Number(count) || 0));
  await run('usermod', [option, `${start}-${start + SIZE - 1}`, DEFAULT_USER]);
}

async function readOrEmpty(path: string): Promise<string> {
  return (await ifExists(() => readFile(path, 'utf8'))) ?? '';
}
