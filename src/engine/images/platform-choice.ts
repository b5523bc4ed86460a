import type { ImageConfig, Platform } from '../../spec/image.ts';

/** Variants that are meant when none is named, by architecture. Source: the OCI image-spec's `image-index.md`, "Platform Variants". */
const USUAL: Readonly<Record<string, string>> = { arm: 'v7', arm64: 'v8', amd64: 'v1' };

const variantOf = ({ architecture, variant = '' }: Platform): string =>
  variant === '' ? (USUAL[architecture] ?? '') : variant;

/**
 * The entry of an index that fits a platform best: the same variant, else the highest one below it, since processors run what was made for older
 * ones. Entries without a platform fit when no other does; attestations (`unknown/unknown`) never do.
 */
export function choosePlatform<T extends { readonly platform: Platform | null }>(
  entries: readonly T[],
  wanted: Platform,
): T | undefined {
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

/** Where an image says it runs. One that does not name a system means Linux. */
export const platformOf = ({ os, architecture, variant }: ImageConfig): Platform => ({
  os: os === '' ? 'linux' : os,
  architecture,
  ...(variant === '' ? {} : { variant }),
});

/** `linux/arm/v7` */
export const platformName = ({ os, architecture, variant = '' }: Platform): string =>
  [os, architecture, variant].filter((part) => part !== '').join('/');
