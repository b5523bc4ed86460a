import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cpus, hostname, release, totalmem } from 'node:os';
import { onBoth } from '../support/both.ts';
import { create, run } from '../support/containers.ts';

interface Info {
  ID: string;
  Containers: number;
  ContainersRunning: number;
  ContainersPaused: number;
  ContainersStopped: number;
  Images: number;
  [key: string]: unknown;
}

onBoth('the core of the API', {
  'a ping answers on every road, with what clients negotiate by': async (target) => {
    const newest = target.name === 'dockerd' ? '1.41' : '1.51';
    for (const [method, path] of [
      ['GET', '/_ping'],
      ['HEAD', '/_ping'],
      ['GET', '/v1.24/_ping'],
      ['HEAD', '/v1.41/_ping'],
    ] as const) {
      const { status, headers, text } = await target.api(method, path);
      assert.equal(status, 200, path);
      assert.equal(text, method === 'GET' ? 'OK' : '');
      assert.equal(headers['api-version'], newest);
      assert.equal(headers['ostype'], 'linux');
      assert.match(String(headers['server']), /^\w+\/\S+ \(linux\)$/);
      assert.equal(headers['docker-experimental'], 'false');
      assert.equal(headers['cache-control'], 'no-cache, no-store, must-revalidate');
      assert.equal(headers['pragma'], 'no-cache');
      assert.match(String(headers['content-type']), /^text\/plain; charset=utf-8$/);
    }
  },
  'every answer tells the version it speaks': async (target) => {
    const newest = target.name === 'dockerd' ? '1.41' : '1.51';
    for (const path of ['/version', '/containers/nosuch/json', '/v9.99/info']) {
      const { headers, text } = await target.api('GET', path);
      assert.equal(headers['api-version'], newest, path);
      assert.match(String(headers['content-type']), /^application\/json/, path);
      if (path !== '/version') assert.deepEqual(Object.keys(JSON.parse(text)), ['message'], path);
    }
  },
  'version tells truly what runs here': async (target) => {
    const reply = (await target.api('GET', '/version')).json();
    assert.equal(reply['Os'], 'linux');
    assert.equal(reply['Arch'], process.arch === 'x64' ? 'amd64' : process.arch);
    assert.equal(reply['KernelVersion'], release());
    assert.equal(reply['ApiVersion'], target.name === 'dockerd' ? '1.41' : '1.51');
    assert.equal(reply['MinAPIVersion'], target.name === 'dockerd' ? '1.12' : '1.24');
    const components = reply['Components'] as { Name: string; Version: string; Details?: Record<string, string> }[];
    assert.ok(components.some(({ Name, Version }) => Name === 'Engine' && Version === reply['Version']));
    const runc = components.find(({ Name }) => Name === 'runc');
    assert.match(runc?.Version ?? '', /^\d+\.\d+\.\d+/);
    const said = await target.docker(['version', '--format', '{{.Server.Version}} {{.Server.Os}}']);
    assert.equal(said.stdout, `${String(reply['Version'])} linux\n`, said.stderr);
  },
  'info tells truly what the host is': async (target) => {
    const info = (await target.api('GET', '/v1.41/info')).json<Info>();
    const pretty = /^PRETTY_NAME="?([^"\n]*)/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
    const forwarding = readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim() === '1';
    const facts = {
      NCPU: cpus().length,
      MemTotal: totalmem(),
      Name: hostname(),
      KernelVersion: release(),
      OperatingSystem: pretty,
      OSType: 'linux',
      IPv4Forwarding: forwarding,
      Driver: 'overlay2',
      LoggingDriver: 'json-file',
      ExperimentalBuild: false,
    };
    // dockerd says so when process 1 is in a cgroup, as it is in a namespace of its own.
    info['OperatingSystem'] = String(info['OperatingSystem']).replace(/ \(containerized\)$/, '');
    for (const [key, value] of Object.entries(facts)) assert.deepEqual(info[key], value, key);
    assert.ok((info['SecurityOptions'] as string[]).some((option) => option.startsWith('name=seccomp,profile=')));
    assert.ok(String(info['DockerRootDir']).startsWith('/'));
    assert.deepEqual((info['Swarm'] as { LocalNodeState: string }).LocalNodeState, 'inactive');
    assert.ok((info['Plugins'] as { Log: string[] }).Log.includes('json-file'));
    assert.ok(Math.abs(Date.parse(String(info['SystemTime'])) - Date.now()) < 60_000);
    assert.ok(Object.keys(info['Runtimes'] as object).includes(String(info['DefaultRuntime'])));
    assert.ok(['1', '2'].includes(String(info['CgroupVersion'])));
    const again = (await target.api('GET', '/info')).json<Info>();
    assert.equal(again.ID, info.ID);
  },
  'info counts containers by state': async (target) => {
    const counts = async (): Promise<number[]> => {
      const info = (await target.api('GET', '/info')).json<Info>();
      return [info.Containers, info.ContainersRunning, info.ContainersPaused, info.ContainersStopped, info.Images];
    };
    assert.deepEqual(await counts(), [0, 0, 0, 0, 1]);
    await using created = await create(target, 'true');
    await using running = await run(target, 'exec sleep 1000');
    await using paused = await run(target, 'exec sleep 1000');
    await target.api('POST', `${paused.path}/pause`);
    assert.deepEqual(await counts(), [3, 1, 1, 1, 1]);
    await target.api('POST', `${paused.path}/unpause`);
    assert.ok(created.id !== running.id);
  },
  'booleans of a query are read as Docker reads them': async (target) => {
    await using c = await create(target, 'true');
    const listed = async (all: string): Promise<boolean> => {
      const reply = await target.api('GET', `/containers/json?all=${encodeURIComponent(all)}`);
      return reply.json<{ Id: string }[]>().some(({ Id }) => Id === c.id);
    };
    for (const yes of ['1', 'true', 'True', 'yes', 'anything', '2']) assert.equal(await listed(yes), true, yes);
    for (const no of ['', '0', 'false', 'FALSE', 'no', 'none', ' false ']) assert.equal(await listed(no), false, no);
  },
  'a request names a field in any case and others are ignored': async (target) => {
    const body = { image: 'busybox', CMD: ['true'], Nonsense: { deep: [1] }, hostconfig: { autoremove: true } };
    const made = await target.api('POST', '/v1.41/containers/create', body);
    assert.equal(made.status, 201, made.text);
    const path = `/containers/${made.json<{ Id: string }>().Id}`;
    const seen = (await target.api('GET', `${path}/json`)).json<{
      Path: string;
      HostConfig: { AutoRemove: boolean };
    }>();
    assert.deepEqual([seen.Path, seen.HostConfig.AutoRemove], ['true', true]);
    assert.equal((await target.api('DELETE', path)).status, 204);
  },
  'every version that is accepted can list and inspect': async (target) => {
    await using c = await create(target, 'true');
    const newest = target.name === 'dockerd' ? 41 : 51;
    for (let minor = 24; minor <= newest; minor += 1) {
      const list = (await target.api('GET', `/v1.${minor}/containers/json?all=1`)).json<{ Id: string }[]>();
      assert.ok(
        list.some(({ Id }) => Id === c.id),
        `1.${minor}`,
      );
      assert.equal((await target.api('GET', `/v1.${minor}${c.path}/json`)).status, 200, `1.${minor}`);
    }
  },
  'routes and versions that there are not are refused': async (target) => {
    for (const [method, path] of [
      ['GET', '/nosuch'],
      ['GET', '/v1.41/nosuch'],
      ['POST', '/v1.41/containers/json'],
      ['DELETE', '/v1.41/version'],
      ['GET', '/v1.x/version'],
      ['GET', '/'],
    ] as const) {
      const reply = await target.api(method, path);
      assert.deepEqual([reply.status, reply.text.trim()], [404, '{"message":"page not found"}'], path);
    }
    const [least, most] = target.name === 'dockerd' ? ['1.12', '1.41'] : ['1.24', '1.51'];
    const young = await target.api('GET', '/v9.99/version');
    assert.equal(young.status, 400);
    assert.ok(young.text.includes(`client version 9.99 is too new. Maximum supported API version is ${most}`));
    const old = await target.api('GET', '/v1.10/version');
    assert.equal(old.status, 400);
    const advice = 'please upgrade your client to a newer version';
    assert.ok(
      old.text.includes(`client version 1.10 is too old. Minimum supported API version is ${least}, ${advice}`),
      old.text,
    );
  },
});
