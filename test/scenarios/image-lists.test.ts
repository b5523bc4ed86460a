import assert from 'node:assert/strict';
import { after } from 'node:test';
import { archiveOf } from '../../src/util/tar/tar-fixture.ts';
import { onBoth, type Scenario } from '../support/both.ts';
import { type RealRegistry, startRegistry } from '../support/registry.ts';
import type { Target } from '../support/target.ts';

// Lists of images: filters, digests, sizes, and what a prune takes.

let shared: Promise<RealRegistry> | undefined;
const registry = (): Promise<RealRegistry> => (shared ??= startRegistry());
after(async () => (await shared)?.[Symbol.asyncDispose]());

async function ok(target: Target, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await target.docker(args);
  assert.equal(code, 0, `docker ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

/** Makes an image of one file, with a label. */
async function make(target: Target, name: string, file: string, label: string): Promise<void> {
  const input = archiveOf([{ name: file, data: Buffer.alloc(1000, 'x') }]);
  const { code, stderr } = await target.docker(['import', '--change', `LABEL made=${label}`, '-', name], { input });
  assert.equal(code, 0, stderr);
}

const names = async (target: Target, ...filters: string[]): Promise<string[]> =>
  (
    await ok(
      target,
      'images',
      '--format',
      '{{.Repository}}:{{.Tag}}',
      ...filters.flatMap((filter) => ['--filter', filter]),
    )
  )
    .split('\n')
    .filter((line) => line !== '')
    // Those of one second come in any order.
    .toSorted();

/** As the table of all images shows it: a filter by name would hide it. */
const digestsOf = async (target: Target, name: string): Promise<string[]> =>
  (await ok(target, 'images', '--digests', '--format', '{{.Repository}}:{{.Tag}} {{.Digest}}'))
    .split('\n')
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => line.slice(name.length + 1).replace(/[0-9a-f]{64}/, 'DIGEST'));

const scenarios: Record<string, Scenario> = {
  'filters choose': async (target) => {
    for (const name of ['a:1', 'a:2', 'b/c:1']) await make(target, name, name.replaceAll('/', '-'), name);
    assert.deepEqual(await names(target, 'before=a:2'), ['a:1', 'busybox:latest']);
    assert.deepEqual(await names(target, 'since=a:1'), ['a:2', 'b/c:1']);
    assert.deepEqual(await names(target, 'since=a:1', 'before=b/c:1'), ['a:2']);
    assert.deepEqual(await names(target, 'reference=a'), ['a:1', 'a:2']);
    assert.deepEqual(await names(target, 'reference=*:1'), ['a:1']);
    assert.deepEqual(await names(target, 'reference=*/*:1'), ['b/c:1']);
    assert.deepEqual(await names(target, 'label=made=a:1'), ['a:1']);
    assert.deepEqual(await names(target, 'label=made', 'reference=a:*'), ['a:1', 'a:2']);
    assert.deepEqual(await names(target, 'dangling=true'), []);
    const { status, text } = await target.api('GET', '/v1.41/images/json?filters={"before":["none"]}');
    assert.deepEqual([status, text.trim()], [404, '{"message":"No such image: none:latest"}']);
  },

  'a name that moved leaves an image to be pruned': async (target) => {
    await make(target, 'a:1', 'other', 'moved');
    assert.deepEqual(await names(target, 'dangling=true'), ['<none>:<none>']);
    assert.match(await ok(target, 'image', 'prune', '-f', '--filter', 'label=made=no'), /reclaimed space: 0B/);
    assert.match(await ok(target, 'image', 'prune', '-f', '--filter', 'until=24h'), /reclaimed space: 0B/);
    const { ImagesDeleted: gone, SpaceReclaimed } = (
      await target.api('POST', `/v1.41/images/prune?filters=${encodeURIComponent('{"label":["made=a:1"]}')}`)
    ).json<{ ImagesDeleted: object[]; SpaceReclaimed: number }>();
    assert.deepEqual([gone.map((one) => Object.keys(one)[0]), SpaceReclaimed], [['Deleted', 'Deleted'], 1000]);
    assert.deepEqual(await names(target, 'dangling=true'), []);
  },

  'names are told in order, and digests once a registry knows them': async (target) => {
    const { host } = await registry();
    const name = `${host}/${target.name}/x`;
    for (const tag of ['2', '10', '1']) await ok(target, 'tag', 'a:2', `${name}:${tag}`);
    await ok(target, 'tag', 'a:2', 'z:1');
    const tags = async () => JSON.parse(await ok(target, 'inspect', '-f', '{{json .RepoTags}}', 'a:2')) as string[];
    assert.deepEqual(await tags(), ['a:2', 'z:1', `${name}:1`, `${name}:10`, `${name}:2`]);
    assert.deepEqual(await digestsOf(target, `${name}:1`), ['<none>']);
    await ok(target, 'push', `${name}:1`);
    assert.deepEqual(await digestsOf(target, `${name}:1`), ['sha256:DIGEST']);
    assert.deepEqual(await digestsOf(target, 'z:1'), ['<none>']);
    await ok(target, 'rmi', '-f', (await ok(target, 'images', '-q', 'a:2')).trim());
    await ok(target, 'pull', `${name}:1`);
    assert.deepEqual(await digestsOf(target, `${name}:1`), ['sha256:DIGEST']);
  },

  'sizes are told for each image, shared and alone': async (target) => {
    await ok(target, 'create', '--name', 'sized', 'busybox', 'sh');
    assert.equal((await target.api('POST', '/v1.41/commit?container=sized&repo=child&tag=1')).status, 201);
    const list = async (query: string) =>
      (await target.api('GET', `/v1.41/images/json${query}`)).json<
        { RepoTags: string[] | null; SharedSize: number; Size: number }[]
      >();
    assert.ok((await list('')).every(({ SharedSize }) => SharedSize === -1));
    const usage = (await target.api('GET', '/v1.41/system/df')).json<{
      LayersSize: number;
      Images: { RepoTags: string[] | null; SharedSize: number; Size: number; Containers: number }[];
    }>();
    const of = (name: string) => usage.Images.find(({ RepoTags }) => RepoTags?.includes(name));
    assert.deepEqual(
      ['busybox:latest', 'b/c:1'].map((name) => [of(name)?.SharedSize === of(name)?.Size, of(name)?.Containers]),
      [
        [true, 1],
        [false, 0],
      ],
    );
    assert.equal(of('b/c:1')?.SharedSize, 0);
    await ok(target, 'rm', 'sized');
  },
};

onBoth('lists of images', scenarios);
