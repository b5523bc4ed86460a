import * as v from 'valibot';
import { kindOf, notFound, unavailable } from '../../../util/errors.ts';
import { callPlugin } from './call-plugin.ts';
import type { PluginAddress } from './plugin-address.ts';

/** What a plugin tells of a volume of its own. */
export interface PluginVolume {
  readonly name: string;
  /** Empty while it is mounted nowhere. */
  readonly mountpoint: string;
  /** RFC 3339; empty when the plugin does not say. */
  readonly created: string;
  /** Whatever the plugin likes to show. */
  readonly status: Readonly<Record<string, unknown>> | undefined;
}

/** How long a plugin may take, in milliseconds. `long` is for what may format a disk. */
export interface Patience {
  readonly short: number;
  readonly long: number;
  /** For a question that all plugins are asked. */
  readonly quick: number;
  /** For somebody to listen. */
  readonly connect: number;
}

/** `short` and `long` are Docker's; a plugin that is gone for good, or hangs, holds up as little as can be of what others do. */
export const PATIENCE: Patience = { short: 60_000, long: 120_000, quick: 10_000, connect: 5_000 };

const ActivationSchema = v.object({ Implements: v.array(v.string()) });
const PATH = v.pipe(v.string(), v.maxLength(4095), v.regex(/^$|^\/[^\0]*$/, 'a path that is not absolute'));
const MountpointSchema = v.object({ Mountpoint: v.nullish(PATH, '') });
const VolumeSchema = v.object({
  Name: v.pipe(v.string(), v.minLength(1), v.maxLength(255), v.regex(/^(?!\.{1,2}$)[^/\0]+$/, 'no name of a volume')),
  Mountpoint: v.nullish(PATH, ''),
  CreatedAt: v.nullish(v.string(), ''),
  Status: v.nullish(v.record(v.string(), v.unknown())),
});
const GotSchema = v.object({ Volume: v.nullish(VolumeSchema) });
const ListSchema = v.object({ Volumes: v.nullish(v.array(VolumeSchema), []) });
const CapabilitiesSchema = v.object({ Capabilities: v.nullish(v.object({ Scope: v.nullish(v.string(), '') })) });

/**
 * A volume driver outside of the engine. Source: docs.docker.com, "Docker volume plugins". Every call throws `internal` with what the plugin
 * says, or `unavailable` when it cannot be reached, is too slow, or says what cannot be.
 */
export interface VolumePlugin {
  readonly name: string;
  readonly scope: 'local' | 'global';
  create(name: string, options: Readonly<Record<string, string>>): Promise<void>;
  remove(name: string): Promise<void>;
  /** Gives the path. @param id of who wants it mounted. */
  mount(name: string, id: string): Promise<string>;
  unmount(name: string, id: string): Promise<void>;
  /** Where it is mounted; empty when it is not. */
  path(name: string): Promise<string>;
  /** @throws `not-found` as well. */
  get(name: string): Promise<PluginVolume>;
  list(): Promise<PluginVolume[]>;
}

type Manner = 'short' | 'long' | 'quick';

/** Makes the acquaintance of a plugin. @throws `not-found` for one that is no volume driver. */
export async function openVolumePlugin(
  name: string,
  address: PluginAddress,
  { patience = PATIENCE, quick = false }: { patience?: Patience; quick?: boolean } = {},
): Promise<VolumePlugin> {
  const call = async <S extends v.GenericSchema>(method: string, body: object, schema: S, how: Manner = 'short') => {
    const limits = { timeout: patience[how], patience: how === 'quick' ? 0 : patience.connect };
    const answer = v.safeParse(schema, await callPlugin(address, method, body, limits));
    if (answer.success) return answer.output;
    throw unavailable(`${method}: the plugin's answer is wrong: ${answer.issues[0].message}`);
  };
  const { Implements } = await call('Plugin.Activate', {}, ActivationSchema, quick ? 'quick' : 'short');
  if (!Implements.includes('VolumeDriver')) throw notFound(`plugin "${name}" does not implement VolumeDriver`);
  const driver = <S extends v.GenericSchema>(method: string, body: object, schema: S, how?: Manner) =>
    call(`VolumeDriver.${method}`, body, schema, how);
  // Older plugins know no capabilities.
  const told = await driver('Capabilities', {}, CapabilitiesSchema, 'quick').catch(() => undefined);
  const done = v.object({});
  return {
    name,
    scope: told?.Capabilities?.Scope.toLowerCase() === 'global' ? 'global' : 'local',
    create: async (Name, Opts) => void (await driver('Create', { Name, Opts }, done, 'long')),
    remove: async (Name) => void (await driver('Remove', { Name }, done)),
    mount: async (Name, ID) => {
      const { Mountpoint } = await driver('Mount', { Name, ID }, MountpointSchema, 'long');
      if (Mountpoint === '') throw unavailable('VolumeDriver.Mount: the plugin does not say where');
      return Mountpoint;
    },
    unmount: async (Name, ID) => void (await driver('Unmount', { Name, ID }, done)),
    path: async (Name) => (await driver('Path', { Name }, MountpointSchema)).Mountpoint,
    get: async (Name) => {
      // As in Docker, whatever a plugin has to say against it, it does not have that volume.
      const { Volume } = await driver('Get', { Name }, GotSchema, 'quick').catch((error: unknown) => {
        throw kindOf(error) === 'internal' ? notFound('no such volume', error) : error;
      });
      if (Volume == null || Volume.Name !== Name) throw notFound('no such volume');
      return volumeOf(Volume);
    },
    list: async () => (await driver('List', {}, ListSchema, 'quick')).Volumes.map(volumeOf),
  };
}

function volumeOf({ Name, Mountpoint, CreatedAt, Status }: v.InferOutput<typeof VolumeSchema>): PluginVolume {
  return { name: Name, mountpoint: Mountpoint, created: CreatedAt, status: Status ?? undefined };
}
