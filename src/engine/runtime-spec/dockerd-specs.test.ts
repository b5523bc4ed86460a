import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OciSpec } from '../../spec/oci.ts';
import recorded from './fixtures/dockerd-20.10.24.json' with { type: 'json' };
import { resolveUser } from './resolve-user.ts';
import { runtimeSpec } from './runtime-spec.ts';
import { testContainer, testHost } from './test-container.ts';

// What dockerd 20.10.24 wrote into config.json for these requests on a Debian 12 host with cgroup version 1. The first
// record is whole, the others hold what differs from it (null: gone). Left out of the records: what is looked at apart
// (seccomp), what is dockerd's own (the hook that moves its network, paths of its data root), and zeros that mean nothing.

type Tree = { [key: string]: unknown };

const DEFAULTS = recorded.defaults.spec as Tree;

/** Applies what a record says differs from the defaults. */
function patch(base: Tree, over: Tree): Tree {
  const nested = new Set(['linux', 'process', 'resources']);
  const merged = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (value === null) delete merged[key];
    else merged[key] = nested.has(key) ? patch(base[key] as Tree, value as Tree) : value;
  }
  return merged;
}

/** Where we mean to differ from 20.10: each line says why. */
function modernize(spec: Tree): Tree {
  const linux = { ...(spec['linux'] as Tree) };
  const masked = linux['maskedPaths'];
  // Newer releases of Docker hide two more paths.
  if (Array.isArray(masked) && masked.length > 1) {
    linux['maskedPaths'] = [
      ...masked.slice(0, 2),
      '/proc/interrupts',
      ...masked.slice(2),
      '/sys/devices/virtual/powercap',
    ];
  }
  // The network of the host is not joined by a path but simply kept.
  const ownNetwork = 'sysctl' in linux;
  const all = linux['namespaces'] as { type: string }[];
  linux['namespaces'] = all.filter(({ type }) => ownNetwork || type !== 'network');
  // An empty list hides nothing, like none.
  if (Array.isArray(linux['readonlyPaths']) && linux['readonlyPaths'].length === 0) delete linux['readonlyPaths'];
  // Since API 1.44 a bind that is read-only is so with everything mounted below it.
  const mounts = (spec['mounts'] as OciSpec['mounts']).map((mount) => {
    const asked = mount.type === 'bind' && mount.options.includes('ro') && mount.options[0] === 'rbind';
    if (!asked || mount.source.startsWith('FILES/')) return mount;
    return { ...mount, options: mount.options.flatMap((option) => (option === 'ro' ? ['ro', 'rro'] : [option])) };
  });
  return { ...spec, linux, mounts };
}

/** Ours, without what the records leave out. */
function comparable(spec: OciSpec): Tree {
  const { seccomp: _, ...linux } = spec.linux;
  const namespaces = linux.namespaces.map(({ type }) => ({ type }));
  const { ociVersion: __, root, ...rest } = spec;
  const { path: ___, ...rootOptions } = root;
  const json = JSON.stringify({ ...rest, root: rootOptions, linux: { ...linux, namespaces } });
  return JSON.parse(json.replaceAll(/:18446744073709551615\b/g, ':"18446744073709551615"')) as Tree;
}

for (const [name, { asked, spec }] of Object.entries(recorded)) {
  test(`as dockerd writes it: ${name}`, async () => {
    const container = testContainer(asked);
    const { config, hostConfig } = container;
    const user = await resolveUser(config.User, hostConfig.GroupAdd ?? [], async () => undefined);
    const netnsPath = hostConfig.NetworkMode === 'host' ? undefined : '/run/netns/x';
    const ours = comparable(runtimeSpec({ container, host: testHost(), netnsPath, user }));
    const theirs = modernize(name === 'defaults' ? DEFAULTS : patch(DEFAULTS, spec));
    assert.deepEqual(ours, theirs);
  });
}
