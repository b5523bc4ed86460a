import { Readable } from 'node:stream';
import type { PathStatMessage } from '../../client/types.ts';
import { type CommandContext, ExitError } from '../command.ts';
import { absolute, type CopyFlags, isDirectory, isLink } from './copy-out.ts';
import { type CopyArgument, localPath } from './copy-paths.ts';
import { copyDone, counted } from './counted.ts';
import { packLocal } from './local-archive.ts';
import { localSource } from './local-paths.ts';
import { type CopyTarget, planCopy } from './plan-copy.ts';
import { renameMembers } from './rename-members.ts';

/** Copies into a container; `-` is an archive from standard input. */
export async function copyIn(context: CommandContext, from: string, to: CopyArgument, flags: CopyFlags): Promise<void> {
  const target = await containerTarget(context, to);
  const put = { noOverwriteDirNonDir: true, copyUIDGID: flags.archive };
  const { containers } = context.client;
  if (from === '-') {
    if (!target.isDirectory) throw new ExitError(1, `destination "${to.container}:${to.path}" must be a directory`);
    return containers.putArchive(to.container, target.path, context.stdin, put);
  }
  const source = localSource(localPath(from), flags.follow);
  const plan = planCopy(source, target);
  const packed = packLocal(source.path);
  const own = source.rename === '' ? packed : renameMembers(packed, { from: lastName(source.path), to: source.rename });
  const count = counted(plan.rename === undefined ? own : renameMembers(own, plan.rename));
  const body = Readable.from(count.stream, { objectMode: false });
  await containers.putArchive(to.container, plan.directory, body, put);
  copyDone(context, flags, count.bytes(), `${to.container}:${target.path}`);
}

const lastName = (path: string): string => path.replace(/\/+$/, '').split('/').at(-1) ?? '';

/** What is there. An error counts as nothing there: what follows tells it better. */
async function containerTarget({ client }: CommandContext, { container, path }: CopyArgument): Promise<CopyTarget> {
  const look = (at: string): Promise<PathStatMessage | undefined> =>
    client.containers.statArchive(container, at).catch(() => undefined);
  const stat = await look(path);
  if (stat === undefined || !isLink(stat)) return toTarget(path, stat);
  const end = absolute(path, stat.linkTarget);
  return toTarget(end, await look(end));
}

function toTarget(path: string, stat: PathStatMessage | undefined): CopyTarget {
  return { path, exists: stat !== undefined, isDirectory: stat !== undefined && isDirectory(stat) };
}
