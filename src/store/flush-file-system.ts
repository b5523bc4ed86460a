import { run } from '../util/spawn.ts';

/**
 * Brings everything written so far on the file system of `path` to the disk (syncfs(2), which Node has not): for
 * thousands of small files one flush costs far less than one for each. Begun while files are still being written it would
 * slow them down more than it saves in the end, so it is done once.
 *
 * @throws when the disk failed.
 */
export async function flushFileSystem(path: string): Promise<void> {
  await run('sync', ['--file-system', path]);
}
