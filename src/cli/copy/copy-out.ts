import { posix } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { PathStatMessage } from '../../client/types.ts';
import type { CommandContext } from '../command.ts';
import { type CopyArgument, followed, localPath, splitLast } from './copy-paths.ts';
import { copyDone, counted } from './counted.ts';
import { unpackLocal } from './local-archive.ts';
import { checkOutput, localTarget } from './local-paths.ts';
import { planCopy } from './plan-copy.ts';
import { renameMembers } from './rename-members.ts';

/** Go's bit for a symbolic link and for a directory. */
export const LINK = 2 ** 27;
export const DIRECTORY = 2 ** 31;

export const isDirectory = ({ mode }: PathStatMessage): boolean => mode >= DIRECTORY;
export const isLink = ({ mode }: PathStatMessage): boolean => Math.floor(mode / LINK) % 2 === 1;

export interface CopyFlags {
  readonly archive: boolean;
  readonly follow: boolean;
  readonly quiet: boolean;
}

/** Copies from a container to here; `-` is the archive itself on standard output. */
export async function copyOut(
  context: CommandContext,
  from: CopyArgument,
  to: string,
  flags: CopyFlags,
): Promise<void> {
  const target = to === '-' ? to : localPath(to);
  if (to !== '-') checkOutput(target);
  const source = flags.follow ? await throughLink(context, from) : { path: from.path, rename: '' };
  const { stat, body } = await context.client.containers.getArchive(from.container, source.path);
  if (to === '-') return pipeline(body, context.stdout, { end: false });
  const info = { ...source, isDirectory: isDirectory(stat) };
  const plan = planCopy(info, localTarget(target));
  const count = counted(body);
  const first = source.rename === '' ? undefined : { from: splitLast(source.path).base, to: source.rename };
  const named = first === undefined ? count.stream : renameMembers(count.stream, first);
  await unpackLocal(plan.rename === undefined ? named : renameMembers(named, plan.rename), plan.directory);
  copyDone(context, flags, count.bytes(), target);
}

/** The path a link in the container leads to; the archive keeps the link's name. */
async function throughLink({ client }: CommandContext, { container, path }: CopyArgument) {
  const stat = await client.containers.statArchive(container, path).catch(() => undefined);
  if (stat === undefined || !isLink(stat)) return { path, rename: '' };
  return followed(path, absolute(path, stat.linkTarget));
}

/** A link's target, seen from where the link is. */
export function absolute(link: string, target: string): string {
  return target.startsWith('/') ? target : posix.join(splitLast(link).dir, target);
}
