import { internal } from '../../util/errors.ts';
import type { HistoryEntry, Image } from '../engine.ts';

/**
 * The steps an image was made of, newest first. Only the newest carries the image's id and tags.
 *
 * @param layerSize bytes one layer added, by its chain id
 * @throws `internal` when the config's history names more layers than there are.
 */
export function historyOf(image: Image, layerSize: (chainId: string) => number): HistoryEntry[] {
  const chainIds = image.chainIds.values();
  const entries = image.config.history.map((step): HistoryEntry => {
    const entry = { id: '<missing>', created: step.created, createdBy: step.created_by, comment: step.comment };
    if (step.empty_layer) return { ...entry, tags: [], size: 0 };
    const { value } = chainIds.next();
    if (value === undefined) throw internal('too many non-empty layers in History section');
    return { ...entry, tags: [], size: layerSize(value) };
  });
  const [newest, ...older] = entries.toReversed();
  return newest === undefined ? [] : [{ ...newest, id: image.id, tags: image.repoTags }, ...older];
}
