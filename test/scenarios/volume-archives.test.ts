import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../src/util/tar/tar-fixture.ts';
import { importBusybox } from '../support/both.ts';
import { PROGRAM, startGantry, type TestEngine } from '../support/gantry.ts';
import { type CommandOptions, command } from '../support/target.ts';

// Gantry's own: what is in a volume goes to an archive and back without a container.

describe('archives of volumes', () => {
  let gantry: TestEngine;
  let dir: string;
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'gantry-archives-'));
    gantry = await startGantry();
    await importBusybox(gantry);
  });
  after(async () => {
    await gantry[Symbol.asyncDispose]();
    rmSync(dir, { recursive: true });
  });

  const cli = (args: string[], options?: CommandOptions) =>
    command(process.execPath, [PROGRAM, '-H', `unix://${gantry.socket}`, ...args], options);

  async function ok(args: string[], options?: CommandOptions): Promise<string> {
    const { code, stdout, stderr } = await cli(args, options);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  }

  const inVolume = (volume: string, script: string) =>
    ok(['run', '--rm', '-v', `${volume}:/v`, 'busybox', 'sh', '-c', `cd /v; ${script}`]);

  /** All there is to a volume's files, but for when they were last changed otherwise than in content. */
  const inventory = (volume: string) =>
    inVolume(volume, 'find . | sort | xargs stat -c "%n %f %u %g %h %s %Y"; find . -type f | sort | xargs md5sum');

  test('bring a volume back as it was', async () => {
    await inVolume(
      'full',
      'mkdir -m 2750 d; echo a >d/f; ln d/f hard; ln -s d/f link; mkfifo p; truncate -s 5M hole; chown 11:22 d d/f; chmod 1703 .; touch -d "2001-02-03 04:05:06" d .',
    );
    const file = join(dir, 'full.tar');
    await ok(['volume', 'export', '-o', file, 'full']);
    assert.equal(await ok(['volume', 'import', '-i', file, 'copy']), 'copy');
    assert.equal(await inventory('copy'), await inventory('full'));
    const streamed = await command('sh', [
      '-c',
      `"$0" "$1" -H "$2" volume export full | gzip | "$0" "$1" -H "$2" volume import piped`,
      process.execPath,
      PROGRAM,
      `unix://${gantry.socket}`,
    ]);
    assert.equal(streamed.stdout.trim(), 'piped', streamed.stderr);
    assert.equal(await inventory('piped'), await inventory('full'));
    await ok(['volume', 'rm', 'full', 'copy', 'piped']);
  });

  test('are of what options mount, for as long as it takes', async () => {
    const opt = (text: string) => ['--opt', text];
    await ok(['volume', 'create', ...opt('type=none'), ...opt('o=bind'), ...opt(`device=${dir}`), 'bound']);
    writeFileSync(join(dir, 'mine'), 'kept');
    assert.match(await ok(['volume', 'export', 'bound']), /\.?\/?mine\0[\s\S]*kept/u);
    await ok(['volume', 'import', 'bound'], { input: archiveOf([{ name: 'made', data: 'x' }]) });
    assert.equal(readFileSync(join(dir, 'made'), 'utf8'), 'x');
    assert.doesNotMatch(readFileSync('/proc/self/mountinfo', 'utf8'), /volumes\/bound/u);
    await ok(['volume', 'rm', 'bound']);
  });

  test('never lead out of the volume, whatever is in them or in it', async () => {
    await inVolume('trap', `ln -s ${dir} out; ln -s / root`);
    const refused = async (input: Buffer) => {
      const { code, stderr } = await cli(['volume', 'import', 'trap'], { input });
      assert.notEqual(code, 0, stderr);
    };
    await refused(archiveOf([{ name: '../escaped', data: 'x' }]));
    await refused(Buffer.from('no archive at all'.repeat(100)));
    for (const name of ['out/escaped', `root${dir}/escaped`]) {
      await cli(['volume', 'import', 'trap'], { input: archiveOf([{ name, data: 'x' }]) });
    }
    assert.throws(() => readFileSync(join(dir, 'escaped')), { code: 'ENOENT' });
    assert.doesNotMatch(await ok(['volume', 'export', 'trap']), /kept/u, 'links are links');
    await ok(['volume', 'rm', 'trap']);
  });

  test('of a volume that there is not, and to a terminal or a directory', async () => {
    const api = async (method: string) => (await gantry.api(method, '/volumes/none/archive')).json();
    const missing = { message: 'get none: no such volume' };
    assert.deepEqual([await api('GET'), await api('PUT')], [missing, missing]);
    const failed = await cli(['volume', 'export', '-o', dir, 'none']);
    assert.match(failed.stderr, /failed to export volume: cannot write to a directory/u);
    const unread = await cli(['volume', 'import', '-i', join(dir, 'nowhere'), 'none']);
    assert.match(unread.stderr, /nowhere: no such file or directory/u);
    assert.equal((await gantry.api('GET', '/volumes/none')).status, 404);
  });
});
