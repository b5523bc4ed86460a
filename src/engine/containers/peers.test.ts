import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { testContainer } from '../runtime-spec/test-container.ts';
import type { Container } from './model.ts';
import { findJoined, joinsRestarting } from './peers.ts';
import { Registry } from './registry.ts';
import { track } from './tracked.ts';

const bundles = mkdtempSync(join(tmpdir(), 'gantry-peers-'));
after(() => rmSync(bundles, { recursive: true }));

const registry = new Registry();
const parts = { registry, paths: { bundles, containers: '', init: '', scratch: '', execs: '' } };

function known(id: string, hostConfig: object, pid: number): Container {
  const plain = testContainer({ HostConfig: hostConfig });
  const state = { ...plain.state, pid, status: pid === 0 ? ('exited' as const) : ('running' as const) };
  const container = { ...plain, id, name: id, state };
  registry.reserve(`name-${id}`, id);
  registry.add(track(container));
  return container;
}

const joined = (hostConfig: object) => findJoined(parts, { ...testContainer({ HostConfig: hostConfig }), id: 'self' });

known('shares', { IpcMode: 'shareable' }, 10);
mkdirSync(join(bundles, 'shares', 'shm'), { recursive: true });
known('chained', { IpcMode: 'container:shares' }, 11);
known('host', { IpcMode: 'host', PidMode: 'host' }, 12);
known('private', { IpcMode: 'private' }, 13);
known('stopped', { IpcMode: 'shareable' }, 0);

test('alone, nothing is joined', () => {
  assert.deepEqual(joined({}), { peers: {}, shm: undefined, owners: {} });
  assert.equal(joined({ IpcMode: 'shareable' }).shm, join(bundles, 'self', 'shm'));
});

test('an ipc is joined with the memory of the first in the chain', () => {
  const { peers, shm, owners } = joined({ IpcMode: 'container:chained' });
  assert.deepEqual([peers, shm], [{ ipc: 11 }, join(bundles, 'shares', 'shm')]);
  assert.equal(owners.IPC?.id, 'chained');
});

test('who is in the host’s namespace passes the host’s on', () => {
  const { peers, shm } = joined({ IpcMode: 'container:host', PidMode: 'container:host' });
  assert.deepEqual([peers, shm], [{ ipc: 'host', pid: 'host' }, '/dev/shm']);
});

test('refused are those that do not share, do not run, or are gone', () => {
  const hint = 'non-shareable IPC (hint: use IpcMode:shareable for the donor container)';
  const cases: [object, string, string][] = [
    [{ IpcMode: 'container:private' }, 'invalid', `can't join IPC of container private: ${hint}`],
    [
      { IpcMode: 'container:stopped' },
      'invalid',
      "can't join IPC of container stopped: container stopped is not running",
    ],
    [{ IpcMode: 'container:gone' }, 'invalid', "can't join IPC of container gone: No such container: gone"],
    [{ PidMode: 'container:stopped' }, 'conflict', 'container stopped is not running'],
    [{ PidMode: 'container:gone' }, 'invalid', 'No such container: gone'],
    [{ NetworkMode: 'container:gone' }, 'not-found', 'No such container: gone'],
    [{ NetworkMode: 'container:stopped' }, 'conflict', 'cannot join network of a non running container: stopped'],
  ];
  for (const [hostConfig, kind, message] of cases) {
    assert.throws(() => joined(hostConfig), { kind, message }, JSON.stringify(hostConfig));
  }
});

test('whose network is joined is given whole, for its name and files', () => {
  assert.equal(joined({ NetworkMode: 'container:private' }).owners.network?.id, 'private');
});

test('what waits for its own restart is waited for, by id and by name', () => {
  const waits = (hostConfig: object) =>
    joinsRestarting(parts, { ...testContainer({ HostConfig: hostConfig }), id: 'self' });
  const again = known('again', {}, 14);
  again.state.status = 'restarting';
  for (const mode of ['IpcMode', 'PidMode', 'NetworkMode']) {
    assert.equal(waits({ [mode]: 'container:again' }), true);
    assert.equal(waits({ [mode]: 'container:stopped' }), false);
  }
  assert.equal(waits({ NetworkMode: `container:${again.name}` }), true);
  assert.equal(waits({}), false);
  assert.equal(
    joinsRestarting(parts, { ...again, hostConfig: { ...again.hostConfig, NetworkMode: 'container:again' } }),
    false,
  );
});

test('those that wait for each other are not waited for, and are told what a start by hand is told', () => {
  const ring = ['one', 'two', 'three'].map((id, i, all) => {
    const container = known(id, { NetworkMode: `container:${all[(i + 1) % all.length]}` }, 0);
    container.state.status = 'restarting';
    return container;
  });
  for (const [i, container] of ring.entries()) {
    assert.equal(joinsRestarting(parts, container), false);
    const message = `cannot join network of a non running container: ${ring[(i + 1) % ring.length]?.id}`;
    assert.throws(() => findJoined(parts, container), { kind: 'conflict', message });
  }
  // Who joins one of them from outside waits until it is known that none comes up.
  const outside = known('outside', { NetworkMode: 'container:one' }, 0);
  assert.equal(joinsRestarting(parts, outside), true);
  for (const container of ring) container.state.status = 'exited';
  assert.equal(joinsRestarting(parts, outside), false);
});
