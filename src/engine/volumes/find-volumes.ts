import { notFound } from '../../util/errors.ts';
import type { VolumeView } from '../engine.ts';
import { pluginError } from './plugins/plugin-error.ts';
import type { PluginVolume, VolumePlugin } from './plugins/volume-plugin.ts';
import type { VolumePlugins } from './plugins/volume-plugins.ts';
import type { VolumeTable } from './volume-table.ts';

/** A volume with what its driver tells of it at this moment. @throws `not-found`; `unavailable` when its plugin is away. */
export async function inspectVolume(table: VolumeTable, plugins: VolumePlugins, name: string): Promise<VolumeView> {
  const known = table.find(name);
  if (known?.driver === 'local') return known;
  try {
    const plugin = known === undefined ? await plugins.owner(name) : await plugins.driver(known.driver);
    if (plugin === undefined) throw notFound('no such volume');
    const told = await plugin.get(name);
    const { status } = told;
    return { ...merged(known, plugin, told), ...(status === undefined ? {} : { status }) };
  } catch (error) {
    throw pluginError(`get ${name}`, error);
  }
}

/**
 * All volumes: the engine's own, and those that plugins have whether or not the engine was ever told of them.
 *
 * `warnings` names the plugins that do not answer; what the engine knows of theirs is among the volumes all the same.
 */
export async function allVolumes(
  table: VolumeTable,
  plugins: VolumePlugins,
): Promise<{ volumes: VolumeView[]; warnings: string[] }> {
  const told = await plugins.list();
  const found = new Map(table.all().map((view) => [view.name, view]));
  for (const { driver, volume } of told.volumes) {
    const known = found.get(volume.name);
    // As in Docker, of two drivers with the same name the one counts that came first.
    if (known !== undefined && known.driver !== driver.name) continue;
    found.set(volume.name, merged(known, driver, volume));
  }
  const answered = new Set(['local', ...told.answered]);
  const absent = new Set(table.all().map(({ driver }) => driver)).difference(answered);
  const warnings = [...absent].filter((name) => !told.failures.some((it) => it.startsWith(`list ${name}: `)));
  return {
    volumes: [...found.values()],
    warnings: [...told.failures, ...warnings.map((name) => `list ${name}: plugin "${name}" not found`)],
  };
}

function merged(known: VolumeView | undefined, plugin: VolumePlugin, told: PluginVolume): VolumeView {
  const { name, mountpoint, created } = told;
  const stranger = { name, anonymous: false, labels: null, options: null };
  return {
    ...(known ?? stranger),
    driver: plugin.name,
    scope: plugin.scope,
    created: created || (known?.created ?? ''),
    mountpoint,
  };
}
