import assert from 'node:assert/strict';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../src/util/tar/tar-fixture.ts';
import { importBusybox } from '../support/both.ts';
import { startDockerd } from '../support/dockerd.ts';
import { PROGRAM, startGantry, type TestEngine } from '../support/gantry.ts';
import { type RealRegistry, startRegistry } from '../support/registry.ts';
import { command, type Target } from '../support/target.ts';

// An image for two platforms, made by Docker's command line in a real registry, and what becomes of it here.

const stack = new AsyncDisposableStack();
let registry: RealRegistry;
let gantry: TestEngine;
let dockerd: Target;
let home = '';

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'gantry-home-'));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  registry = stack.use(await startRegistry());
  gantry = stack.use(await startGantry());
  dockerd = stack.use(await startDockerd());
  await Promise.all([gantry, dockerd].map(importBusybox));
});
after(() => stack.disposeAsync());

async function ok(target: Target, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await target.docker(['--config', join(home, target.name), ...args]);
  assert.equal(code, 0, `docker ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

async function refused(target: Target, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await target.docker(['--config', join(home, target.name), ...args]);
  assert.notEqual(code, 0, `docker ${args.join(' ')}\n${stdout}`);
  return stderr.trim();
}

const own = (...args: string[]) => command(process.execPath, [PROGRAM, '-H', `unix://${gantry.socket}`, ...args]);
const withoutDigests = (text: string): string => text.replaceAll(/sha256:[0-9a-f]{64}/g, 'DIGEST');

/** Pushes busybox, and one more image that says it is for arm64. */
async function pushParts(target: Target): Promise<[string, string]> {
  const [amd, arm] = ['amd', 'arm'].map((tag) => `${registry.host}/${target.name}:${tag}`) as [string, string];
  await ok(target, 'tag', 'busybox', amd);
  const input = archiveOf([{ name: 'arm', data: Buffer.from(target.name) }]);
  // Docker's import takes a platform only in experimental mode: both get it from here.
  assert.equal((await gantry.docker(['import', '--platform', 'linux/arm64', '-', arm], { input })).code, 0);
  await ok(gantry, 'push', arm);
  await ok(target, 'push', amd);
  return [amd, arm];
}

describe('manifest commands', () => {
  for (const engine of ['gantry', 'dockerd'] as const) {
    test(`create, inspect and push an index (${engine})`, async () => {
      const target = engine === 'gantry' ? gantry : dockerd;
      const [amd, arm] = await pushParts(target);
      const name = `${registry.host}/${target.name}:all`;
      assert.equal(
        await ok(target, 'manifest', 'create', '--insecure', name, amd, arm),
        `Created manifest list ${name}\n`,
      );
      assert.equal(withoutDigests(await ok(target, 'manifest', 'push', '--insecure', name)), 'DIGEST\n');
      const { manifests } = JSON.parse(await ok(target, 'manifest', 'inspect', '--insecure', name)) as {
        manifests: { platform: object }[];
      };
      assert.deepEqual(
        manifests.map(({ platform }) => platform),
        [
          { architecture: 'amd64', os: 'linux' },
          { architecture: 'arm64', os: 'linux' },
        ],
      );
      const { Platforms } = (await target.api('GET', `/v1.41/distribution/${name}/json`)).json();
      assert.deepEqual(
        Platforms,
        manifests.map(({ platform }) => platform),
      );
    });
  }
});

describe('an image for two platforms', () => {
  const name = (): string => `${registry.host}/gantry:all`;

  test('is pulled platform by platform under one name, and shown as a tree', async () => {
    await ok(
      gantry,
      'rmi',
      'busybox',
      `${registry.host}/gantry:amd`,
      `${registry.host}/gantry:arm`,
      `${registry.host}/dockerd:arm`,
    );
    await ok(gantry, 'pull', '--platform', 'linux/arm64', name());
    const one = await ok(gantry, 'image', 'ls', '--tree', name());
    await ok(gantry, 'pull', name());
    const tree = await ok(gantry, 'image', 'ls', '--tree', name());
    const line = (text: string, platform: string): string[] =>
      text
        .split('\n')
        .find((words) => words.includes(platform))
        ?.split(/\s{2,}/) ?? [];
    assert.equal(line(one, 'linux/amd64').includes('0B'), true, one);
    assert.equal(line(tree, 'linux/amd64').includes('0B'), false, tree);
    assert.equal(line(tree, 'linux/arm64').includes('0B'), false, tree);
    const format = '{{.Architecture}} {{len .RepoTags}}';
    assert.equal(await ok(gantry, 'inspect', '-f', format, name()), 'amd64 1\n');
    assert.equal(await ok(gantry, 'image', 'inspect', '--platform', 'linux/arm64', '-f', format, name()), 'arm64 1\n');
    assert.equal(
      await refused(gantry, 'image', 'inspect', '--platform', 'linux/s390x', name()),
      `Error response from daemon: image with reference ${name()} was found but does not provide the specified platform (linux/s390x)`,
    );
    assert.equal(await ok(gantry, 'images', '-q', '--filter', 'dangling=true'), '');
    assert.match(await ok(gantry, 'history', '--platform', 'linux/arm64', name()), /Imported from -/);
  });

  test('gives a container the platform that is asked for', async () => {
    await ok(gantry, 'create', '--name', 'arm', '--platform', 'linux/arm64', '--pull', 'never', name(), 'x');
    await ok(gantry, 'create', '--name', 'host', '--pull', 'never', name(), 'x');
    const image = async (container: string) => (await ok(gantry, 'inspect', '-f', '{{.Image}}', container)).trim();
    const id = async (platform: string) =>
      (await ok(gantry, 'image', 'inspect', '--platform', platform, '-f', '{{.Id}}', name())).trim();
    assert.equal(await image('arm'), await id('linux/arm64'));
    assert.equal(await image('host'), await id('linux/amd64'));
    assert.match(await refused(gantry, 'rmi', name()), /must force\) - container \w+ is using its referenced image/);
    assert.match(
      await refused(gantry, 'rmi', '--platform', 'linux/arm64', name()),
      /\(must be forced\) - image is being used by stopped container/,
    );
    await ok(gantry, 'rm', 'arm', 'host');
  });

  test('goes to a registry whole, in part, or as one platform', async () => {
    const to = `${registry.host}/again:1`;
    await ok(gantry, 'tag', name(), to);
    await ok(gantry, 'push', to);
    const inspect = async (image: string) => ok(gantry, 'manifest', 'inspect', '--insecure', image);
    assert.equal(await inspect(to), await inspect(name()));
    await ok(gantry, 'push', '--platform', 'linux/arm64', to);
    assert.equal('manifests' in (JSON.parse(await inspect(to)) as object), false);
    await ok(gantry, 'rmi', '--platform', 'linux/amd64', to);
    const told = await ok(gantry, 'push', to);
    assert.match(
      told,
      /Not all multiplatform-content is present and only the available single-platform image was pushed/,
    );
    assert.match(
      await refused(gantry, 'push', '--platform', 'linux/s390x', to),
      /does not provide the specified platform \(linux\/s390x\)/,
    );
    await ok(gantry, 'pull', name());
  });

  test('is saved whole or in part, and loads so', async () => {
    const file = join(home, 'image.tar');
    await ok(gantry, 'save', '-o', file, name());
    await ok(gantry, 'rmi', '-f', `${registry.host}/again:1`, name());
    assert.match(await ok(gantry, 'load', '-i', file), new RegExp(`Loaded image: ${name()}\n`));
    const architecture = (...args: string[]) =>
      ok(gantry, 'image', 'inspect', '-f', '{{.Architecture}}', ...args, name());
    assert.equal(await architecture(), 'amd64\n');
    assert.equal(await architecture('--platform', 'linux/arm64'), 'arm64\n');
    await ok(dockerd, 'load', '-i', file);
    assert.equal(await ok(dockerd, 'inspect', '-f', '{{.Architecture}}', name()), 'amd64\n');
    await ok(gantry, 'save', '--platform', 'linux/arm64', '-o', file, name());
    await ok(gantry, 'rmi', name());
    await ok(gantry, 'load', '-i', file);
    assert.equal(await architecture(), 'arm64\n');
    assert.match(
      await refused(gantry, 'load', '--platform', 'linux/amd64', '-i', file),
      /requested platform \(linux\/amd64\) not found/,
    );
  });

  test('is known to the own command line', async () => {
    await ok(gantry, 'pull', name());
    const file = join(home, 'own.tar');
    const platform = ['--platform', 'linux/arm64'];
    for (const args of [
      ['save', ...platform, '-o', file, name()],
      ['load', ...platform, '-i', file],
      ['image', 'inspect', ...platform, name()],
      ['history', ...platform, name()],
      ['push', ...platform, name()],
      ['rmi', ...platform, name()],
    ]) {
      const { code, stderr } = await own(...args);
      assert.equal(code, 0, `${args.join(' ')}\n${stderr}`);
    }
    assert.deepEqual(
      [await own('history', '--platform', 'toaster', name())].map(({ code, stderr }) => [code, stderr.trim()]),
      [[1, 'invalid platform: "toaster": unknown operating system or architecture: invalid argument']],
    );
  });

  test('that lost bytes is found and repaired by the own command line', async () => {
    await ok(gantry, 'pull', name());
    assert.equal((await own('system', 'check')).code, 0);
    const { stdout } = await own('image', 'inspect', '-f', '{{.Id}}', name());
    const blob = join(gantry.dataRoot, 'content', 'sha256', stdout.trim().replace('sha256:', ''));
    await truncate(blob, 5);
    const found = await own('system', 'check');
    assert.deepEqual([found.code, found.stdout.includes(': it has 5 bytes, not ')], [1, true], found.stdout);
    const repaired = await own('system', 'check', '--repair');
    assert.deepEqual([repaired.code, repaired.stdout.endsWith('1 damaged, 1 repaired\n')], [0, true], repaired.stdout);
    assert.equal((await own('system', 'check')).code, 0);
  });
});
