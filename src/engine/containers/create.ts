import { mkdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { ContainerConfig, HostConfig } from '../../spec/container.ts';
import { invalid, notFound } from '../../util/errors.ts';
import { randomId, shortId } from '../../util/id.ts';
import { randomName } from '../../util/names.ts';
import { nowRfc3339Nano } from '../../util/time.ts';
import type { CreateRequest, Image } from '../engine.ts';
import { validateLogConfig } from '../logs/log-config.ts';
import { discardKernelMemory } from '../runtime-spec/kernel-memory.ts';
import { validateCreate } from '../runtime-spec/validate.ts';
import { validateRequest } from '../runtime-spec/validate-request.ts';
import { validateUserns } from '../runtime-spec/validate-userns.ts';
import { completeHostConfig } from './complete-host-config.ts';
import { emitContainer } from './container-events.ts';
import { withJoinedIds } from './joined-ids.ts';
import { mergeConfig } from './merge-config.ts';
import { initialState } from './model.ts';
import { planMounts } from './mounts.ts';
import type { Parts } from './parts.ts';
import { assemble, toRow } from './stored.ts';
import { type Tracked, track } from './tracked.ts';
import { usernsOf } from './userns-of.ts';
import { takeVolumes } from './volume-mounts.ts';

/**
 * Makes a container that can be started.
 *
 * Its name is taken first, its directories are made, and the row makes it exist: a crash before the row leaves only a
 * directory that the next start sweeps.
 *
 * @throws `not-found` for the image, `conflict` for the name, `invalid` or `unsupported` for what it asks.
 */
export async function createContainer(
  parts: Parts,
  request: CreateRequest,
): Promise<{ id: string; warnings: string[] }> {
  const id = randomId();
  if (request.config.Image === '') throw invalid('config cannot be empty in order to create a container');
  const image = await parts.images.resolve(request.config.Image, request.platform);
  checkPlatform(request, image);
  validateRequest(request.config, request.hostConfig, request.endpoints);
  using _pin = parts.images.pin(image.id);
  const hostConfig = completeHostConfig(withJoinedIds(request.hostConfig, parts.registry), parts, request);
  const config = completeConfig(mergeConfig(request.config, image.config.config), hostConfig, id);
  if (!parts.runtimes.has(hostConfig.Runtime)) {
    throw invalid(`unknown or invalid runtime name: ${hostConfig.Runtime}`);
  }
  if (usernsOf(parts, { hostConfig }) !== undefined) validateUserns(hostConfig);
  const warnings = validateCreate(config, hostConfig, parts.host);
  if (hostConfig.NetworkMode === 'host' && Object.keys(hostConfig.PortBindings).length > 0) {
    warnings.push('Published ports are discarded when using host network mode');
  }
  warnings.push(...discardKernelMemory(hostConfig));
  hostConfig.LogConfig = validateLogConfig(hostConfig.LogConfig, parts.defaults.logConfig);
  using images = new DisposableStack();
  const planned = await planMounts(parts, hostConfig, { readOnlyBelow: request.readOnlyBelow ?? true, images });
  const name = reserveName(parts, request.name, id);
  const dir = join(parts.paths.containers, id);
  try {
    const lower = [...parts.images.lowerDirs(image), parts.paths.init];
    await using volumes = await takeVolumes(parts, { id, config, hostConfig, layers: lower });
    const mounts = [...planned, ...volumes.mounts];
    const container = assemble({
      id,
      name,
      imageId: image.id,
      created: nowRfc3339Nano(),
      spec: { config, hostConfig, networks: request.endpoints, mounts, lower },
      state: initialState(),
      paths: parts.paths,
    });
    const { upper, work } = container.graph;
    await mkdir(dirname(upper), { recursive: true, mode: 0o710 });
    await Promise.all([mkdir(upper, { mode: 0o755 }), mkdir(work, { mode: 0o700 })]);
    commit(parts, track(container));
    await volumes.keep();
  } catch (error) {
    parts.registry.release(name);
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
  return { id, warnings };
}

/** @throws `not-found` when the image that is here is for another platform than the one asked for: a client then pulls. */
function checkPlatform({ platform, config: { Image } }: CreateRequest, { config }: Image): void {
  if (platform === undefined) return;
  const actual = { os: config.os, architecture: config.architecture };
  if (platform.os === actual.os && platform.architecture === actual.architecture) return;
  const [wanted, found] = [platform, actual].map(({ os, architecture }) => `${os}/${architecture}`);
  throw notFound(
    `image with reference ${Image} was found but does not match the specified platform: wanted ${wanted}, actual: ${found}`,
  );
}

function commit(parts: Parts, tracked: Tracked): void {
  parts.rows.insert(toRow(tracked.container));
  parts.registry.add(tracked);
  emitContainer(parts.events, tracked.container, 'create');
}

/** With a host name, as every container has one: the host's own in the host's UTS or network namespace, else its short id. */
function completeConfig(config: ContainerConfig, hostConfig: HostConfig, id: string): ContainerConfig {
  if (config.Hostname !== '') return config;
  return { ...config, Hostname: hostConfig.NetworkMode === 'host' ? hostname() : shortId(id) };
}

/** The name that was asked for, or one made up until it is free. */
function reserveName(parts: Parts, wanted: string, id: string): string {
  if (wanted !== '') return parts.registry.reserve(wanted, id);
  for (let attempt = 0; ; attempt++) {
    const name = randomName(attempt);
    if (!parts.registry.taken(name)) return parts.registry.reserve(name, id);
  }
}
