import { openRemote, type Remote } from './remote.ts';

/** A way to registries on this machine, quick to try again. @param certsDirs where `hosts.toml` of registries are looked for. */
export const localRemote = (certsDirs: readonly string[] = []): Remote =>
  openRemote(() => ({ mirrors: [], insecure: [], certsDirs }), { attempts: 3, pause: 5 });
