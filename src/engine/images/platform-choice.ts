import type { Platform } from '../../spec/image.ts';
import type { Descriptor } from '../../spec/manifest.ts';

/** Variants that are meant when none is named, by architecture. Source: the OCI image-spec's `image-index.md`, "Platform Variants". */
const USUAL: Readonly<Record<string, string>> = { arm: 'v7', arm64: 'v8', amd64: 'v1' };

const variantOf = ({ architecture, variant = '' }: Platform): string =>
  variant === '' ? (USUAL[architecture] ?? '') : variant;

/**
 * The entry of an index that fits a platform best: the same variant, else the highest one below it, since processors run what was made for older
 * ones. Entries without a platform fit when no other does; attestations (`unknown/unknown`) never do.
 */
export function choosePlatform(entries: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const variant = variantOf(wanted);
  const fitting = entries.flatMap((entry) => {
    const { platform } = entry;
    if (platform === null || platform.os !== wanted.os || platform.architecture !== wanted.architecture) return [];
    const own = variantOf(platform);
    return own <= variant ? [{ entry, own }] : [];
  });
  const [best] = fitting.toSorted((a, b) => Number(a.own < b.own) - Number(a.own > b.own));
  return best?.entry ?? entries.find(({ platform }) => platform === null);
}
