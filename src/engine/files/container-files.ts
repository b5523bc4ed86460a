import type { Parts } from '../containers/parts.ts';
import type { ContainerFiles } from '../engine.ts';
import { changesOf } from './changes.ts';
import { commitContainer } from './commit.ts';
import { exportContainer } from './export.ts';
import { readArchive, statPath } from './read-archive.ts';
import { writeArchive } from './write-archive.ts';

/** The files of an engine's containers: each verb is a file of this folder. */
export function openContainerFiles(parts: Parts): ContainerFiles {
  const find = (ref: string) => parts.registry.find(ref);
  return {
    stat: (ref, path, signal) => statPath(parts, find(ref), { ref, path, signal }),
    read: (ref, path, signal) => readArchive(parts, find(ref), { ref, path, signal }),
    write: (ref, path, archive, { signal, ...options }) =>
      writeArchive(parts, find(ref), { ref, path, signal }, archive, options),
    changes: (ref, signal) => changesOf(parts, find(ref), signal),
    export: (ref, signal) => exportContainer(parts, find(ref), signal),
    commit: (ref, options, signal) => commitContainer(parts, find(ref), options, signal),
  };
}
