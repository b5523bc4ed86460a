import { run } from '../util/spawn.ts';

/** The program mount takes all options in one call: those of newer ones must be short. */
const env = { ...process.env, LIBMOUNT_FORCE_MOUNT2: 'always' };

/**
 * Mounts layers, top first and with colons between them, as one directory. Without an upper one it is read-only for good, even to
 * who may mount.
 */
export async function mountLayers(layers: string, target: string): Promise<void> {
  await run('mount', ['-t', 'overlay', '-o', `ro,lowerdir=${layers}`, 'overlay', target], { env });
}
