import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as v from 'valibot';
import { ContainerConfigSchema, EndpointConfigSchema, HostConfigSchema } from '../../spec/container.ts';
import { fakeContainer } from '../fake-engine.ts';
import { containerInspect } from './container-inspect.ts';
import { commandLine, containerSummary } from './container-summary.ts';
import { portMap, portSummaries } from './ports.ts';

const summary = (api: number, c = fakeContainer()) => containerSummary(c, { image: 'busybox', now: Date.now(), api });

test('arguments with blanks are quoted', () => {
  assert.equal(commandLine('sh', ['-c', 'echo hi; sleep 30']), "sh -c 'echo hi; sleep 30'");
  assert.equal(commandLine('cat', []), 'cat');
});

test('published ports come with their place, exposed ones without', () => {
  const ports = {
    '90/udp': [],
    '80/tcp': [
      { HostIp: '0.0.0.0', HostPort: '32768' },
      { HostIp: '127.0.0.1', HostPort: '80' },
    ],
  };
  assert.deepEqual(portSummaries(ports), [
    { IP: '127.0.0.1', PrivatePort: 80, PublicPort: 80, Type: 'tcp' },
    { IP: '0.0.0.0', PrivatePort: 80, PublicPort: 32768, Type: 'tcp' },
    { PrivatePort: 90, Type: 'udp' },
  ]);
  assert.equal(portMap(ports)['90/udp'], null);
  assert.equal(portMap(ports)['80/tcp']?.length, 2);
});

test('a list item has Docker’s fields', () => {
  const c = fakeContainer({ name: 'web' });
  const item = summary(51, c);
  assert.deepEqual(item.Names, ['/web']);
  assert.equal(item.Created, Date.parse('2026-11-23T20:00:00Z') / 1000);
  assert.equal(item.State, 'running');
  assert.equal(item.Status, 'Up 5 minutes');
  assert.deepEqual(item.HostConfig, { NetworkMode: 'default' });
  assert.equal(item.NetworkSettings.Networks['bridge']?.IPAddress, '172.17.0.2');
});

test('annotations are shown from 1.46 on', () => {
  const c = fakeContainer({ hostConfig: v.parse(HostConfigSchema, { Annotations: { a: '1' } }) });
  assert.equal('Annotations' in summary(45, c).HostConfig, false);
  assert.deepEqual(summary(46, c).HostConfig, { NetworkMode: '', Annotations: { a: '1' } });
});

test('a network a stopped container is to join is listed with empty addresses', () => {
  const c = fakeContainer({ endpoints: {}, networks: { mine: v.parse(EndpointConfigSchema, { Aliases: ['db'] }) } });
  const endpoint = summary(51, c).NetworkSettings.Networks['mine'];
  assert.equal(endpoint?.IPAddress, '');
  assert.deepEqual(endpoint?.Aliases, ['db']);
  assert.deepEqual(endpoint?.DNSNames, [c.name, 'db', c.id.slice(0, 12)]);
});

test('inspect leaves out what Docker leaves out and keeps the other zero values', () => {
  const shape = containerInspect(fakeContainer(), { api: 51 });
  for (const name of ['Healthcheck', 'Shell', 'StopSignal', 'ExposedPorts'])
    assert.equal(name in shape.Config, false, name);
  for (const name of ['Tmpfs', 'Sysctls', 'Mounts', 'Init']) assert.equal(name in shape.HostConfig, false, name);
  assert.equal(shape.HostConfig.Binds, null);
  assert.equal(shape.Config.Volumes, null);
  assert.equal(shape.ExecIDs, null);
  assert.equal('SizeRw' in shape, false);
});

test('inspect shows what is set', () => {
  const config = v.parse(ContainerConfigSchema, {
    Volumes: { '/v': {} },
    StopSignal: 'SIGINT',
    ExposedPorts: { '80/tcp': {} },
  });
  const hostConfig = v.parse(HostConfigSchema, { Init: true, Tmpfs: { '/t': '' } });
  const c = fakeContainer({ config, hostConfig, execIds: ['e1'], restartCount: 3 });
  const shape = containerInspect(c, { api: 51, size: { rw: 1, rootFs: 2 } });
  assert.deepEqual(shape.Config.Volumes, { '/v': {} });
  assert.equal(shape.Config.StopSignal, 'SIGINT');
  assert.deepEqual(shape.Config.ExposedPorts, { '80/tcp': {} });
  assert.equal(shape.HostConfig.Init, true);
  assert.deepEqual(shape.HostConfig.Tmpfs, { '/t': '' });
  assert.deepEqual(shape.ExecIDs, ['e1']);
  assert.equal(shape.SizeRw, 1);
  assert.equal(shape.SizeRootFs, 2);
  assert.equal(shape.RestartCount, 3);
});

test('the state’s booleans follow the status', () => {
  const base = fakeContainer();
  const of = (status: 'paused' | 'restarting' | 'exited' | 'dead') =>
    containerInspect(fakeContainer({ state: { ...base.state, status } }), { api: 51 }).State;
  assert.deepEqual([of('paused').Running, of('paused').Paused], [true, true]);
  assert.deepEqual([of('restarting').Running, of('restarting').Restarting], [true, true]);
  assert.deepEqual([of('exited').Running, of('dead').Dead], [false, true]);
});

test('old clients find the address at the top', () => {
  const settings = containerInspect(fakeContainer(), { api: 24 }).NetworkSettings;
  assert.equal(settings.IPAddress, '172.17.0.2');
  assert.equal(settings.Gateway, '172.17.0.1');
  assert.equal('DNSNames' in (settings.Networks['bridge'] ?? {}), false);
});

test('kernel memory is shown to clients that know it', () => {
  assert.equal('KernelMemory' in containerInspect(fakeContainer(), { api: 41 }).HostConfig, true);
  assert.equal('KernelMemory' in containerInspect(fakeContainer(), { api: 42 }).HostConfig, false);
});
