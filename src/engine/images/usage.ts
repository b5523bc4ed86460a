import type { Image, ImagesUsage } from '../engine.ts';

/** Adds up the layers of all images, each counted once. `sizeOf` gives the bytes of one layer by its chain id. */
export function imagesUsage(
  images: readonly Pick<Image, 'id' | 'chainIds'>[],
  sizeOf: (chainId: string) => number,
): ImagesUsage {
  const users = new Map<string, number>();
  for (const chainId of images.flatMap((image) => image.chainIds)) users.set(chainId, (users.get(chainId) ?? 0) + 1);
  const sizes = new Map([...users.keys()].map((chainId) => [chainId, sizeOf(chainId)]));
  const sum = (chainIds: Iterable<string>): number =>
    [...chainIds].reduce((bytes, chainId) => bytes + (sizes.get(chainId) ?? 0), 0);
  const shared = images.map(({ id, chainIds }): [string, number] => [
    id,
    sum(chainIds.filter((chainId) => (users.get(chainId) ?? 0) > 1)),
  ]);
  return { layers: sum(sizes.keys()), shared: new Map(shared) };
}
