import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { digestOf, hexOf } from '../util/digest.ts';
import { internal, invalid } from '../util/errors.ts';
import { silentLog } from '../util/log.ts';
import type { Wanted } from './fetches.ts';
import { openStore } from './store.ts';
import { openTemp, tempDir } from './store-fixture.ts';

const bytes = randomBytes(200_000);
const digest = digestOf(bytes);
const { signal } = new AbortController();
const ignore = (): void => {};

/** A source that tells from where it was read; `end` bytes of it come. */
function wanted(offsets: number[], end = bytes.length, failure?: Error): Wanted {
  return {
    digest,
    size: bytes.length,
    mediaType: 'x',
    places: 1,
    open: async function* (offset) {
      offsets.push(offset);
      for (let at = offset; at < end; at += 10_000) yield bytes.subarray(at, Math.min(at + 10_000, end));
      if (failure !== undefined) throw failure;
    },
  };
}

describe('a blob from elsewhere', () => {
  test('is fetched once for all who want it, and stays while one of them holds it', async () => {
    await using store = await openTemp();
    const offsets: number[] = [];
    await using second = store.lease();
    {
      await using first = store.lease();
      const heard: number[] = [];
      const both = [first, second].map((lease) => lease.fetch(wanted(offsets), signal, (had) => heard.push(had)));
      assert.deepEqual(
        (await Promise.all(both)).map(({ size }) => size),
        [bytes.length, bytes.length],
      );
      assert.equal(heard.at(-1), bytes.length);
    }
    assert.deepEqual(offsets, [0]);
    assert.deepEqual(await store.content.readAll(digest, bytes.length), bytes);
    await second[Symbol.asyncDispose]();
    assert.equal(store.content.has(digest), false);
  });

  test('goes on where it broke off, also after a restart', async () => {
    const offsets: number[] = [];
    const options = { dataRoot: tempDir(), log: silentLog() };
    {
      await using before = await openStore(options);
      await using lease = before.lease();
      await assert.rejects(lease.fetch(wanted(offsets, 70_000, new Error('broken')), signal, ignore), /broken/);
    }
    await using store = await openStore(options);
    await using lease = store.lease();
    await lease.fetch(wanted(offsets), signal, ignore);
    assert.deepEqual(offsets, [0, 70_000]);
    assert.deepEqual(await store.content.readAll(digest, bytes.length), bytes);
  });

  test('a part that nobody goes on with can be discarded', async () => {
    await using store = await openTemp();
    const { ingest } = store.dirs;
    writeFileSync(join(ingest, `${'a'.repeat(64)}.partial`), Buffer.alloc(5000));
    await using lease = store.lease();
    let freed = -1;
    const fetching = { ...wanted([]) };
    fetching.open = async function* () {
      yield bytes.subarray(0, 1000);
      freed = store.discardParts();
      yield bytes.subarray(1000);
    };
    await lease.fetch(fetching, signal, ignore);
    assert.equal(freed, 5000);
    assert.deepEqual(readdirSync(ingest), []);
    assert.deepEqual(await store.content.readAll(digest, bytes.length), bytes);
  });

  test('a part that is damaged is fetched anew', async () => {
    await using store = await openTemp();
    const offsets: number[] = [];
    const { ingest } = store.dirs;
    const partial = join(ingest, `${hexOf(digest)}.partial`);
    writeFileSync(partial, Buffer.alloc(5000));
    await using lease = store.lease();
    await lease.fetch(wanted(offsets), signal, ignore);
    assert.deepEqual(offsets, [5000, 0]);
    assert.deepEqual(readdirSync(ingest), []);
  });

  test('what one place has wrong is thrown away and fetched from the next', async () => {
    await using store = await openTemp();
    const asked: number[][] = [];
    const wrongs = [randomBytes(bytes.length), Buffer.concat([bytes, bytes]), bytes.subarray(0, 10)];
    const places: Wanted = {
      ...wanted([]),
      places: 4,
      open: async function* (offset, place) {
        asked.push([offset, place]);
        yield (wrongs[place] ?? bytes).subarray(offset);
      },
    };
    writeFileSync(join(store.dirs.ingest, `${hexOf(digest)}.partial`), Buffer.alloc(5000));
    await using lease = store.lease();
    await lease.fetch(places, signal, ignore);
    assert.deepEqual(asked, [
      [5000, 0],
      [0, 0],
      [0, 1],
      [0, 2],
      [0, 3],
    ]);
    assert.deepEqual(await store.content.readAll(digest, bytes.length), bytes);
  });

  test('one whose file was lost or cut is fetched again', async () => {
    await using store = await openTemp();
    const offsets: number[] = [];
    for (const damage of [() => {}, (path: string) => truncateSync(path, 10), (path: string) => rmSync(path)]) {
      if (store.content.has(digest)) damage(store.content.path(digest));
      await using lease = store.lease();
      await lease.fetch(wanted(offsets), signal, ignore);
      await lease.commit(() => {});
      assert.ok(store.content.intact(digest));
    }
    assert.deepEqual(offsets, [0, 0, 0]);
    assert.deepEqual(await store.content.readAll(digest, bytes.length), bytes);
  });

  test('a part that is too long begins anew', async () => {
    await using store = await openTemp();
    const offsets: number[] = [];
    const partial = join(store.dirs.ingest, `${hexOf(digest)}.partial`);
    writeFileSync(partial, '');
    truncateSync(partial, bytes.length + 1);
    await using lease = store.lease();
    await lease.fetch(wanted(offsets), signal, ignore);
    assert.deepEqual(offsets, [0]);
  });

  test('what is not what was wanted is refused, and leaves nothing', async () => {
    await using store = await openTemp();
    await using lease = store.lease();
    const wrong = randomBytes(bytes.length);
    const open = async function* () {
      yield wrong;
    };
    await assert.rejects(lease.fetch({ ...wanted([]), open }, signal, ignore), {
      kind: 'invalid',
      message: `filesystem layer verification failed for digest ${digest}`,
    });
    const long = async function* () {
      yield Buffer.concat([bytes, Buffer.from('x')]);
    };
    await assert.rejects(lease.fetch({ ...wanted([]), open: long }, signal, ignore), {
      kind: 'invalid',
      message: /more than the 200000 bytes/,
    });
    assert.deepEqual(readdirSync(store.dirs.ingest), []);
    assert.equal(store.content.has(digest), false);
  });

  test('a part stays when its fetch is stopped, unless the disk is full', async () => {
    await using store = await openTemp();
    const full = internal('write elsewhere: no space left on device', Object.assign(new Error(), { code: 'ENOSPC' }));
    for (const [reason, parts] of [
      [new Error('gone'), 1],
      [invalid('another blob is not what it should be'), 1],
      [full, 0],
    ] as const) {
      await using lease = store.lease();
      const stop = new AbortController();
      const stalled: Wanted = {
        ...wanted([]),
        open: async function* (offset, _, aborted) {
          yield bytes.subarray(offset, offset + 1000);
          setImmediate(() => stop.abort(reason));
          await once(aborted, 'abort');
        },
      };
      await assert.rejects(lease.fetch(stalled, stop.signal, ignore), reason);
      assert.equal(readdirSync(store.dirs.ingest).length, parts, reason.message);
    }
  });

  test('who leaves does not stop it for the others; who leaves last does', async () => {
    await using store = await openTemp();
    const gate = Promise.withResolvers<void>();
    let stopped = false;
    const slow = (): Wanted => ({
      ...wanted([]),
      open: async function* (_offset, _place, aborted) {
        yield bytes.subarray(0, 1000);
        await Promise.race([gate.promise, new Promise((resolve) => aborted.addEventListener('abort', resolve))]);
        stopped = aborted.aborted;
        yield bytes.subarray(1000);
      },
    });
    const leaving = new AbortController();
    {
      await using first = store.lease();
      await using second = store.lease();
      const gone = first.fetch(slow(), leaving.signal, ignore);
      const whole = second.fetch(slow(), signal, ignore);
      leaving.abort(new Error('gone'));
      await assert.rejects(gone, /gone/);
      gate.resolve();
      assert.equal((await whole).digest, digest);
      assert.equal(stopped, false);
    }
    const again = new AbortController();
    await using lease = store.lease();
    const never = Promise.withResolvers<void>();
    const alone = lease.fetch(
      {
        ...slow(),
        open: async function* (_offset, _place, aborted) {
          yield bytes.subarray(0, 1000);
          aborted.addEventListener('abort', () => never.resolve());
          setImmediate(() => again.abort(new Error('gone too')));
          await never.promise;
        },
      },
      again.signal,
      ignore,
    );
    await assert.rejects(alone, /gone too/);
    await never.promise;
  });
});
