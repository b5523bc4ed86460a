import { mkdir, stat } from 'node:fs/promises';
import type { HostConfig } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';
import { ifExists } from '../../util/files.ts';
import { type WantedMount, wantedMounts } from '../runtime-spec/wanted-mounts.ts';
import type { ContainerMount } from './model.ts';

/**
 * What `inspect` shows of the mounts a container asks for. As in Docker, those of `--tmpfs` are not among them, and a source
 * that does not exist is made where `-v` names it and refused where `--mount` does.
 *
 * @throws `invalid` in Docker's words.
 */
export async function planMounts(hostConfig: HostConfig): Promise<ContainerMount[]> {
  const shown = wantedMounts(hostConfig).filter(({ from, type }) => from !== 'Tmpfs' && type !== 'volume');
  for (const mount of shown) if (mount.type === 'bind') await ensureSource(mount);
  return shown.map(toContainerMount);
}

async function ensureSource({ source, createSource }: WantedMount): Promise<void> {
  if ((await ifExists(() => stat(source))) !== undefined) return;
  if (!createSource) {
    throw invalid(`invalid mount config for type "bind": bind source path does not exist: ${source}`);
  }
  await mkdir(source, { recursive: true, mode: 0o755 });
}

function toContainerMount({ type, source, destination, mode, readOnly, propagation }: WantedMount): ContainerMount {
  const bind = type === 'bind';
  return {
    type,
    name: '',
    source: bind ? source : '',
    destination,
    driver: '',
    mode,
    rw: !readOnly,
    propagation: bind ? propagation || 'rprivate' : '',
  };
}
