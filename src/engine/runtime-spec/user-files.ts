/** A line of passwd(5). */
export interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** A line of group(5). */
export interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** The well-formed lines of a passwd file. */
export function parsePasswd(content: string): PasswdEntry[] {
  return records(content).flatMap(([name = '', , uid, gid, , home = '']) => {
    const ids = [number(uid), number(gid)];
    const [user, group] = ids;
    return user === undefined || group === undefined ? [] : [{ name, uid: user, gid: group, home }];
  });
}

/** The well-formed lines of a group file. */
export function parseGroup(content: string): GroupEntry[] {
  return records(content).flatMap(([name = '', , id, members = '']) => {
    const gid = number(id);
    return gid === undefined ? [] : [{ name, gid, members: members.split(',').filter((one) => one !== '') }];
  });
}

function records(content: string): string[][] {
  const lines = content.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => line.split(':'));
}

function number(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
