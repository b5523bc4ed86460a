import { join } from 'node:path';
import type { ContainerRow } from '../../store/containers.ts';
import { keptFiles, type LogConfig } from '../logs/log-config.ts';
import { wantedMounts } from '../runtime-spec/wanted-mounts.ts';
import { commandLine } from './merge-config.ts';
import { type Container, type ContainerMount, type ContainerState, initialState } from './model.ts';
import { engineRoots, toContainerMount } from './mounts.ts';
import type { Parts } from './parts.ts';

/** The name of the log that is kept of a container whose messages are sent away. */
const CACHE = 'container-cached.log';

/** The part of a container that is decided at create and written to the row's `spec`. */
type StoredSpec = Pick<Container, 'config' | 'hostConfig' | 'networks' | 'mounts'> & { lower: readonly string[] };

/** The part that changes while it lives, written to the row's `state`. */
type StoredState = ContainerState & { restartCount: number };

/** The state as a row holds it. */
export function stateJson({ state, restartCount }: Container): string {
  return JSON.stringify({ ...state, restartCount } satisfies StoredState);
}

/** The spec as a row holds it. */
export function specJson({ config, hostConfig, networks, mounts, graph }: Container): string {
  return JSON.stringify({ config, hostConfig, networks, mounts, lower: graph.lower } satisfies StoredSpec);
}

/** A container as a row. */
export function toRow(container: Container): ContainerRow {
  const { id, name, imageId, created } = container;
  return { id, name, image: imageId, created, spec: specJson(container), state: stateJson(container) };
}

/** A container as it stood when its row was last written; nothing of it runs yet. */
export function fromRow(row: ContainerRow, paths: Parts['paths']): Container {
  // The row was written by toRow and sits behind the database's own integrity checks.
  const spec = JSON.parse(row.spec) as StoredSpec;
  // An older version may have written a row without the newer fields.
  const { restartCount, ...state }: StoredState = { ...initialState(), restartCount: 0, ...JSON.parse(row.state) };
  const mounts = withManner(spec, paths);
  const container = assemble({
    id: row.id,
    name: row.name,
    imageId: row.image,
    created: row.created,
    spec: { ...spec, mounts },
    state,
    paths,
  });
  container.restartCount = restartCount;
  return container;
}

/** An older version wrote down only what `inspect` shows; the rest is in what was asked for, and there were no others' mounts. */
function withManner({ mounts, hostConfig }: StoredSpec, paths: Parts['paths']): readonly ContainerMount[] {
  const asked = new Map(wantedMounts(hostConfig).map((mount) => [mount.destination, mount]));
  return mounts.map((mount) => {
    const wanted = asked.get(mount.destination);
    if (mount.manner !== undefined || mount.type === 'volume' || wanted === undefined) return mount;
    return toContainerMount(wanted, engineRoots(paths));
  });
}

/** Where the log's files are, or the cache of one that is sent away; empty when nothing is kept. */
function logPath(config: LogConfig, dir: string, id: string): string {
  if (keptFiles(config).Type === 'none') return '';
  return join(dir, config.Type === 'json-file' || config.Type === 'local' ? `${id}-json.log` : CACHE);
}

/** Puts a container together from what is stored and what follows from it. */
export function assemble(o: {
  id: string;
  name: string;
  imageId: string;
  created: string;
  spec: StoredSpec;
  state: ContainerState;
  paths: Parts['paths'];
}): Container {
  const { config, hostConfig, networks, mounts, lower } = o.spec;
  const dir = join(o.paths.containers, o.id);
  const named = join(o.paths.containers, networkOwner(hostConfig.NetworkMode) ?? o.id);
  const logs = logPath(hostConfig.LogConfig, dir, o.id);
  return {
    id: o.id,
    name: o.name,
    created: o.created,
    imageId: o.imageId,
    config,
    hostConfig,
    networks,
    ...commandLine(config),
    mounts,
    state: o.state,
    restartCount: 0,
    endpoints: {},
    ports: {},
    sandboxKey: '',
    execIds: [],
    files: {
      hostname: join(named, 'hostname'),
      hosts: join(named, 'hosts'),
      resolvConf: join(named, 'resolv.conf'),
      log: logs,
    },
    graph: {
      lower,
      upper: join(dir, 'fs', 'upper'),
      work: join(dir, 'fs', 'work'),
      merged: join(o.paths.bundles, o.id, 'rootfs'),
    },
  };
}

/** Whose network a container is in, where that was known by its id when it was made. */
function networkOwner(mode: string): string | undefined {
  return /^container:([0-9a-f]{64})$/.exec(mode)?.[1];
}
