import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { archiveOf, entryOf, inPieces, type Member, snapshot } from '../../util/tar/tar-fixture.ts';
import { TarReader } from '../../util/tar/tar-reader.ts';
import { openExtraction } from './extraction.ts';

const needsRoot = process.getuid?.() === 0 ? {} : { skip: 'needs root to change the root' };
const { signal } = new AbortController();

describe('an extraction', { ...needsRoot, timeout: 120_000 }, () => {
  let dir: string;
  let root: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'gantry-extraction-'));
    root = join(dir, 'root');
    await mkdir(root);
  });
  after(() => rm(dir, { recursive: true }));

  async function extract(
    archive: Uint8Array,
    { into = '/', keepKinds = false, pieces = 65_536, at = root } = {},
  ): Promise<string> {
    await using target = await openExtraction({ kind: 'tree', root: at }, into, keepKinds, signal);
    const reader = new TarReader(inPieces(archive, pieces));
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      await target.add(entry);
      for (let part = await reader.data(); part !== undefined; part = await reader.data()) await target.data(part);
    }
    await target.finish();
    return target.path;
  }
  const members = (...list: Member[]): Buffer => archiveOf(list);
  const text = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');

  /** All that is kept of a tree but its contents; not of the outermost directory, which was there before. */
  const facts = (tree: string): string[] => {
    const listed = execFileSync('tar', ['-tvf', '-', '--numeric-owner', '--full-time'], { input: snapshot(tree) });
    return listed.toString().replace(/ +/g, ' ').split('\n').slice(1);
  };

  test('makes of an archive what it was made of', async () => {
    const from = join(dir, 'from');
    const script = `mkdir -p "$0/d/e"; cd "$0"; echo hi >f; chown 9:10 f; chmod 6755 f; ln f d/same; ln -s ../f d/l; mkfifo d/p
      mknod d/c c 5 1; mknod b b 300 70000; chmod 1777 d; chown 5:6 d/l; echo x >"$(printf 'odd\\377\\nname')"
      truncate -s 5M d/e/holes; printf begin | dd of=d/e/holes conv=notrunc status=none; printf end >>d/e/holes
      truncate -s 3M d/hole; head -c 3000001 /dev/urandom >large; head -c 524288 /dev/urandom >d/limit
      touch -d '1969-12-31 23:59:58.25 UTC' large d`;
    execFileSync('bash', ['-ec', script, from]);
    const archive = execFileSync(
      'tar',
      ['-C', from, '--format=posix', '--sparse', '--xattrs', '--xattrs-include=*', '-cf', '-', '.'],
      { maxBuffer: 1 << 26 },
    );
    for (const pieces of [700, 65_536, 10_000_000]) {
      await mkdir(join(root, `${pieces}`));
      await extract(archive, { into: `/${pieces}`, pieces });
      assert.deepEqual(facts(join(root, `${pieces}`)), facts(from));
      execFileSync('diff', ['-r', '--no-dereference', from, join(root, `${pieces}`), '-x', 'p', '-x', 'c', '-x', 'b']);
      const blocks = execFileSync('stat', [
        '-c',
        '%b',
        join(root, `${pieces}`, 'd/e/holes'),
        join(root, `${pieces}`, 'd/hole'),
      ]);
      assert.ok(
        blocks
          .toString()
          .split('\n')
          .every((count) => Number(count) < 100),
        `holes stay: ${blocks.toString()}`,
      );
    }
  });

  test('takes as many holes as an archive may have', async () => {
    const segments = Array.from({ length: 65_000 }, (_, i) => ({ offset: i * 16, length: 4 }));
    const entry = { ...entryOf({ name: 'many', size: 260_000 }), sparse: { realSize: 1 << 20, segments } };
    await using target = await openExtraction({ kind: 'tree', root }, '/', false, signal);
    await target.add(entry);
    await target.data(Buffer.alloc(260_000, 'abcd'));
    await target.finish();
    const got = readFileSync(join(root, 'many'));
    assert.equal(got.length, 1 << 20);
    assert.ok(got.subarray(0, 1_040_000).equals(Buffer.alloc(1_040_000, 'abcd\0\0\0\0\0\0\0\0\0\0\0\0')));
  });

  test('stays inside, whatever the names', async () => {
    const outside = join(dir, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret'), 'secret');
    await symlink(outside, join(root, 'absolute'));
    await symlink(`../../../../../../..${outside}`, join(root, 'relative'));
    const large = Buffer.alloc(600_000, 'x');
    for (const data of ['small', large]) {
      for (const name of [
        'absolute/planted',
        'relative/planted',
        `../../../../..${outside}/planted`,
        `${outside}/secret`,
      ]) {
        await extract(members({ name, data }));
      }
      await extract(members({ name: 'l', type: 'symlink', linkName: join(outside, 'secret') }, { name: 'l', data }));
      const through = [{ name: 'd', type: 'symlink', linkName: outside } as const, { name: 'd/planted', data }];
      await extract(members(...through));
    }
    const links = ['h', 'absolute/h'].map((name) => members({ name, type: 'link', linkName: join(outside, 'secret') }));
    for (const archive of links) await extract(archive).catch((error: Error) => assert.match(error.message, /^link /));
    assert.deepEqual(readdirSync(outside), ['secret']);
    assert.equal(readFileSync(join(outside, 'secret'), 'utf8'), 'secret');
    assert.ok(existsSync(join(root, outside, 'planted')), 'a link leads from the root');
  });

  test('replaces what is there, or refuses to', async () => {
    await extract(members({ name: 'k/d/x', data: 'x' }, { name: 'k/f', data: 'f' }));
    const swap = (one: Member) => extract(members(one), { into: '/k', keepKinds: true });
    await assert.rejects(swap({ name: 'd', data: 'f' }), {
      message: 'cannot overwrite directory "/k/d" with non-directory "/k"',
    });
    await assert.rejects(swap({ name: 'f', type: 'directory' }), {
      message: 'cannot overwrite non-directory "/k/f" with directory "/k"',
    });
    await extract(members({ name: 'k/d', data: 'now a file' }, { name: 'k/f', type: 'directory', mode: 0o755 }));
    assert.equal(text('k', 'd'), 'now a file');
    assert.deepEqual(readdirSync(join(root, 'k', 'f')), []);
  });

  test('needs a directory', async () => {
    await writeFile(join(root, 'file'), 'x');
    await assert.rejects(extract(members(), { into: '/nowhere' }), { kind: 'not-found' });
    await assert.rejects(extract(members(), { into: '/file' }), { message: 'extraction point is not a directory' });
    await assert.rejects(extract(members(), { into: '/file/x' }), /not a directory/);
    await symlink('/nowhere', join(root, 'dangling'));
    await assert.rejects(extract(members(), { into: '/dangling' }), { kind: 'not-found' });
  });

  test('says what went wrong when there is no room', async () => {
    const small = join(dir, 'small');
    await mkdir(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'none', small]);
    try {
      for (const size of [400_000, 3_000_000]) {
        const full = extract(members({ name: 'd/big', data: Buffer.alloc(size, 'x') }), { at: small });
        await assert.rejects(full, { message: 'write d/big: no space left on device' });
      }
    } finally {
      execFileSync('umount', [small]);
    }
  });

  test('is over when an archive ends early, and leaves no process', async () => {
    for (const size of [1000, 2_000_000]) {
      const archive = members({ name: 'half', data: Buffer.alloc(size, 'x') }).subarray(0, 512 + size / 2);
      await assert.rejects(extract(archive), /unexpected EOF/);
    }
    const stop = new AbortController();
    await using target = await openExtraction({ kind: 'tree', root }, '/', false, stop.signal);
    await target.add(entryOf({ name: 'half', size: 2_000_000 }));
    stop.abort();
    await assert.rejects(async () => {
      for (let i = 0; i < 21; i++) await target.data(Buffer.alloc(100_000));
      await target.finish();
    });
  });

  test('a worker that gave up while much was being written to it says why', async () => {
    await writeFile(join(root, 'file'), 'x');
    for (const pause of [0, 0, 0, 1, 5, 50]) {
      await using target = await openExtraction({ kind: 'tree', root }, '/', true, signal);
      const refused = async () => {
        await target.add(entryOf({ name: 'file', type: 'directory', mode: 0o755 }));
        // It gives up somewhere in here: before, while or after the pipe is full.
        for (let i = 0; i < 20; i++) {
          await target.data(Buffer.alloc(100_000));
          await sleep(pause);
        }
        await target.finish();
      };
      await assert.rejects(refused(), /cannot overwrite non-directory/);
    }
  });
});
