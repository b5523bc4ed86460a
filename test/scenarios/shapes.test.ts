import assert from 'node:assert/strict';
import { onBoth } from '../support/both.ts';
import { create, run } from '../support/containers.ts';
import type { Target } from '../support/target.ts';

// The two engines answer the same fields in every old version of the API, whatever stands in them.

const VERSIONS = ['1.24', '1.30', '1.40', '1.41'];

/** Fields that one engine alone has, and why. */
const MEANT: readonly (readonly [field: RegExp, why: string])[] = [
  [/^inspect\.GraphDriver\.Data\.ID$/, 'newer dockerds tell it'],
  [/^info\.Warnings/, 'depends on what the host lacks'],
  [/^info\.(Runtimes\.|RegistryConfig\.|DriverStatus)/, 'what each engine has'],
  [/^info\.(CDISpecDirs|DiscoveredDevices)/, 'newer dockerds tell it'],
  [/^image\.(ContainerConfig|GraphDriver\.Data)/, 'not kept by newer dockerds, or the directories of each'],
  [/^version\.Components/, 'the tools of each'],
  [/^networks/, 'each has its own'],
  [/^inspect\.HostConfig\.Runtime$/, 'dockerd fills it in at the start, newer ones at create'],
];

/** The places of all fields in a value; the items of a list count as one. */
function fields(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return [...new Set(value.flatMap((item) => fields(item, `${path}[]`)))];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [`${path}.${name}`, ...fields(inner, `${path}.${name}`)]);
}

const seen = new Map<string, string[]>();

/** Notes what the first engine answers, and compares what the second one does. */
function same(what: string, value: unknown): void {
  const found = fields(value, what.split(' ')[0] ?? '')
    .filter((field) => !MEANT.some(([meant]) => meant.test(field)))
    .toSorted();
  assert.ok(found.length > 0, what);
  const other = seen.get(what);
  if (other === undefined) seen.set(what, found);
  else assert.deepEqual(found, other, what);
}

const BODY = {
  Labels: { a: 'b' },
  Env: ['A=b'],
  ExposedPorts: { '80/tcp': {} },
  StopTimeout: 3,
  StopSignal: 'SIGTERM',
  HostConfig: {
    Binds: ['/srv:/srv'],
    Tmpfs: { '/t': '' },
    Memory: 64 << 20,
    Init: true,
    Ulimits: [{ Name: 'nofile', Soft: 512, Hard: 1024 }],
    Sysctls: { 'net.core.somaxconn': '100' },
    CapAdd: ['NET_ADMIN'],
    Mounts: [{ Type: 'tmpfs', Target: '/m' }],
  },
};

async function answers(target: Target, version: string, state: string, id: string): Promise<void> {
  const get = async (path: string): Promise<unknown> => {
    const reply = await target.api('GET', `/v${version}${path}`);
    assert.equal(reply.status, 200, reply.text);
    return reply.json<unknown>();
  };
  same(`inspect of one that ${state}, ${version}`, await get(`/containers/${id}/json`));
  same(`inspect of one that ${state}, with sizes, ${version}`, await get(`/containers/${id}/json?size=1`));
  same(`list of one that ${state}, ${version}`, await get(`/containers/json?all=1&filters={"id":["${id}"]}`));
}

onBoth('shapes', {
  'of a container, before, during and after its run': async (target) => {
    await using made = await create(target, 'exec sleep 1000', BODY);
    await using running = await run(target, 'exec sleep 1000', BODY);
    await using ended = await run(target, 'exit 3', BODY);
    await ended.wait();
    for (const version of VERSIONS) {
      await answers(target, version, 'was made', made.id);
      await answers(target, version, 'runs', running.id);
      await answers(target, version, 'ended', ended.id);
    }
  },
  'of a container in other namespaces': async (target) => {
    for (const NetworkMode of ['host', 'none']) {
      await using c = await create(target, 'true', { HostConfig: { NetworkMode } });
      for (const version of VERSIONS) await answers(target, version, `is to be in ${NetworkMode}`, c.id);
    }
  },
  'of the engine and its images': async (target) => {
    for (const version of VERSIONS) {
      for (const [what, path] of [
        ['info', '/info'],
        ['version', '/version'],
        ['images', '/images/json'],
        ['image', '/images/busybox/json'],
        ['history', '/images/busybox/history'],
        ['usage', '/system/df'],
      ] as const) {
        const reply = await target.api('GET', `/v${version}${path}`);
        assert.equal(reply.status, 200, reply.text);
        same(`${what} ${version}`, reply.json());
      }
    }
  },
  'of an exec': async (target) => {
    await using c = await run(target, 'exec sleep 1000');
    const made = await target.api('POST', `${c.path}/exec`, { Cmd: ['true'], AttachStdout: true });
    const { Id } = made.json<{ Id: string }>();
    for (const version of VERSIONS) {
      same(`exec ${version}`, (await target.api('GET', `/v${version}/exec/${Id}/json`)).json());
      same(`top ${version}`, (await target.api('GET', `/v${version}${c.path}/top`)).json());
    }
  },
});
