import type { Image, ImagesUsage } from '../../engine/engine.ts';
import type { containerSummary } from './container-summary.ts';
import { imageSummary } from './image.ts';

/** What of `GET /system/df` was asked for; the rest is null. */
export interface DiskUsage {
  readonly images?: { readonly list: readonly Image[]; readonly usage: ImagesUsage } | undefined;
  readonly containers?:
    | readonly (ReturnType<typeof containerSummary> & { SizeRw?: number; SizeRootFs: number })[]
    | undefined;
  readonly volumes?: readonly object[] | undefined;
  readonly buildCache?: readonly object[] | undefined;
}

/** `GET /system/df`. `users` counts the containers made of an image. */
export function diskUsage(o: DiskUsage, users: (imageId: string) => number, api: number) {
  const images = o.images?.list.map((image) => ({
    // The number of containers is told here in every version of the API.
    ...imageSummary(image, { containers: users(image.id), api }),
    Containers: users(image.id),
    SharedSize: o.images?.usage.shared.get(image.id) ?? 0,
  }));
  return {
    LayersSize: o.images?.usage.layers ?? 0,
    Images: images ?? null,
    Containers: o.containers ?? null,
    Volumes: o.volumes ?? null,
    BuildCache: o.buildCache ?? null,
    ...(api < 42 ? { BuilderSize: 0 } : {}),
  };
}
