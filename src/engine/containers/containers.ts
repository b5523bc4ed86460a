import { conflict, firstError, GantryError } from '../../util/errors.ts';
import type { Containers } from '../engine.ts';
import { clearLog } from '../logs/clear-log.ts';
import { readLogs } from '../logs/read-logs.ts';
import { sampleOf } from '../stats/sample.ts';
import { statsOf } from '../stats/stats-of.ts';
import { openWatches } from '../stats/watches.ts';
import { attachTo } from './attach.ts';
import { emitContainer } from './container-events.ts';
import { createContainer } from './create.ts';
import { filterContainers } from './filter.ts';
import { imagesBuiltOn } from './images-built-on.ts';
import { logSource } from './log-source.ts';
import type { Container } from './model.ts';
import type { Parts } from './parts.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import { pruneContainers } from './prune.ts';
import { removeContainer } from './remove.ts';
import { renameContainer } from './rename.ts';
import { resizeContainer } from './resize.ts';
import { restartContainer } from './restart.ts';
import { bytesBelow } from './size.ts';
import { startContainer } from './start.ts';
import { killContainer, stopContainer } from './stop.ts';
import { topOf } from './top.ts';
import { updateContainer } from './update.ts';
import { waitFor } from './wait.ts';

/** The containers of an engine: each verb is a file of this folder. */
export function openContainers(parts: Parts): Containers {
  const find = (ref: string) => parts.registry.find(ref);
  const watches = openWatches((tracked) => sampleOf(parts, tracked));
  return {
    create: (request) => createContainer(parts, request),
    get: (ref) => find(ref).container,
    list: (query) => {
      const all = parts.registry.all().map((it) => it.container);
      return filterContainers(all, { ...query, imagesOf: (ref) => imagesBuiltOn(parts.images, ref), health: healthOf });
    },
    size: async (ref) => {
      const { container } = find(ref);
      const rw = await bytesBelow(container.graph.upper);
      return { rw, rootFs: rw + parts.images.ofContainer(container.imageId).size };
    },
    start: (ref) => startContainer(parts, find(ref)),
    stop: (ref, options) => stopContainer(parts, find(ref), options),
    restart: (ref, options) => restartContainer(parts, find(ref), options),
    kill: (ref, signal) => naming(`Cannot kill container: ${ref}`, () => killContainer(parts, find(ref), signal)),
    pause: (ref) => pauseContainer(parts, find(ref)),
    unpause: (ref) => unpauseContainer(parts, find(ref)),
    rename: (ref, name) => renameContainer(parts, find(ref), name),
    update: (ref, changes) => updateContainer(parts, find(ref), changes),
    stats: (ref, query) => statsOf(watches, find(ref), query),
    remove: async (ref, options) => {
      const tracked = find(ref);
      // There are no names of links, so the one given is the container's own.
      if (options.link) throw conflict('Conflict, cannot remove the default link name of the container');
      await removeContainer(parts, tracked, options);
    },
    prune: (filters) => pruneContainers(parts, filters),
    wait: (ref, condition, signal) => ({ exited: waitFor(find(ref), condition, signal) }),
    attach: (ref, options) => attachTo(parts, find(ref), options),
    resize: (ref, size) => resizeContainer(parts, find(ref), size),
    top: async (ref, psArgs) => {
      const tracked = find(ref);
      const table = await topOf(tracked, psArgs);
      emitContainer(parts.events, tracked.container, 'top');
      return table;
    },
    clearLogs: async (ref) => {
      const tracked = find(ref);
      await parts.locks.run(tracked.container.id, async () => clearLog(logSource(tracked)));
    },
    logs: (ref, query) => readLogs(logSource(find(ref)), query),
  };
}

/** Says in front of an error what was tried; a signal that is none is told as it is. */
async function naming(attempt: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const first = firstError(error);
    if (!(first instanceof GantryError) || first.kind === 'invalid') throw error;
    throw new GantryError(first.kind, `${attempt}: ${first.message}`, { cause: error });
  }
}

const healthOf = ({ state }: Container): string => state.health?.status ?? 'none';
