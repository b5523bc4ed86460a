import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { DaemonError } from '../../client/daemon-error.ts';
import { invalid } from '../../util/errors.ts';
import type { CommandContext } from '../command.ts';
import type { ParsedFlags } from '../flags/parse-flags.ts';
import type { ContainerBody } from './container-body.ts';
import { openError } from './env-files.ts';
import { parseReference } from './image-reference.ts';
import { notLocal, pullImage } from './pull-image.ts';

/** Creates a container from the flags of `run` or `create`, pulling its image when needed. */
export async function createContainer(
  context: CommandContext,
  flags: ParsedFlags,
  body: ContainerBody,
): Promise<string> {
  const policy = pullPolicy(flags);
  const isId = /^(sha256:)?[a-f0-9]{64}$/.test(body.Image);
  if (!isId) parseReference(body.Image);
  using file = openIdFile(flags.text('cidfile'));
  const platform = flags.text('platform') || (context.env['DOCKER_DEFAULT_PLATFORM'] ?? '');
  const pull = () => pullImage(context, body.Image, { platform, quiet: flags.bool('quiet') });
  const create = () => context.client.containers.create({ name: flags.text('name'), platform }, body);
  if (policy === 'always') await pull();
  const created = await create().catch(async (error: unknown) => {
    if (policy !== 'missing' || !isMissingImage(error)) throw error;
    if (!flags.bool('quiet')) context.err(notLocal(body.Image));
    await pull();
    return create();
  });
  for (const warning of created.Warnings ?? []) context.err(`WARNING: ${warning}\n`);
  file.keep(created.Id);
  return created.Id;
}

function isMissingImage(error: unknown): boolean {
  return error instanceof DaemonError && error.status === 404 && /no such image/i.test(error.detail);
}

function pullPolicy(flags: ParsedFlags): 'always' | 'missing' | 'never' {
  const policy = flags.given('pull') ? flags.text('pull') : 'missing';
  if (policy === 'always' || policy === 'missing' || policy === 'never') return policy;
  if (policy === '') return 'missing';
  throw invalid(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`);
}

/** Reserves `--cidfile` before anything is created; without an id it vanishes again. */
function openIdFile(path: string): Disposable & { keep(id: string): void } {
  if (path === '') return { keep: () => {}, [Symbol.dispose]: () => {} };
  let fd: number;
  try {
    fd = openSync(path, 'wx', 0o644);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') {
      throw invalid(`container ID file found, make sure the other container isn't running or delete ${path}`);
    }
    throw invalid(`failed to create the container ID file: ${openError(path, error).message}`);
  }
  let written = false;
  return {
    keep: (id) => {
      writeSync(fd, id);
      written = true;
    },
    [Symbol.dispose]: () => {
      closeSync(fd);
      if (!written) rmSync(path, { force: true });
    },
  };
}
