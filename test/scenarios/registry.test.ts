import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { archiveOf } from '../../src/util/tar/tar-fixture.ts';
import { importBusybox } from '../support/both.ts';
import { startDockerd } from '../support/dockerd.ts';
import { PROGRAM, startGantry } from '../support/gantry.ts';
import { type RealRegistry, startRegistry } from '../support/registry.ts';
import { type CommandResult, command, type Target } from '../support/target.ts';

// Push, pull and login with real registries, by both engines.

const stack = new AsyncDisposableStack();
let plain: RealRegistry;
let guarded: RealRegistry;
let encrypted: RealRegistry;
/** Home of the command line's own files: logins are kept there. */
let home = '';

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'gantry-home-'));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  const all = await Promise.all([startRegistry(), startRegistry({ users: true }), startRegistry({ tls: true })]);
  [plain, guarded, encrypted] = all.map((registry) => stack.use(registry)) as [
    RealRegistry,
    RealRegistry,
    RealRegistry,
  ];
});
after(() => stack.disposeAsync());

async function ok(target: Target, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(target, ...args);
  assert.equal(code, 0, `docker ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

const run = (target: Target, ...args: string[]): Promise<CommandResult> =>
  target.docker(['--config', join(home, target.name), ...args]);

async function refused(target: Target, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(target, ...args);
  assert.notEqual(code, 0, `docker ${args.join(' ')}\n${stdout}`);
  return stderr;
}

/** What names differ in between two engines and two images. */
const general = (text: string): string =>
  text
    .replaceAll(/sha256:[0-9a-f]{64}/g, 'DIGEST')
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'LAYER')
    .replaceAll(/localhost:\d+/g, 'HOST')
    .replaceAll(/size: \d+/g, 'size: N');

const idOf = async (target: Target, name: string): Promise<string> =>
  (await ok(target, 'inspect', '-f', '{{.Id}}', name)).trim();

const scenarios: Record<string, (target: Target) => Promise<void>> = {
  'what is pushed can be pulled, and says so in the same lines': async (target) => {
    const name = `${plain.host}/${target.name}/app:1`;
    await ok(target, 'tag', 'busybox', name);
    const id = await idOf(target, name);
    const pushed = general(await ok(target, 'push', name));
    assert.equal(
      pushed,
      `The push refers to repository [HOST/${target.name}/app]\nLAYER: Preparing\nLAYER: Pushed\n1: digest: DIGEST size: N\n`,
    );
    assert.match(general(await ok(target, 'push', name)), /^LAYER: Layer already exists$/m);
    await ok(target, 'rmi', '-f', 'busybox', name);
    const pulled = general(await ok(target, 'pull', name));
    const steps = ['Pulling fs layer', 'Download complete', 'Pull complete'];
    for (const step of steps) assert.match(pulled, new RegExp(`^LAYER: ${step}$`, 'm'));
    const rest = pulled.split('\n').filter((line) => !line.startsWith('LAYER'));
    assert.deepEqual(rest, [
      `1: Pulling from ${target.name}/app`,
      'Digest: DIGEST',
      `Status: Downloaded newer image for HOST/${target.name}/app:1`,
      `HOST/${target.name}/app:1`,
      '',
    ]);
    assert.equal(await idOf(target, name), id);
    assert.match(general(await ok(target, 'pull', name)), /Status: Image is up to date for HOST/);
    assert.equal(await ok(target, 'run', '--rm', name, 'echo', 'pulled'), 'pulled\n');
    const [digest = ''] = JSON.parse(await ok(target, 'inspect', '-f', '{{json .RepoDigests}}', name)) as string[];
    assert.equal(general(digest), `HOST/${target.name}/app@DIGEST`);
    await ok(target, 'rmi', '-f', name);
    assert.match(
      general(await ok(target, 'pull', digest)),
      /Status: Downloaded newer image for HOST\/[a-z]+\/app@DIGEST/,
    );
    await ok(target, 'tag', digest, 'busybox');
  },

  'another repository of the registry takes layers from the first': async (target) => {
    const name = `${plain.host}/${target.name}/mounted:1`;
    await ok(target, 'tag', 'busybox', name);
    assert.match(await ok(target, 'push', name), new RegExp(`Mounted from ${target.name}/app`));
  },

  'all tags go and come': async (target) => {
    const name = `${plain.host}/${target.name}/many`;
    for (const tag of ['a', 'b']) await ok(target, 'tag', 'busybox', `${name}:${tag}`);
    assert.deepEqual(
      [...(await ok(target, 'push', '-a', name)).matchAll(/^(\w+): digest/gm)]
        .map(([, tag = '']) => tag)
        .toSorted((x, y) => x.localeCompare(y)),
      ['a', 'b'],
    );
    await ok(target, 'rmi', `${name}:a`, `${name}:b`);
    await ok(target, 'pull', '-a', name);
    assert.deepEqual((await ok(target, 'images', '--format', '{{.Tag}}', name)).trim().split('\n').toSorted(), [
      'a',
      'b',
    ]);
  },

  'a registry that wants to know who asks': async (target) => {
    const name = `${guarded.host}/${target.name}:1`;
    await ok(target, 'tag', 'busybox', name);
    assert.match(await refused(target, 'push', name), /no basic auth credentials/);
    assert.match(await refused(target, 'pull', name), /no basic auth credentials/);
    const wrong = general(await refused(target, 'login', '-u', 'ann', '-p', 'wrong', guarded.host));
    assert.match(
      wrong,
      /Error response from daemon: login attempt to http:\/\/HOST\/v2\/ failed with status: 401 Unauthorized/,
    );
    assert.match(await ok(target, 'login', '-u', 'ann', '-p', 'secret', guarded.host), /Login Succeeded/);
    await ok(target, 'push', name);
    await ok(target, 'pull', name);
    await ok(target, 'logout', guarded.host);
    assert.match(await refused(target, 'pull', name), /no basic auth credentials/);
  },

  'what is not there, or nowhere': async (target) => {
    const pull = async (query: string): Promise<[number, string]> => {
      const { status, text } = await target.api('POST', `/v1.41/images/create?${query}`);
      return [status, general((JSON.parse(text.split('\r\n')[0] ?? '') as { message?: string }).message ?? text)];
    };
    assert.deepEqual(await pull(`fromImage=${plain.host}/none&tag=x`), [
      404,
      'manifest for HOST/none:x not found: manifest unknown: manifest unknown',
    ]);
    assert.deepEqual(await pull('fromImage=scratch&tag=latest'), [403, "'scratch' is a reserved name"]);
    assert.deepEqual(await pull('fromImage=UPPER&tag=1'), [
      400,
      'invalid reference format: repository name must be lowercase',
    ]);
    const [status, nobody] = await pull('fromImage=127.0.0.1:1/x&tag=1');
    assert.equal(status, 500);
    assert.match(
      nobody,
      /^Get "http:\/\/127\.0\.0\.1:1\/v2\/.*": dial tcp 127\.0\.0\.1:1: connect: connection refused$/,
    );
    for (const [name, why] of [
      [`${plain.host}/never:1`, 'An image does not exist locally with the tag: HOST/never'],
      [`${plain.host}/${target.name}/app:never`, `tag does not exist: HOST/${target.name}/app:never`],
    ] as const) {
      assert.equal(general(await refused(target, 'push', name)).trim(), why);
    }
  },

  'what a registry has is told without being fetched': async (target) => {
    const inspect = async (name: string) => (await target.api('GET', `/v1.41/distribution/${name}/json`)).json();
    const { Descriptor: descriptor, Platforms } = (await inspect(`${plain.host}/${target.name}/app:1`)) as {
      Descriptor: { digest: string; mediaType: string };
      Platforms: object[];
    };
    assert.equal(general(descriptor.digest), 'DIGEST');
    assert.equal(descriptor.mediaType, 'application/vnd.docker.distribution.manifest.v2+json');
    assert.deepEqual(Platforms, [{ architecture: 'amd64', os: 'linux' }]);
    assert.deepEqual(await inspect(`${plain.host}/none:1`), { message: 'manifest unknown: manifest unknown' });
  },

  'events tell of it': async (target) => {
    const since = Math.floor(Date.now() / 1000);
    const name = `${plain.host}/${target.name}/app:1`;
    await ok(target, 'tag', 'busybox', name);
    await ok(target, 'push', name);
    await ok(target, 'pull', name);
    const until = String((Date.now() + 50) / 1000);
    const lines = await ok(
      target,
      'events',
      '--since',
      String(since),
      '--until',
      until,
      '--filter',
      'type=image',
      '--format',
      '{{.Action}} {{.Actor.ID}} {{.Actor.Attributes.name}}',
    );
    const wanted = [
      `push HOST/${target.name}/app:1 HOST/${target.name}/app`,
      `pull HOST/${target.name}/app:1 HOST/${target.name}/app`,
    ];
    assert.deepEqual(
      general(lines)
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('pu'))
        .slice(-2),
      wanted,
    );
  },
};

describe('registries', () => {
  let gantry: Target;
  let dockerd: Target;
  let certs = '';
  before(async () => {
    certs = join(home, 'certs.d');
    gantry = stack.use(await startGantry(['--registry-certs-dir', certs]));
    dockerd = stack.use(await startDockerd());
    for (const target of [gantry, dockerd]) await importBusybox(target);
  });

  for (const engine of ['gantry', 'dockerd'] as const) {
    for (const [name, scenario] of Object.entries(scenarios))
      test(`${name} (${engine})`, () => scenario(engine === 'gantry' ? gantry : dockerd));
  }

  test('each engine runs what the other pushed', async () => {
    for (const [from, to] of [
      [gantry, dockerd],
      [dockerd, gantry],
    ] as const) {
      const name = `${plain.host}/from-${from.name}:1`;
      await ok(from, 'tag', 'busybox', name);
      await ok(from, 'push', name);
      await ok(to, 'pull', name);
      assert.equal(await idOf(to, name), await idOf(from, name));
      assert.equal(await ok(to, 'run', '--rm', name, 'echo', 'ran'), 'ran\n');
    }
  });

  test('an image goes on as it came: pulled and pushed again it has the same digest', async () => {
    const from = `${plain.host}/only-there`;
    const to = `${plain.host}/again`;
    // Layers that are here already come from elsewhere, and are not packed as the registry has them.
    const input = archiveOf([{ name: 'file', data: randomBytes(5000) }]);
    assert.equal((await dockerd.docker(['import', '-', `${from}:1`], { input })).code, 0);
    await ok(dockerd, 'push', `${from}:1`);
    await ok(gantry, 'pull', `${from}:1`);
    await ok(gantry, 'tag', `${from}:1`, `${to}:1`);
    const digest = /sha256:[0-9a-f]{64}/.exec(await ok(gantry, 'push', `${to}:1`))?.[0];
    assert.ok((await ok(gantry, 'inspect', '-f', '{{json .RepoDigests}}', `${from}:1`)).includes(`${from}@${digest}`));
  });

  test('the own command line logs in, pushes and pulls in Docker’s words', async () => {
    const name = `${guarded.host}/own:1`;
    await ok(gantry, 'tag', 'busybox', name);
    const all = [
      ['push', name],
      ['login', '-u', 'ann', '-p', 'wrong', guarded.host],
      ['login', '-u', 'ann', '-p', 'secret', guarded.host],
      ['push', name],
      ['push', '-q', name],
      ['pull', name],
      ['logout', guarded.host],
      ['pull', name],
      ['push', `${name}@sha256:${'0'.repeat(64)}`],
      ['push', '-a', name],
    ];
    const outcomes = async (call: (args: string[]) => Promise<CommandResult>) => {
      const seen: unknown[] = [];
      for (const args of all) {
        const { code, stdout, stderr } = await call(args);
        // Docker's advice on credential helpers leads to its own pages.
        const advice = /\nWARNING! Your credentials are stored unencrypted[^]*$/;
        seen.push([
          args[0],
          code,
          general(stdout).replace(/Pushed|Mounted from \w+/, 'Layer already exists'),
          general(stderr).replace(advice, ''),
        ]);
      }
      return seen;
    };
    const own = await outcomes((args) =>
      command(process.execPath, [PROGRAM, '--config', join(home, 'own'), '-H', `unix://${gantry.socket}`, ...args]),
    );
    assert.deepEqual(own, await outcomes((args) => run(gantry, ...args)));
  });

  test('a registry by another name: what its hosts.toml says, its authority, and a mirror that lacks something', async () => {
    const dir = join(certs, 'registry.test');
    await mkdir(dir, { recursive: true });
    const server = `server = "https://${encrypted.host}"\n`;
    await writeFile(join(dir, 'hosts.toml'), server);
    await ok(gantry, 'tag', 'busybox', 'registry.test/secure:1');
    assert.match(
      await refused(gantry, 'push', 'registry.test/secure:1'),
      /x509: certificate signed by unknown authority/,
    );
    await copyFile(encrypted.ca, join(dir, 'ca.crt'));
    const trusted = `${server}ca = "ca.crt"\n`;
    await writeFile(join(dir, 'hosts.toml'), trusted);
    await ok(gantry, 'push', 'registry.test/secure:1');
    await ok(gantry, 'rmi', 'registry.test/secure:1');
    const mirror = `[host."http://${plain.host}"]\ncapabilities = ["pull", "resolve"]\n`;
    await writeFile(join(dir, 'hosts.toml'), `${trusted}${mirror}`);
    assert.match(
      await ok(gantry, 'pull', 'registry.test/secure:1'),
      /Downloaded newer image for registry.test\/secure:1/,
    );
    // What only the mirror has is found there.
    await ok(gantry, 'pull', 'registry.test/from-dockerd:1');
  });
});
