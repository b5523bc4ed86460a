import { openRemote, type Remote } from './remote.ts';

/** A way to registries on this machine, quick to try again. */
export const localRemote = (): Remote =>
  openRemote(() => ({ mirrors: [], insecure: [], certsDirs: [] }), { attempts: 3, pause: 5 });
