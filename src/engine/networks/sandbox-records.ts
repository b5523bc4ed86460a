import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { messageOf } from '../../util/errors.ts';
import { ensureDirSync } from '../../util/files.ts';
import type { Log } from '../../util/log.ts';

const PublishedSchema = v.object({
  protocol: v.picklist(['tcp', 'udp']),
  containerPort: v.number(),
  hostIp: v.string(),
  hostPort: v.number(),
});

/** What a container holds of the network; enough to give it back after the daemon was killed. */
export const SandboxRecordSchema = v.object({
  containerId: v.string(),
  /** `container`: it is in the namespace of another, who gives it back. */
  kind: v.picklist(['bridge', 'none', 'host', 'container']),
  endpointId: v.string(),
  /** Name of the namespace; empty: the host's. */
  netns: v.string(),
  /** Its address on the bridge; 0: none. */
  address: v.number(),
  portKeys: v.array(v.string()),
  published: v.array(PublishedSchema),
});
export type SandboxRecord = v.InferOutput<typeof SandboxRecordSchema>;

/** One file per container, in a directory that a reboot empties, as it empties the network. */
export interface SandboxRecords {
  /** Written whole or not at all. */
  save(record: SandboxRecord): void;
  remove(containerId: string): void;
  load(): SandboxRecord[];
}

export function openSandboxRecords(execRoot: string, log: Log): SandboxRecords {
  const dir = join(execRoot, 'network');
  ensureDirSync(dir);
  const path = (containerId: string) => join(dir, `${containerId}.json`);
  return {
    save(record) {
      // No fsync: what it describes does not outlive the machine's memory either.
      const aside = join(dir, `.${record.containerId}`);
      try {
        writeFileSync(aside, JSON.stringify(record));
        renameSync(aside, path(record.containerId));
      } catch (error) {
        rmSync(aside, { force: true });
        throw error;
      }
    },
    remove: (containerId) => rmSync(path(containerId), { force: true }),
    load() {
      return readdirSync(dir).flatMap((name) => {
        const record = name.endsWith('.json') ? parse(join(dir, name), log) : undefined;
        if (record === undefined) rmSync(join(dir, name), { force: true });
        return record ?? [];
      });
    },
  };
}

function parse(path: string, log: Log): SandboxRecord | undefined {
  try {
    return v.parse(SandboxRecordSchema, JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    log.warn('unreadable network record removed', { path, error: messageOf(error) });
    return undefined;
  }
}
