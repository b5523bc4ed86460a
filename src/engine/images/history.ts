import { internal } from '../../util/errors.ts';
import type { HistoryEntry, Image } from '../engine.ts';

/**
 * The steps an image was made of, newest first. The newest carries the image's id and tags; those before it those of the
 * images that it was committed on, as far as they are here.
 *
 * @param layerSize bytes one layer added, by its chain id
 * @param find an image by its id
 * @throws `internal` when the config's history names more layers than there are.
 */
export function historyOf(
  image: Image,
  layerSize: (chainId: string) => number,
  find: (id: string) => Image | undefined,
): HistoryEntry[] {
  const chainIds = image.chainIds.values();
  const entries = image.config.history.map((step): HistoryEntry => {
    const entry = { id: '<missing>', created: step.created, createdBy: step.created_by, comment: step.comment };
    if (step.empty_layer) return { ...entry, tags: [], size: 0 };
    const { value } = chainIds.next();
    if (value === undefined) throw internal('too many non-empty layers in History section');
    return { ...entry, tags: [], size: layerSize(value) };
  });
  let of: Image | undefined = image;
  return entries.toReversed().map((entry) => {
    if (of === undefined) return entry;
    const { id, repoTags, parent }: Image = of;
    of = parent === undefined ? undefined : find(parent);
    return { ...entry, id, tags: repoTags };
  });
}
