import assert from 'node:assert/strict';
import { archiveOf } from '../../src/util/tar/tar-fixture.ts';
import { onBoth } from '../support/both.ts';
import { create, eventually, run } from '../support/containers.ts';

type Json = Record<string, unknown>;

onBoth('asking', {
  'what everything takes on disk': async (target) => {
    await using running = await run(target, 'head -c 5000 /dev/zero > /file; exec sleep 1000');
    await using stopped = await run(target, 'head -c 7000 /dev/zero > /file');
    await stopped.wait();
    const usage = await eventually('the files are written', async () => {
      const found = (await target.api('GET', '/v1.41/system/df')).json<
        Record<string, Json[]> & { LayersSize: number }
      >();
      const sizes = new Map(found['Containers']?.map(({ Id, SizeRw }) => [Id, SizeRw]));
      return sizes.get(running.id) === 5000 && sizes.get(stopped.id) === 7000 && found;
    });
    const [image] = usage['Images'] ?? [];
    assert.deepEqual(Object.keys(usage).toSorted(), FIELDS.usage);
    assert.deepEqual(Object.keys(image ?? {}).toSorted(), FIELDS.image);
    assert.equal(image?.['Containers'], 2);
    assert.equal(image?.['SharedSize'], 0);
    assert.equal(usage.LayersSize, image?.['Size']);
    assert.equal(usage['Containers']?.[0]?.['SizeRootFs'], usage.LayersSize + 7000);
    await target.docker(['tag', 'busybox', 'again']);
    const table = await target.docker(['system', 'df']);
    assert.match(
      table.stdout,
      /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages +1 +1 [\s\S]*Containers +2 +1 +12kB +7kB \(58%\)\n/,
    );
    assert.equal((await target.docker(['rmi', 'again'])).code, 0);
  },
  'two images of one layer share it': async (target) => {
    const input = archiveOf([{ name: 'file', data: 'x'.repeat(5000) }]);
    for (const name of ['twin', 'other']) {
      const imported = await target.docker(['import', '--change', `LABEL ${name}=1`, '-', name], { input });
      assert.equal(imported.code, 0, imported.stderr);
    }
    const usage = (await target.api('GET', '/v1.41/system/df')).json<Record<string, Json[]> & { LayersSize: number }>();
    const images = (usage['Images'] ?? []).map(({ RepoTags, SharedSize, Size }) => ({ RepoTags, SharedSize, Size }));
    const named = (tag: string) => images.find(({ RepoTags }) => String(RepoTags) === tag);
    const shared = ['twin:latest', 'other:latest', 'busybox:latest'].map((tag) => named(tag)?.SharedSize);
    assert.deepEqual(shared, [5000, 5000, 0]);
    assert.equal(usage.LayersSize, Number(named('busybox:latest')?.Size) + 5000);
    assert.equal((await target.docker(['rmi', 'twin', 'other'])).code, 0);
  },
  'system prune takes stopped containers, and tells of each part': async (target) => {
    await using kept = await run(target, 'exec sleep 1000');
    const stopped = await create(target, 'true');
    const { stdout, code } = await target.docker(['system', 'prune', '--force']);
    assert.equal(code, 0);
    assert.equal(stdout, `Deleted Containers:\n${stopped.id}\n\nTotal reclaimed space: 0B\n`);
    assert.equal((await kept.inspect()).State.Running, true);
    for (const noun of ['networks', 'build']) {
      const pruned = await target.api('POST', `/v1.41/${noun}/prune`);
      assert.equal(pruned.status, 200, pruned.text);
    }
  },
  'a stopped container still tells which network it was in': async (target) => {
    await using c = await run(target, 'exec sleep 1000');
    const networkId = async () => {
      const { stdout } = await target.docker(['inspect', '-f', '{{.NetworkSettings.Networks.bridge.NetworkID}}', c.id]);
      return stdout.trim();
    };
    const before = await networkId();
    assert.match(before, /^[0-9a-f]{64}$/);
    await target.api('POST', `${c.path}/kill`);
    await c.wait();
    assert.equal(await networkId(), before);
  },
  'a mount that was asked for is shown as it was asked for': async (target) => {
    const Mounts = [
      { Type: 'tmpfs', Target: '/t' },
      { Type: 'bind', Source: '/srv', Target: '/b', ReadOnly: true, BindOptions: { Propagation: 'rprivate' } },
    ];
    await using c = await create(target, 'true', { HostConfig: { Mounts } });
    assert.deepEqual((await c.inspect()).HostConfig['Mounts'], Mounts);
  },
});

const FIELDS = {
  usage: ['BuildCache', 'BuilderSize', 'Containers', 'Images', 'LayersSize', 'Volumes'],
  image: [
    'Containers',
    'Created',
    'Id',
    'Labels',
    'ParentId',
    'RepoDigests',
    'RepoTags',
    'SharedSize',
    'Size',
    'VirtualSize',
  ],
};
