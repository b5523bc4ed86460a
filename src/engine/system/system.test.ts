import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { test } from 'node:test';
import { probeHost } from '../../kernel/host/host-facts.ts';
import { openSystem, proxies, warningsOf } from './system.ts';
import { parseVersion, readToolVersions } from './tool-versions.ts';

const host = await probeHost();
const runtimes = { byName: new Map([['runc', { binary: '/usr/bin/runc', root: '/run/x' }]]), defaultName: 'runc' };
const events = { listeners: 3, emit: () => {} };
const base = { id: 'engine-1', version: '1.2.3', host, runtimes, events, loggingDriver: 'local' };
const confined = { seccompProfile: 'builtin', usernsRemap: '', specDefaults: { noNewPrivileges: false } };
const config = {
  dataRoot: tmpdir(),
  registries: { mirrors: [], insecure: [] },
  cdiSpecDirs: ['/nonexistent'],
  ...confined,
  debug: false,
  logLevel: 'info',
  maxConcurrentDownloads: 3,
  maxConcurrentUploads: 5,
  defaultShmSize: 64 << 20,
  defaultIpcMode: 'private',
  shutdownTimeout: undefined,
};

test('facts are those of this host', async () => {
  const system = openSystem({ ...base, config });
  const facts = await system.facts();
  assert.equal(facts.name, hostname());
  assert.equal(facts.kernelVersion, readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
  assert.equal(facts.version, '1.2.3');
  assert.equal(facts.eventsListeners, 3);
  assert.equal(facts.loggingDriver, 'local');
  const bridgeNf = '/proc/sys/net/bridge/bridge-nf-call-iptables';
  assert.equal(facts.bridgeNf.iptables, existsSync(bridgeNf) && readFileSync(bridgeNf, 'utf8').trim() === '1');
  assert.deepEqual(facts.runtimes, { runc: { path: '/usr/bin/runc' } });
  assert.equal(facts.defaultRuntime, 'runc');
  assert.ok(facts.openFiles > 2);
  assert.ok(facts.memory > 1_000_000 && facts.cpus >= 1);
  assert.notEqual(facts.storage.backingFilesystem, '');
  assert.equal(facts.ipv4Forwarding, readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim() === '1');
});

test('a reload shows', async () => {
  const system = openSystem({ ...base, config });
  assert.equal((await system.facts()).debug, false);
  system.reloaded({ ...config, debug: true, registries: { mirrors: ['https://m.example'], insecure: [] } });
  const facts = await system.facts();
  assert.deepEqual([facts.debug, facts.dataRoot, facts.cdiSpecDirs], [true, tmpdir(), ['/nonexistent']]);
  assert.deepEqual(facts.registries.mirrors, ['https://m.example']);
});

test('a reload is announced with how the daemon is configured then', () => {
  const told: unknown[] = [];
  const system = openSystem({ ...base, config, events: { listeners: 0, emit: (event) => told.push(event) } });
  const registries = { mirrors: ['https://m.example'], insecure: ['r.example:5000'] };
  system.reloaded({ ...config, debug: true, logLevel: 'debug', registries, shutdownTimeout: 7 });
  system.reloaded(config);
  const plain = {
    name: hostname(),
    debug: 'false',
    'log-level': 'info',
    'default-ipc-mode': 'private',
    'default-shm-size': '67108864',
    'default-runtime': 'runc',
    runtimes: 'runc:/usr/bin/runc',
    'registry-mirrors': '[]',
    'insecure-registries': '[]',
    'max-concurrent-downloads': '3',
    'max-concurrent-uploads': '5',
    'live-restore': 'true',
  };
  const changed = {
    debug: 'true',
    'log-level': 'debug',
    'registry-mirrors': '["https://m.example"]',
    'insecure-registries': '["r.example:5000"]',
    'shutdown-timeout': '7',
  };
  const event = { type: 'daemon', action: 'reload' };
  assert.deepEqual(told, [
    { ...event, actor: { id: 'engine-1', attributes: { ...plain, ...changed } } },
    { ...event, actor: { id: 'engine-1', attributes: plain } },
  ]);
});

test('how containers are confined is told, with a warning when it is less than usual', async () => {
  const told = async (over: object, facts = {}) => {
    const system = openSystem({ ...base, host: { ...host, ...facts }, config: { ...config, ...over } });
    return system.facts();
  };
  const usual = await told({}, { seccomp: true, apparmor: true, cgroup: { ...host.cgroup, version: 2 } });
  assert.deepEqual(usual.securityOptions, ['name=apparmor', 'name=seccomp,profile=builtin', 'name=cgroupns']);
  const { securityOptions, warnings } = await told(
    { seccompProfile: 'unconfined', specDefaults: { noNewPrivileges: true } },
    { seccomp: true, apparmor: false, cgroup: { ...host.cgroup, version: 1 } },
  );
  assert.deepEqual(securityOptions, ['name=seccomp,profile=unconfined', 'name=no-new-privileges']);
  assert.ok(warnings.includes('WARNING: daemon is not using the default seccomp profile'));
});

test('a data root that is gone does not make the facts fail', async () => {
  const system = openSystem({ ...base, config: { ...config, dataRoot: '/nonexistent/x' } });
  assert.equal((await system.facts()).storage.backingFilesystem, '<unknown>');
});

test('versions are read in every form they are printed in', async () => {
  assert.equal(parseVersion('runc version 1.1.5+ds1\ncommit: x'), '1.1.5+ds1');
  assert.equal(parseVersion('containerd-shim-runc-v2:\n  Version:  1.6.20~ds1\n  Revision: y'), '1.6.20~ds1');
  assert.equal(parseVersion('tini version 0.19.0'), '0.19.0');
  assert.equal(parseVersion('crun version 1.8.1'), '1.8.1');
  assert.equal(parseVersion('usage: x'), '');
  assert.equal((await readToolVersions('')).init, '');
  assert.equal((await readToolVersions('/nonexistent/tini')).init, '');
});

test('what is missing is warned of', () => {
  const limits = Object.fromEntries(
    Object.keys(host.limits).map((name) => [name, true]),
  ) as unknown as typeof host.limits;
  const cgroup = { ...host.cgroup, version: 1 as const };
  assert.deepEqual(warningsOf({ limits, cgroup }, true), []);
  assert.deepEqual(warningsOf({ limits: { ...limits, swap: false }, cgroup }, false), [
    'WARNING: No swap limit support',
    'WARNING: IPv4 forwarding is disabled',
  ]);
  const noBlocks = { ...limits, blkioWeight: false, blkioWeightDevice: false, blkioThrottle: false };
  assert.deepEqual(warningsOf({ limits: noBlocks, cgroup }, true), [
    'WARNING: No blkio throttle.read_bps_device support',
    'WARNING: No blkio throttle.write_bps_device support',
    'WARNING: No blkio throttle.read_iops_device support',
    'WARNING: No blkio throttle.write_iops_device support',
  ]);
  assert.deepEqual(warningsOf({ limits: noBlocks, cgroup: { ...cgroup, version: 2 } }, true), [
    'WARNING: No io.weight support',
    'WARNING: No io.weight (per device) support',
    'WARNING: No io.max (rbps) support',
    'WARNING: No io.max (wbps) support',
    'WARNING: No io.max (riops) support',
    'WARNING: No io.max (wiops) support',
  ]);
  const without = { ...limits, oomKillDisable: false };
  assert.deepEqual(warningsOf({ limits: without, cgroup }, true), ['WARNING: No oom kill disable support']);
  assert.deepEqual(warningsOf({ limits: without, cgroup: { ...cgroup, version: 2 } }, true), []);
});

test('passwords of proxies stay secret', () => {
  assert.deepEqual(proxies({ HTTP_PROXY: 'http://me:secret@p:3128', no_proxy: 'localhost' }), {
    http: 'http://xxxxx:xxxxx@p:3128',
    https: '',
    no: 'localhost',
  });
});
