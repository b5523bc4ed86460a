import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startTestRegistry, type TestRegistry } from './registry-fixture.ts';
import type { Repositories } from './remote.ts';
import { localRemote } from './remote-fixture.ts';

const { signal } = new AbortController();

const open = ({ host }: TestRegistry): Promise<Repositories> => localRemote().open(`${host}/app`, undefined);

const tagsOf = (repositories: Repositories): Promise<string[]> =>
  repositories.first('resolve', (one) => Array.fromAsync(one.tags(signal)));

describe('the tags of a repository', () => {
  test('come page by page', async () => {
    await using registry = await startTestRegistry();
    registry.before = ({ url = '' }, res) => {
      const last = url.includes('last=');
      const link = last ? {} : { link: '</v2/app/tags/list?n=1&last=a>; rel="next"' };
      res.writeHead(200, link).end(JSON.stringify({ name: 'app', tags: [last ? 'b' : 'a'] }));
      return true;
    };
    using repositories = await open(registry);
    assert.deepEqual(await tagsOf(repositories), ['a', 'b']);
  });

  test('have an end, and are a list', async () => {
    await using registry = await startTestRegistry();
    const tags = Array.from({ length: 20_000 }, (_, at) => `t${at}`);
    let page = 0;
    registry.before = (_, res) => {
      res.writeHead(200, { link: `</v2/app/tags/list?last=${page++}>; rel="next"` }).end(JSON.stringify({ tags }));
      return true;
    };
    using repositories = await open(registry);
    await assert.rejects(tagsOf(repositories), /more than 100000/);
    for (const body of ['<html>', '{"tags":{"a":1}}']) {
      registry.before = (_, res) => {
        res.end(body);
        return true;
      };
      await assert.rejects(tagsOf(repositories), { name: 'RegistryError', message: /is not one/ }, body);
    }
  });
});
