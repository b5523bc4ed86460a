import assert from 'node:assert/strict';
import { onBoth } from '../support/both.ts';
import { create, type Made, run } from '../support/containers.ts';
import type { Target } from '../support/target.ts';

type Json = Record<string, unknown>;

interface Details extends Json {
  State: Json;
  Config: Json;
  HostConfig: Json;
  NetworkSettings: Json;
  GraphDriver: Json;
  Mounts: Json[];
}

interface Item extends Json {
  Id: string;
  Names: string[];
  State: string;
  Status: string;
}

async function list(target: Target, query: string, version = 'v1.41'): Promise<Item[]> {
  const reply = await target.api('GET', `/${version}/containers/json?${query}`);
  assert.equal(reply.status, 200, reply.text);
  return reply.json<Item[]>();
}

/** The names that a filter finds, newest first. */
async function found(target: Target, filters: object, all = true): Promise<string[]> {
  const items = await list(target, `all=${all ? 1 : 0}&filters=${encodeURIComponent(JSON.stringify(filters))}`);
  return items.map(({ Names: [name = ''] }) => name.slice(1));
}

async function inspect(target: Target, c: Made, version = 'v1.41'): Promise<Details> {
  return (await target.api('GET', `/${version}${c.path}/json`)).json<Details>();
}

/** Four containers in four states, made in this order; all have gone at the end of the scope. */
async function zoo(target: Target): Promise<AsyncDisposable & Record<'made' | 'ended' | 'runs' | 'held', Made>> {
  await using stack = new AsyncDisposableStack();
  const named = async (name: string, c: Made): Promise<Made> => {
    stack.use(c);
    await target.api('POST', `${c.path}/rename?name=${name}`);
    return c;
  };
  const ports = { ExposedPorts: { '80/tcp': {}, '53/udp': {} } };
  const made = await named('made', await create(target, 'true', { Labels: { kind: 'idle', a: '1' }, ...ports }));
  const ended = await named('ended', await run(target, 'exit 3', { Labels: { kind: 'idle' } }));
  await ended.wait();
  const binds = { HostConfig: { Binds: ['/tmp:/data:ro'], NetworkMode: 'none' } };
  const runs = await named('runs', await run(target, 'exec sleep 1000', { Labels: { kind: 'busy' }, ...binds }));
  const held = await named('held', await run(target, 'exec sleep 1000', { ...ports }));
  await target.api('POST', `${held.path}/pause`);
  const kept = stack.move();
  return { made, ended, runs, held, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const SUMMARY = [
  'Command',
  'Created',
  'HostConfig',
  'Id',
  'Image',
  'ImageID',
  'Labels',
  'Mounts',
  'Names',
  'NetworkSettings',
  'Ports',
  'State',
  'Status',
];

const keys = (value: object): string[] => Object.keys(value).toSorted((a, b) => a.localeCompare(b));

onBoth('lists and details of containers', {
  'filters choose, newest first': async (target) => {
    await using animals = await zoo(target);
    const { ended, runs } = animals;
    const cases: [filters: object, names: string[]][] = [
      [{}, ['held', 'runs', 'ended', 'made']],
      [{ status: ['running'] }, ['runs']],
      [{ status: ['exited', 'created'] }, ['ended', 'made']],
      [{ status: ['paused'] }, ['held']],
      [{ exited: ['3'] }, ['ended']],
      [{ exited: ['1', '2'] }, []],
      [{ label: ['kind'] }, ['runs', 'ended', 'made']],
      [{ label: ['kind=idle'] }, ['ended', 'made']],
      [{ label: ['kind=idle', 'a'] }, ['made']],
      [{ label: ['kind=none'] }, []],
      [{ name: ['e'] }, ['held', 'ended', 'made']],
      [{ name: ['^/?ended$'] }, ['ended']],
      [{ name: ['runs', 'held'] }, ['held', 'runs']],
      [{ id: [ended.id] }, ['ended']],
      [{ id: [ended.id.slice(0, 10), runs.id.slice(0, 10)] }, ['runs', 'ended']],
      [{ before: ['runs'] }, ['ended', 'made']],
      [{ since: ['ended'] }, ['held', 'runs']],
      [{ before: [runs.id], since: ['made'] }, ['ended']],
      [{ ancestor: ['busybox'] }, ['held', 'runs', 'ended', 'made']],
      [{ ancestor: ['busybox:latest'], status: ['exited'] }, ['ended']],
      [{ ancestor: ['nosuch'] }, []],
      [{ network: ['none'] }, ['runs']],
      [{ network: ['nosuch'] }, []],
      [{ volume: ['/tmp'] }, ['runs']],
      [{ volume: ['/data'] }, ['runs']],
      [{ volume: ['nosuch'] }, []],
      // The ports of what runs only.
      [{ expose: ['80/tcp'] }, ['held']],
      [{ expose: ['50-60/udp'] }, ['held']],
      [{ expose: ['81'] }, []],
      [{ publish: ['80'] }, []],
      [{ health: ['none'] }, ['held', 'runs', 'ended', 'made']],
      [{ health: ['healthy'] }, []],
      [{ 'is-task': ['true'] }, []],
      [{ 'is-task': ['false'], status: ['exited'] }, ['ended']],
    ];
    for (const [filters, names] of cases)
      assert.deepEqual(await found(target, filters), names, JSON.stringify(filters));
    assert.deepEqual(await found(target, {}, false), ['held', 'runs'], 'without all, only what runs');
    // A state asked for is looked for among all.
    assert.deepEqual(await found(target, { status: ['exited'] }, false), ['ended']);
    const last = await list(target, 'limit=2');
    assert.deepEqual(
      last.map(({ State }) => State),
      ['paused', 'running'],
    );
    const old = await list(target, 'all=1&filters={"status":{"created":true}}');
    assert.deepEqual(
      old.map(({ Names }) => Names),
      [['/made']],
      'filters as very old clients write them',
    );
  },
  'docker ps shows what they do': async (target) => {
    await using animals = await zoo(target);
    const ps = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await target.docker(['ps', ...args]);
      assert.equal(code, 0, stderr);
      return stdout;
    };
    const rows = (await ps('-a', '--format', '{{.Names}}|{{.State}}|{{.Status}}|{{.Command}}|{{.Ports}}')).split('\n');
    const expected = [
      /^held\|paused\|Up (Less than a second|\d+ seconds?) \(Paused\)\|"sh -c 'exec sleep 1…"\|53\/udp, 80\/tcp$/,
      /^runs\|running\|Up (Less than a second|\d+ seconds?)\|"sh -c 'exec sleep 1…"\|$/,
      /^ended\|exited\|Exited \(3\) (Less than a second|\d+ seconds?) ago\|"sh -c 'exit 3'"\|$/,
      /^made\|created\|Created\|"sh -c true"\|$/,
    ];
    for (const [i, pattern] of expected.entries()) assert.match(rows[i] ?? '', pattern);
    assert.equal(await ps('-q', '--no-trunc'), `${animals.held.id}\n${animals.runs.id}\n`);
    assert.equal(await ps('-lq'), `${animals.held.id.slice(0, 12)}\n`);
    assert.equal(await ps('-n', '3', '--format', '{{.Names}}'), 'held\nruns\nended\n');
    assert.match(await ps(), /^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES\n/);
    const labels = await ps('-a', '--filter', 'name=made', '--format', '{{.Label "kind"}} {{.Image}} {{.Mounts}}');
    assert.equal(labels, 'idle busybox \n');
    const mounts = await ps('--filter', 'name=runs', '--format', '{{.Mounts}} {{.Networks}}');
    assert.equal(mounts, '/tmp none\n');
  },
  'sizes are told when they are asked for': async (target) => {
    await using c = await run(target, 'head -c 100000 /dev/zero > /file');
    await c.wait();
    const [plain] = await list(target, 'all=1');
    assert.deepEqual(keys(plain ?? {}), SUMMARY);
    const [sized] = await list(target, 'all=1&size=1');
    assert.equal(sized?.['SizeRw'], 100_000);
    const whole = Number(sized['SizeRootFs']);
    const image = (await target.api('GET', '/images/busybox/json')).json<{ Size: number }>().Size;
    assert.equal(whole, image + 100_000);
    const details = await target.api('GET', `${c.path}/json?size=1`);
    assert.deepEqual([details.json()['SizeRw'], details.json()['SizeRootFs']], [100_000, whole]);
    assert.equal('SizeRw' in (await inspect(target, c)), false);
    const shown = await target.docker(['ps', '-as', '--format', '{{.Size}}']);
    assert.match(shown.stdout, /^100kB \(virtual [\d.]+MB\)\n$/);
  },
  'details say what was asked for and what has become of it': async (target) => {
    await using c = await run(target, 'exec sleep 1000', {
      Hostname: 'here',
      Domainname: 'there.test',
      User: '1000:10',
      WorkingDir: '/work',
      Env: ['A=b'],
      Labels: { one: 'label' },
      StopSignal: 'SIGINT',
      StopTimeout: 3,
      HostConfig: {
        Binds: ['/tmp:/in:ro'],
        Mounts: [{ Type: 'tmpfs', Target: '/fast', TmpfsOptions: { SizeBytes: 65_536 } }],
        Memory: 64 << 20,
        NanoCpus: 500_000_000,
        CapAdd: ['NET_ADMIN'],
        Dns: ['10.9.8.7'],
        ExtraHosts: ['other:10.1.2.3'],
      },
    });
    const { Id, Name, Path, Args, State, Config, HostConfig, Mounts, NetworkSettings, ...rest } = await inspect(
      target,
      c,
    );
    assert.deepEqual([Id, Path, Args], [c.id, 'sh', ['-c', 'exec sleep 1000']]);
    assert.match(String(Name), /^\/\w+$/);
    const { Pid, StartedAt, ...state } = State;
    assert.ok(Number(Pid) > 1);
    assert.match(String(StartedAt), /^\d{4}-\d\d-\d\dT[\d:]{8}\.\d+Z$/);
    assert.deepEqual(state, {
      Status: 'running',
      Running: true,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      ExitCode: 0,
      Error: '',
      FinishedAt: '0001-01-01T00:00:00Z',
    });
    const config = {
      Hostname: 'here',
      Domainname: 'there.test',
      User: '1000:10',
      WorkingDir: '/work',
      Env: ['A=b'],
      Cmd: ['sh', '-c', 'exec sleep 1000'],
      Image: 'busybox',
      Entrypoint: null,
      Volumes: null,
      OnBuild: null,
      Labels: { one: 'label' },
      StopSignal: 'SIGINT',
      StopTimeout: 3,
      Tty: false,
      OpenStdin: false,
      StdinOnce: false,
      AttachStdin: false,
      AttachStdout: false,
      AttachStderr: false,
    };
    assert.deepEqual(Config, config);
    const host: Json = {
      Binds: ['/tmp:/in:ro'],
      Memory: 67_108_864,
      MemorySwap: 134_217_728,
      NanoCpus: 500_000_000,
      CapAdd: ['NET_ADMIN'],
      CapDrop: null,
      NetworkMode: 'default',
      IpcMode: 'private',
      PidMode: '',
      ShmSize: 67_108_864,
      Runtime: 'runc',
      LogConfig: { Type: 'json-file', Config: {} },
      AutoRemove: false,
      Privileged: false,
      ReadonlyRootfs: false,
      Dns: ['10.9.8.7'],
      ExtraHosts: ['other:10.1.2.3'],
      ConsoleSize: [0, 0],
      VolumesFrom: null,
      Isolation: '',
    };
    for (const [key, value] of Object.entries(host)) assert.deepEqual(HostConfig[key], value, key);
    assert.ok((HostConfig['MaskedPaths'] as string[]).includes('/proc/kcore'));
    assert.ok((HostConfig['ReadonlyPaths'] as string[]).includes('/proc/sys'));
    const mounts = Mounts.toSorted((a, b) => String(a['Type']).localeCompare(String(b['Type'])));
    const bind = { Type: 'bind', Source: '/tmp', Destination: '/in', Mode: 'ro', RW: false };
    const { Propagation, ...seen } = mounts[0] ?? {};
    assert.deepEqual(seen, bind);
    assert.match(String(Propagation), /^r(private|slave)$/);
    assert.deepEqual(mounts[1], {
      Type: 'tmpfs',
      Source: '',
      Destination: '/fast',
      Mode: '',
      RW: true,
      Propagation: '',
    });
    assert.equal(rest['Driver'], 'overlay2');
    assert.equal(rest['Platform'], 'linux');
    assert.equal(rest['RestartCount'], 0);
    assert.equal(rest['ExecIDs'], null);
    for (const file of ['LogPath', 'HostsPath', 'HostnamePath', 'ResolvConfPath']) {
      assert.ok(String(rest[file]).includes(c.id), file);
    }
    assert.deepEqual(rest.GraphDriver['Name'], 'overlay2');
    const networks = NetworkSettings['Networks'] as Record<string, Json>;
    assert.deepEqual(Object.keys(networks), ['bridge']);
  },
  'addresses are told while it runs, on the old and the new place': async (target) => {
    await using c = await run(target, 'exec sleep 1000');
    const { NetworkSettings: settings } = await inspect(target, c);
    const { bridge = {} } = settings['Networks'] as Record<string, Json>;
    for (const key of ['IPAddress', 'IPPrefixLen', 'Gateway', 'MacAddress', 'EndpointID']) {
      assert.deepEqual(settings[key], bridge[key], key);
    }
    assert.match(String(bridge['IPAddress']), /^(\d+\.){3}\d+$/);
    assert.match(String(bridge['MacAddress']), /^([\da-f]{2}:){5}[\da-f]{2}$/);
    assert.match(String(bridge['EndpointID']), /^[\da-f]{64}$/);
    assert.match(String(settings['SandboxKey']), /^\//);
    const inside = await target.docker(['exec', c.id, 'ip', 'addr', 'show', 'eth0']);
    assert.ok(inside.stdout.includes(`inet ${String(bridge['IPAddress'])}/${String(bridge['IPPrefixLen'])} `));
    assert.ok(inside.stdout.includes(String(bridge['MacAddress'])));
    await target.api('POST', `${c.path}/kill`);
    await c.wait();
    const { NetworkSettings: after } = await inspect(target, c);
    assert.deepEqual([after['IPAddress'], after['Ports']], ['', {}]);
    assert.equal((after['Networks'] as Record<string, Json>)['bridge']?.['IPAddress'], '');
  },
  'a container that failed tells why': async (target) => {
    await using c = await create(target, 'true', { Cmd: ['/nosuch'] });
    await target.api('POST', `${c.path}/start`);
    const { State } = await inspect(target, c);
    assert.match(String(State['Error']), /\/nosuch.*no such file or directory/);
    assert.equal(State['ExitCode'], 127);
  },
  'old versions of the API are answered in their own shape': async (target) => {
    await using c = await create(target, 'true');
    for (const version of ['v1.24', 'v1.30', 'v1.40', 'v1.41']) {
      const details = await inspect(target, c, version);
      assert.equal(typeof details.NetworkSettings['IPAddress'], 'string', version);
      assert.equal('KernelMemory' in details.HostConfig, true, version);
      const [item] = await list(target, 'all=1', version);
      assert.deepEqual(keys(item ?? {}), SUMMARY, version);
    }
    if (target.name === 'dockerd') return;
    // From 1.42 on, which the dockerd of the test does not know.
    const young = await inspect(target, c, 'v1.51');
    assert.equal('KernelMemory' in young.HostConfig, false);
  },
  'docker inspect finds by name, id and part of it, and says what it does not find': async (target) => {
    await using c = await create(target, 'true');
    const ids = await target.docker(['inspect', '--type', 'container', '-f', '{{.Id}}', c.id, c.id.slice(0, 7)]);
    assert.equal(ids.stdout, `${c.id}\n${c.id}\n`);
    const missing = await target.docker(['inspect', '-f', '{{.Id}}', c.id, 'nosuch']);
    assert.equal(missing.code, 1);
    assert.equal(missing.stdout, `${c.id}\n`);
    assert.match(missing.stderr, /No such object: nosuch/i);
  },
});
