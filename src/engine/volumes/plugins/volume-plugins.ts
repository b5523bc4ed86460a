import { kindOf, messageOf, unavailable } from '../../../util/errors.ts';
import { findPlugin, PLUGIN_DIRS, type PluginDirs, scanPlugins } from './plugin-address.ts';
import { pluginError } from './plugin-error.ts';
import { openVolumePlugin, PATIENCE, type Patience, type PluginVolume, type VolumePlugin } from './volume-plugin.ts';

/** The volume plugins of the host, which come and go as they like. */
export interface VolumePlugins {
  /** @throws `not-found`, `unavailable` `error looking up volume plugin …`. */
  driver(name: string): Promise<VolumePlugin>;
  /** Names of those that were used so far. */
  known(): string[];
  /** Which plugin has a volume of that name; undefined: none, of those that answer. */
  owner(name: string): Promise<VolumePlugin | undefined>;
  /** The volumes of all plugins; `failures` says of each that did not answer why. */
  list(): Promise<{
    volumes: { driver: VolumePlugin; volume: PluginVolume }[];
    answered: string[];
    failures: string[];
  }>;
}

/** Opens none: a plugin is asked for the first time when a volume of its is wanted. One that hangs is not asked for a while with all others. */
export function openVolumePlugins(dirs: PluginDirs = PLUGIN_DIRS, patience: Patience = PATIENCE): VolumePlugins {
  const opened = new Map<string, Promise<VolumePlugin>>();
  const open = (name: string, quick: boolean): Promise<VolumePlugin> => {
    const found = opened.get(name);
    if (found !== undefined) return found;
    const opening = findPlugin(name, dirs).then((it) => openVolumePlugin(name, it, { patience, quick }));
    opened.set(name, opening);
    opening.catch(() => opened.delete(name));
    return opening;
  };
  const activated = new Set<string>();
  const driver = async (name: string, quick = false): Promise<VolumePlugin> => {
    const plugin = await open(name, quick);
    activated.add(name);
    return plugin;
  };
  const silent = new Map<string, number>();
  const everyone = async <T>(work: (plugin: VolumePlugin) => Promise<T>) => {
    const names = (await scanPlugins(dirs)).filter((name) => name !== 'local');
    return Promise.all(
      names.map(async (name) => {
        const begin = performance.now();
        try {
          if (begin < (silent.get(name) ?? 0)) throw unavailable('the plugin has not answered a moment ago');
          const plugin = await driver(name, true);
          return { plugin, result: await work(plugin) };
        } catch (error) {
          // A timer may fire up to a millisecond before its time.
          if (performance.now() - begin >= patience.quick - 1) silent.set(name, performance.now() + 3 * patience.quick);
          return { failure: `list ${name}: ${messageOf(error)}`, expected: kindOf(error) === 'not-found' };
        }
      }),
    );
  };
  return {
    driver: (name) =>
      driver(name).catch((error: unknown) => {
        throw pluginError(`error looking up volume plugin ${name}`, error);
      }),
    known: () => [...activated].toSorted(),
    owner: async (name) => (await everyone((plugin) => plugin.get(name))).find(({ plugin }) => plugin)?.plugin,
    list: async () => {
      const told = await everyone((plugin) => plugin.list());
      return {
        volumes: told.flatMap(({ plugin, result = [] }) =>
          plugin ? result.map((volume) => ({ driver: plugin, volume })) : [],
        ),
        answered: told.flatMap(({ plugin }) => plugin?.name ?? []),
        failures: told.flatMap(({ failure, expected }) => (failure === undefined || expected ? [] : [failure])),
      };
    },
  };
}
