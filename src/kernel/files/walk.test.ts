import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { nameBytes } from '../../util/tar/entry.ts';
import { seeded } from '../../util/tar/tar-fixture.ts';
import { type FoundFile, openWalk, statFile, walkFiles } from './walk.ts';

const needsRoot = process.getuid?.() === 0 ? {} : { skip: 'needs root to change the root' };
const { signal } = new AbortController();

/** Bytes that tell where they belong. */
function noise(length: number): Buffer {
  const random = seeded(length);
  return Buffer.from(Uint32Array.from({ length: length / 4 }, () => random(2 ** 32)).buffer);
}

describe('a walk', needsRoot, () => {
  let root: string;
  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'gantry-walk-'));
  });
  after(() => rm(root, { recursive: true }));

  const sh = (script: string) => execFileSync('bash', ['-ec', script], { cwd: root });
  async function walked(path: string): Promise<Map<string, { file: FoundFile; data: Buffer }>> {
    const found = new Map<string, { file: FoundFile; data: Buffer }>();
    for await (const { file, data } of walkFiles({ kind: 'tree', root }, path, signal)) {
      found.set(file.path, { file, data: Buffer.concat(await Array.fromAsync(data())) });
    }
    return found;
  }

  test('tells every kind of file with its facts, a directory before what is in it', async () => {
    sh(`mkdir -p kinds/dir/inner; cd kinds; echo hi >file; chown 7:8 file; chmod 4751 file; ln file same; ln -s 'to where' link
      mkfifo fifo; mknod null c 1 3; mknod disk b 259 70000; touch -d '1969-12-31 23:59:58.25 UTC' file
      printf x >"$(printf 'odd\\377\\nname')"; touch dir/inner/leaf`);
    const found = await walked('/kinds');
    assert.deepEqual(
      [...found.keys()],
      ['', 'dir', 'dir/inner', 'dir/inner/leaf', 'disk', 'fifo', 'file', 'link', 'null', 'odd\xff\nname', 'same'],
    );
    const of = (name: string) => found.get(name)?.file as FoundFile;
    const { mode, uid, gid, links, mtime, size } = of('file');
    assert.deepEqual([mode, uid, gid, links, size], [0o104751, 7, 8, 2, 3]);
    assert.deepEqual(mtime, { seconds: -2, nanos: 250_000_000 });
    assert.equal(of('same').identity, of('file').identity);
    assert.equal(of('link').linkTarget, 'to where');
    assert.deepEqual([of('null').devMajor, of('null').devMinor], [1, 3]);
    assert.deepEqual([of('disk').devMajor, of('disk').devMinor], [259, 70_000]);
    assert.equal(found.get('odd\xff\nname')?.data.toString(), 'x');
  });

  test('gives the data of small and of large files, whether they are asked for or not', async () => {
    const sizes = [0, 4, 524_284, 524_288, 3_000_000];
    sh('mkdir data');
    for (const size of sizes) await writeFile(join(root, 'data', `${size}`.padStart(8, '0')), noise(size));
    const found = [...(await walked('/data')).values()].slice(1);
    assert.deepEqual(
      found.map(({ data }) => data.length),
      sizes,
    );
    for (const [i, size] of sizes.entries()) assert.ok(found[i]?.data.equals(noise(size)), `${size}`);
    const names: string[] = [];
    for await (const { file } of walkFiles({ kind: 'tree', root }, '/data', signal)) names.push(file.path);
    assert.equal(names.length, 1 + sizes.length);
  });

  test('tells of so many holes and no more, and gives the rest as data', async () => {
    const size = 17_000 * 8192;
    execFileSync('perl', [
      '-e',
      'open F, ">", shift; truncate F, 17000 * 8192; for (0 .. 16999) { sysseek F, $_ * 8192, 0; syswrite F, pack "N", $_ }',
      join(root, 'holes'),
    ]);
    for await (const { file, data } of walkFiles({ kind: 'tree', root }, '/holes', signal)) {
      const { segments = [] } = file.sparse ?? {};
      assert.equal(segments.length, 1 << 14);
      const last = segments.at(-1) ?? assert.fail();
      assert.equal(last.offset + last.length, size);
      const rest = Buffer.concat(await Array.fromAsync(data())).subarray(-last.length);
      for (let at = 0; at < rest.length; at += 8192) assert.equal(rest.readUInt32BE(at), (last.offset + at) / 8192);
    }
    await rm(join(root, 'holes'));
  });

  test('keeps holes, and gives only what lies between them', async () => {
    sh('truncate -s 8M sparse; printf begin | dd of=sparse conv=notrunc status=none; printf end >>sparse');
    const { file, data } = (await walked('/sparse')).get('') ?? assert.fail();
    assert.equal(file.size, 8 * 2 ** 20 + 3);
    const stored = file.sparse?.segments.reduce((sum, { length }) => sum + length, 0);
    assert.equal(data.length, stored);
    assert.ok(data.length < 100_000 && data.includes('begin') && data.includes('end'));
  });

  test('fills up with zeros what is cut off meanwhile', async () => {
    await writeFile(join(root, 'cut'), noise(2_000_000));
    await using walk = await openWalk({ kind: 'tree', root }, '/cut', signal);
    for await (const { data } of walk.files) {
      const parts: Buffer[] = [];
      for await (const part of data()) {
        if (parts.length === 0) await truncate(join(root, 'cut'), part.length);
        parts.push(part);
      }
      const whole = Buffer.concat(parts);
      assert.equal(whole.length, 2_000_000);
      const [first] = parts;
      assert.ok(first !== undefined && whole.equals(Buffer.concat([first, Buffer.alloc(2_000_000 - first.length)])));
    }
  });

  test('follows links inside of the root alone', async () => {
    sh(
      'mkdir -p real/deep; touch real/deep/leaf; ln -s /real abs; ln -s ../../../../../../real/deep up; ln -s loop loop',
    );
    const stat = (path: string) => statFile({ kind: 'tree', root }, nameBytes(path), signal);
    for (const path of ['/abs/deep/leaf', '/up/leaf', '/../../abs/../up/./leaf', 'up//leaf']) {
      assert.equal((await stat(path)).path, '/real/deep/leaf', path);
    }
    assert.equal((await stat('/abs')).linkTarget, '/real', 'a last link is not followed, but its end is told');
    assert.equal((await stat('/abs/')).linkTarget, '', 'a slash follows it');
    await assert.rejects(stat('/loop/x'), /too many levels of symbolic links/);
    await assert.rejects(stat('/real/deep/leaf/x'), /not a directory/);
    await assert.rejects(stat(tmpdir()), { kind: 'not-found' });
    await assert.rejects(stat('/nope'), { kind: 'not-found' });
    await assert.rejects(openWalk({ kind: 'tree', root }, '/nope', signal), { kind: 'not-found' });
  });

  test('tells what a root is that is not there', async () => {
    const gone = statFile({ kind: 'tree', root: join(root, 'gone') }, '/', signal);
    await assert.rejects(gone, /open root: no such file or directory/);
    const process = { kind: 'process', pid: 1, containerId: 'f'.repeat(64), mounts: [] } as const;
    await assert.rejects(statFile(process, '/', signal), /open process: no such process/, 'somebody else’s by now');
  });

  test('ends with its reader, however it ends', async () => {
    await writeFile(join(root, 'large'), noise(4_000_000));
    const stop = new AbortController();
    for (const end of ['break', 'abort', 'kill'] as const) {
      const walk = await openWalk({ kind: 'tree', root }, '/large', end === 'abort' ? stop.signal : signal);
      const read = async () => {
        for await (const { data } of walk.files) {
          for await (const _ of data()) {
            if (end === 'break') return;
            if (end === 'abort') stop.abort();
            if (end === 'kill') process.kill(walk.pid, 'SIGKILL');
          }
        }
      };
      if (end === 'break') await read();
      else await assert.rejects(read(), end);
      await walk[Symbol.asyncDispose]();
      assert.ok(!existsSync(`/proc/${walk.pid}`), end);
    }
  });
});
