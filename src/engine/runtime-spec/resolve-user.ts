import { invalid } from '../../util/errors.ts';
import { type GroupEntry, type PasswdEntry, parseGroup, parsePasswd } from './user-files.ts';

/** Who a process runs as. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, the primary one among them, as Docker hands them to the runtime. */
  readonly additionalGids: readonly number[];
  /** From passwd; empty when the user is not in it. */
  readonly home: string;
}

const MAX_ID = 2 ** 31 - 1;

/**
 * Finds a user in the passwd and group files of a container.
 *
 * `spec` is `""` (root), `user`, `user:group`, either part a name or a number; a name that looks like a number is looked
 * up as a name first. Without a group the one of passwd is taken together with every group that lists the user; with
 * one, only that. `groupAdd` names further groups.
 *
 * @throws `invalid` with Docker's words when a name is unknown or a number out of range.
 */
export async function resolveUser(
  spec: string,
  groupAdd: readonly string[],
  readFile: (path: string) => Promise<Buffer | undefined>,
): Promise<ResolvedUser> {
  const [passwd, group] = await Promise.all([readFile('/etc/passwd'), readFile('/etc/group')]);
  const groups = parseGroup(group?.toString() ?? '');
  const { user, ...ids } = identify(spec, parsePasswd(passwd?.toString() ?? ''), groups);
  const wantedGroup = spec.split(':')[1] ?? '';
  const listed = wantedGroup === '' ? groups.filter(({ members }) => members.includes(user)).map(({ gid }) => gid) : [];
  const added = groupAdd.map((name) => addedGroup(name, groups));
  return { ...ids, additionalGids: [...new Set([ids.gid, ...listed, ...added])] };
}

function identify(spec: string, passwd: readonly PasswdEntry[], groups: readonly GroupEntry[]) {
  const [wantedUser = '', wantedGroup = ''] = spec.split(':');
  const entry = findUser(wantedUser, passwd);
  const uid = entry?.uid ?? idOf(wantedUser || '0');
  if (uid === undefined) throw invalid(`unable to find user ${wantedUser}: no matching entries in passwd file`);
  return {
    user: entry?.name ?? '',
    uid: checkId(uid),
    gid: checkId(wantedGroup === '' ? (entry?.gid ?? 0) : groupId(wantedGroup, groups)),
    home: entry?.home ?? '',
  };
}

function findUser(wanted: string, passwd: readonly PasswdEntry[]): PasswdEntry | undefined {
  const uid = idOf(wanted || '0');
  const named = wanted === '' ? undefined : passwd.find(({ name }) => name === wanted);
  return named ?? passwd.find((entry) => entry.uid === uid);
}

function groupId(wanted: string, groups: readonly GroupEntry[]): number {
  const gid = groups.find(({ name }) => name === wanted)?.gid ?? idOf(wanted);
  if (gid === undefined) throw invalid(`unable to find group ${wanted}: no matching entries in group file`);
  return gid;
}

function addedGroup(wanted: string, groups: readonly GroupEntry[]): number {
  const gid = groups.find(({ name }) => name === wanted)?.gid ?? idOf(wanted);
  if (gid === undefined) throw invalid(`Unable to find group ${wanted}: no matching entries in group file`);
  return checkId(gid);
}

function idOf(text: string): number | undefined {
  return /^-?\d+$/.test(text) ? Number(text) : undefined;
}

function checkId(id: number): number {
  if (id < 0 || id > MAX_ID) throw invalid(`uids and gids must be in range 0-${MAX_ID}`);
  return id;
}
