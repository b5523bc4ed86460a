import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { PROGRAM, startGantry, type TestEngine } from '../support/gantry.ts';
import { command } from '../support/target.ts';

// cp, diff, export and commit of the own command line and of docker's, typed one beside the other at one engine.

const COMMANDS: readonly (readonly string[])[] = [
  ['cp', 'f', 'cc:/tmp'],
  ['cp', 'f', 'cc:/tmp/new'],
  ['cp', 'd', 'cc:/tmp'],
  ['cp', 'd/.', 'cc:/tmp/contents'],
  ['cp', 'link', 'cc:/tmp'],
  ['cp', '-L', 'link', 'cc:/tmp/followed'],
  ['cp', 'd', 'cc:/nope/x'],
  ['cp', 'd', 'cc:/etc/passwd'],
  ['cp', 'f', 'cc:/nope/'],
  ['cp', 'nope', 'cc:/tmp'],
  ['cp', 'cc:/nope', '.'],
  ['cp', 'cc:/tmp', 'f'],
  ['cp', 'cc:/tmp/f', 'nodir/x'],
  ['cp', 'cc:/tmp/f', '/dev/null'],
  ['cp', 'cc:/a', 'cc:/b'],
  ['cp', 'a', 'b'],
  ['cp', '', 'cc:/x'],
  ['cp', 'x', ''],
  ['cp', 'a'],
  ['cp', '-', 'cc:/tmp/f'],
  ['cp', '-a', '-q', 'f', 'cc:/tmp'],
  ['cp', 'cc:/tmp', 'out'],
  ['cp', 'cc:/tmp/.', 'contents'],
  ['cp', 'cc:/tmp/link', 'soft'],
  ['cp', '-L', 'cc:/tmp/followed', 'hard'],
  ['cp', 'nope:/x', '.'],
  ['cp', '--help'],
  ['diff', 'cc'],
  ['diff', 'nope'],
  ['diff', '--help'],
  ['export', '-o', 'export.tar', 'cc'],
  ['export', '-o', '/nodir/x', 'cc'],
  ['export', '-o', '/dev', 'cc'],
  ['export', 'nope'],
  ['export', '--help'],
  ['commit', 'nope'],
  ['commit', 'cc', 'UP'],
  ['commit', '-p=maybe', 'cc'],
  ['commit', '--help'],
];

describe('the command line about files', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await startGantry();
    await importBusybox(engine);
  });
  after(() => engine[Symbol.asyncDispose]());

  /** Everything the commands say and leave, typed by one of the two. */
  async function typed(program: readonly string[]): Promise<unknown[]> {
    const dir = await mkdtemp(join(tmpdir(), 'gantry-files-'));
    try {
      await mkdir(join(dir, 'd'));
      await writeFile(join(dir, 'd', 'inner'), 'inner');
      await writeFile(join(dir, 'f'), 'file');
      await symlink('f', join(dir, 'link'));
      await engine.docker(['rm', '-f', 'cc']);
      assert.equal((await engine.docker(['run', '-d', '--name', 'cc', 'busybox', 'sleep', '1000'])).code, 0);
      const said: unknown[] = [];
      for (const args of COMMANDS) {
        const words = [...program.slice(1), '-H', `unix://${engine.socket}`, ...args];
        const shell = ['-c', 'cd "$1"; shift; exec "$@"', 'sh', dir, program[0] ?? '', ...words];
        const { code, stdout, stderr } = await command('sh', shell, { input: '' });
        // docker's client may tell, too, that it stopped to read what it had begun to pack.
        const plain = (text: string): string =>
          text
            .replaceAll(dir, 'DIR')
            .replaceAll('docker', 'gantry')
            .replace(/^time=.*level=error.*\n/gm, '');
        said.push([args.join(' '), code, plain(stdout), plain(stderr)]);
      }
      for (const file of (await readdir(dir, { recursive: true })).toSorted()) said.push(file);
      for (const file of ['hard', 'out/f', 'contents/contents/inner']) {
        said.push([file, await readFile(join(dir, file), 'utf8')]);
      }
      return said;
    } finally {
      await rm(dir, { recursive: true });
    }
  }

  test('says and does what docker’s does', async () => {
    const docker = await typed(['docker']);
    assert.deepEqual(await typed([process.execPath, '--', PROGRAM]), docker);
    assert.ok(docker.filter((line) => Array.isArray(line) && line[1] === 0).length > 15);
  });

  test('an archive goes through pipes, and a commit gives an image', async () => {
    const own = (args: readonly string[], input: string | Buffer = '') =>
      command(process.execPath, ['--', PROGRAM, '-H', `unix://${engine.socket}`, ...args], { input });
    const script = '"$@" cp cc:/etc - | "$@" cp - cc:/tmp && "$@" export cc | tar -tf - tmp/etc/passwd';
    const program = [process.execPath, '--', PROGRAM, '-H', `unix://${engine.socket}`];
    const piped = await command('sh', ['-c', script, 'sh', ...program]);
    assert.deepEqual([piped.code, piped.stdout], [0, 'tmp/etc/passwd\n'], piped.stderr);
    const { code, stdout, stderr } = await own([
      'commit',
      '-m',
      'm',
      '-c',
      'CMD cat /tmp/etc/passwd',
      'cc',
      'made:own',
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^sha256:[0-9a-f]{64}\n$/);
    assert.match((await own(['run', '--rm', 'made:own'])).stdout, /^root:/);
  });
});
