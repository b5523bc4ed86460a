import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { setImmediate as tick } from 'node:timers/promises';
import { refuse, startTestRegistry, type TestRegistry } from '../../remote/registry-fixture.ts';
import { assertNothingStored, type ImagesFixture, openImagesFixture, tarOf } from './images-fixture.ts';

const layersOf = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, at) => tarOf({ [`file${at}`]: `${at}` }));

/** Answers that have begun and do not go on until they are told to. */
interface Held {
  readonly answers: ServerResponse[];
  /** Resolves when so many have been held. */
  until(count: number): Promise<void>;
  finish(): void;
}

/** Blobs of a registry stop short of their last byte. */
function holdBlobs(registry: TestRegistry, digests: readonly string[]): Held {
  const answers: ServerResponse[] = [];
  const finishers: (() => void)[] = [];
  registry.before = ({ url = '' }, res) => {
    const bytes = registry.blobs.get(url.slice(-71));
    if (bytes === undefined || !digests.includes(url.slice(-71))) return false;
    res.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, -1));
    answers.push(res);
    finishers.push(() => res.end(bytes.subarray(-1)));
    return true;
  };
  return {
    answers,
    until: async (count) => {
      while (answers.length < count) await tick();
    },
    finish: () => {
      registry.before = () => false;
      for (const finish of finishers) finish();
    },
  };
}

const pull = ({ images }: ImagesFixture, image: string, signal: AbortSignal) =>
  Array.fromAsync(images.pull({ image, tag: '1', signal }));

describe('pulls side by side', () => {
  test('the one that is cancelled does not take its layers from the other', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { id, layers } = registry.addImage('app', '1', layersOf(2));
    const held = holdBlobs(registry, layers);
    const gone = new AbortController();
    const first = pull(fixture, `${registry.host}/app`, gone.signal);
    await held.until(2);
    const said: string[] = [];
    const second = (async () => {
      const lines = fixture.images.pull({
        image: `${registry.host}/app`,
        tag: '1',
        signal: new AbortController().signal,
      });
      for await (const { status = '' } of lines) said.push(status);
    })();
    // Then the first of its layers is being fetched, together with the other pull.
    while (!said.includes('Waiting')) await tick();
    gone.abort(new Error('the client is gone'));
    await assert.rejects(first, /the client is gone/);
    held.finish();
    await second;
    assert.equal(fixture.images.get(`${registry.host}/app:1`).id, id);
  });

  test('both that are cancelled leave nothing, and the daemon stands', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { layers } = registry.addImage('app', '1', layersOf(2));
    const held = holdBlobs(registry, layers);
    const gone = new AbortController();
    const both = [1, 2].map(() => pull(fixture, `${registry.host}/app`, gone.signal));
    await held.until(2);
    gone.abort(new Error('the clients are gone'));
    await Promise.all(both.map((one) => assert.rejects(one, /the clients are gone/)));
    held.finish();
    assertNothingStored(fixture, '.partial');
  });

  test('one that waits for its turn goes at once when it is cancelled', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { layers } = registry.addImage('app', '1', layersOf(3));
    registry.addImage('late', '1', [tarOf({ late: 'x' })]);
    const held = holdBlobs(registry, layers);
    const stays = pull(fixture, `${registry.host}/app`, new AbortController().signal);
    await held.until(3);
    const gone = new AbortController();
    const lines = fixture.images.pull({ image: `${registry.host}/late`, tag: '1', signal: gone.signal });
    await assert.rejects(async () => {
      for await (const { status } of lines) if (status === 'Waiting') gone.abort(new Error('the client is gone'));
    }, /the client is gone/);
    held.finish();
    await stays;
  });
});

describe('a pull that fails', () => {
  test('does not wait for what else it was fetching', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { layers } = registry.addImage('app', '1', layersOf(3));
    const [missing = '', ...others] = layers;
    const held = holdBlobs(registry, others);
    const { before } = registry;
    registry.before = async (req, res) => {
      if (!req.url?.endsWith(missing)) return before(req, res);
      await held.until(2);
      refuse(res, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
      return true;
    };
    const closed = held.until(2).then(() => Promise.all(held.answers.map((answer) => once(answer, 'close'))));
    await assert.rejects(pull(fixture, `${registry.host}/app`, new AbortController().signal), /blob unknown/);
    await closed;
    assertNothingStored(fixture, '.partial');
  });

  test('or that is left in the middle leaves nothing', async () => {
    await using registry = await startTestRegistry();
    await using fixture = await openImagesFixture();
    const { layers } = registry.addImage('app', '1', layersOf(2));
    const held = holdBlobs(registry, layers);
    for await (const { status } of fixture.images.pull({
      image: `${registry.host}/app`,
      tag: '1',
      signal: new AbortController().signal,
    })) {
      if (status !== 'Downloading') continue;
      await held.until(2);
      break;
    }
    assertNothingStored(fixture, '.partial');
  });
});
