import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { ContainerConfigSchema, HostConfigSchema } from '../../spec/container.ts';
import { kindOf } from '../../util/errors.ts';
import { filterContainers } from './filter.ts';
import { type Container, type ContainerState, NEVER } from './model.ts';

const pad = (start: string) => start.padEnd(64, '0');

interface Shape extends Partial<Omit<Container, 'config' | 'hostConfig' | 'state'>> {
  config?: object;
  hostConfig?: object;
  state?: Partial<ContainerState>;
}

function container(name: string, id: string, created: string, shape: Shape = {}): Container {
  const { config = {}, hostConfig = {}, state = {}, ...rest } = shape;
  return {
    id: pad(id),
    name,
    created,
    imageId: 'sha256:one',
    config: v.parse(ContainerConfigSchema, config),
    hostConfig: v.parse(HostConfigSchema, { NetworkMode: 'default', ...hostConfig }),
    networks: {},
    path: 'sh',
    args: [],
    mounts: [],
    state: {
      status: 'running',
      pid: 1,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: created,
      finishedAt: NEVER,
      shim: '',
      stoppedByHand: false,
      pausedForCommit: false,
      restartDelay: 0,
      health: undefined,
      ...state,
    },
    restartCount: 0,
    endpoints: {},
    ports: {},
    sandboxKey: '',
    execIds: [],
    files: { hostname: '', hosts: '', resolvConf: '', log: '' },
    graph: { lower: [], upper: '', work: '', merged: '' },
    ...rest,
  };
}

const web = container('web', 'aa11', '2026-01-01T00:00:01Z', {
  config: { Labels: { tier: 'front', v: '1' }, ExposedPorts: { '80/tcp': {}, '53/udp': {} } },
  ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }], '53/udp': [] },
  endpoints: {
    bridge: { networkId: 'feed0', endpointId: '', gateway: '', ipAddress: '', prefixLength: 0, macAddress: '' },
  },
});
const db = container('db', 'ab22', '2026-01-01T00:00:01.5Z', {
  imageId: 'sha256:two',
  state: { status: 'exited', exitCode: 3 },
  mounts: [
    {
      type: 'volume',
      name: 'data',
      source: '/v/data',
      destination: '/var/lib',
      driver: 'local',
      mode: '',
      rw: true,
      propagation: '',
    },
  ],
});
const job = container('job', 'cc33', '2026-01-01T00:00:02Z', {
  state: { status: 'created', startedAt: NEVER },
  hostConfig: { NetworkMode: 'none' },
});
const idle = container('idle-web', 'dd44', '2026-01-01T00:00:03Z', { state: { status: 'paused' } });
const everyone = [db, idle, web, job];

function names(filters: Record<string, string[]>, options: { all?: boolean; limit?: number } = {}): string {
  const found = filterContainers(everyone, {
    all: options.all ?? true,
    limit: options.limit ?? 0,
    filters: new Map(Object.entries(filters)),
    imagesOf: (ref) =>
      ref === 'base' ? new Set(['sha256:one', 'sha256:two']) : ref === 'two' ? new Set(['sha256:two']) : undefined,
    health: ({ name }) => (name === 'web' ? 'healthy' : 'none'),
  });
  return found.map(({ name }) => name).join(' ');
}

test('newest first; without `all` only what runs, paused included', () => {
  assert.equal(names({}), 'idle-web job db web');
  assert.equal(names({}, { all: false }), 'idle-web web');
});

test('a limit and a status reach stopped ones too', () => {
  assert.equal(names({}, { all: false, limit: 2 }), 'idle-web job');
  assert.equal(names({ status: ['exited'] }, { all: false }), 'db');
  assert.equal(names({ status: ['exited', 'paused'] }, { limit: 1 }), 'idle-web');
  assert.equal(names({ exited: ['3'] }, { all: false }), '');
});

test('names are patterns, with and without slash', () => {
  assert.equal(names({ name: ['web'] }), 'idle-web web');
  assert.equal(names({ name: ['^web$'] }), 'web');
  assert.equal(names({ name: ['/web'] }), 'web');
  assert.equal(names({ name: ['^/idle', 'db'] }), 'idle-web db');
  assert.equal(names({ name: ['('] }), '');
});

test('an id must be the beginning of one alone', () => {
  assert.equal(names({ id: ['aa'] }), 'web');
  assert.equal(names({ id: ['a'] }), '');
  assert.equal(names({ id: ['b22'] }), '');
  assert.equal(names({ id: [''] }), '');
  assert.equal(names({ id: ['cc', 'dd'] }), 'idle-web job');
  assert.equal(names({ id: ['cc'], name: ['web'] }), '');
});

test('labels, ancestor, volume, network, health, isolation, task', () => {
  assert.equal(names({ label: ['tier=front', 'v'] }), 'web');
  assert.equal(names({ label: ['tier=back'] }), '');
  assert.equal(names({ ancestor: ['two'] }), 'db');
  assert.equal(names({ ancestor: ['base'] }), 'idle-web job db web');
  assert.equal(names({ ancestor: ['nothing'] }), '');
  assert.equal(names({ volume: ['data'] }), 'db');
  assert.equal(names({ volume: ['/var/lib'] }), 'db');
  assert.equal(names({ volume: ['dat'] }), '');
  assert.equal(names({ network: ['feed'] }), 'web');
  assert.equal(names({ network: ['bridge'] }), 'idle-web db web');
  assert.equal(names({ network: ['none'] }), 'job');
  assert.equal(names({ health: ['healthy'] }), 'web');
  assert.equal(names({ isolation: ['default'] }), 'idle-web job db web');
  assert.equal(names({ 'is-task': ['true'] }), '');
  assert.equal(names({ 'is-task': ['false'], name: ['db'] }), 'db');
});

test('before and since take a full id or a name', () => {
  assert.equal(names({ before: ['job'] }), 'db web');
  assert.equal(names({ since: ['/web'] }), 'idle-web job db');
  assert.equal(names({ since: [pad('aa11')], before: ['idle-web'] }), 'job db');
  assert.throws(
    () => names({ before: ['cc33'] }),
    (error: Error) => error.message === 'no such container cc33' && kindOf(error) === 'not-found',
  );
});

test('exit codes count only after an end', () => {
  assert.equal(names({ exited: ['3'] }), 'db');
  assert.equal(names({ exited: ['0'] }), '');
});

test('ports: expose is the container side, publish the side of the host', () => {
  assert.equal(names({ expose: ['80'] }), 'web');
  assert.equal(names({ expose: ['50-60/udp'] }), 'web');
  assert.equal(names({ expose: ['53'] }), '');
  assert.equal(names({ publish: ['8080/tcp'] }), 'web');
  assert.equal(names({ publish: ['80'] }), '');
});

test('values that cannot be are refused in words of Docker', () => {
  const cases: [string, string, string][] = [
    ['foo', '1', "invalid filter 'foo'"],
    ['status', 'run', "invalid filter 'status=run'"],
    ['health', 'x', 'Unrecognised filter value for health: x'],
    ['is-task', 'x', "invalid filter 'is-task=[x]'"],
    ['exited', 'x', 'strconv.Atoi: parsing "x": invalid syntax'],
    ['expose', 'x', 'error while looking up for expose x: strconv.ParseUint: parsing "x": invalid syntax'],
    [
      'expose',
      '70000',
      'error while looking up for expose 70000: strconv.ParseUint: parsing "70000": value out of range',
    ],
    ['publish', '', 'error while looking up for publish : Empty string specified for ports.'],
    ['publish', '80:90', "filter for 'publish' should not contain ':': 80:90"],
    ['publish', '9-8', 'error while looking up for publish 9-8: Invalid range specified for the Port: 9-8'],
  ];
  for (const [key, value, message] of cases) {
    assert.throws(
      () => names({ [key]: [value] }),
      (error: Error) => error.message === message && kindOf(error) === 'invalid',
      message,
    );
  }
});
