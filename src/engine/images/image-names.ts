import { type ImageReference, tagNameOnly } from '../../spec/reference.ts';
import type { HeldIndex } from './held-index.ts';

/** The names of images, and the indexes that some of them were given for. */
export interface ImageNames {
  /** The id a tag or digest leads to. */
  readonly lookup: (reference: ImageReference) => string | undefined;
  /** Every tag and digest of an image, sorted. */
  readonly references: (id: string) => ImageReference[];
  /** The index that a name, or the first name of an image that leads to one, stands for. */
  readonly indexOf: (id: string, reference?: ImageReference) => HeldIndex | undefined;
  readonly held: (index: string) => HeldIndex | undefined;
  /** Images without a name that stand in an index which this one's names lead to. */
  readonly companions: (id: string) => string[];
  /** The companions of all images. */
  readonly allCompanions: () => ReadonlySet<string>;
  /** @param index digest of the index the name is given for. */
  readonly point: (reference: ImageReference, id: string, index?: string) => void;
  readonly unpoint: (reference: ImageReference) => void;
  /** Keeps an index, or what more of it is here. */
  readonly hold: (index: HeldIndex) => void;
  /** Digests of the indexes that an image stands in. */
  readonly indexesWith: (id: string) => string[];
  /** The image stands in the index no longer. */
  readonly leave: (index: string, id: string) => void;
  readonly letGo: (index: string) => void;
  /** Digests of the indexes that no name leads to. */
  readonly unnamed: () => string[];
  /** Forgets the names of an image, and that it stands in indexes. */
  readonly drop: (id: string) => void;
}

interface Name {
  readonly reference: ImageReference;
  readonly id: string;
  readonly index: string | undefined;
}

const compare = (a: string, b: string): number => Number(a > b) - Number(a < b);

/** A digest decides when there is one: it cannot move. */
function keyOf(reference: ImageReference): string {
  const { name, tag, digest } = tagNameOnly(reference);
  return digest === undefined ? `${name}:${tag ?? 'latest'}` : `${name}@${digest}`;
}

export function newImageNames(): ImageNames {
  const names = new Map<string, Name>();
  /** Per image: the keys of its names. */
  const keys = new Map<string, Set<string>>();
  const indexes = new Map<string, HeldIndex>();

  const namesOf = (id: string): Name[] =>
    [...(keys.get(id) ?? [])].toSorted(compare).flatMap((key) => names.get(key) ?? []);
  const isNamed = (id: string): boolean => (keys.get(id)?.size ?? 0) > 0;
  /** A digest may be that of an index itself. */
  const behind = ({ reference, index }: Name): HeldIndex | undefined => indexes.get(index ?? reference.digest ?? '');
  const nameless = (of: Iterable<Name>): Set<string> =>
    new Set([...of].flatMap((name) => [...(behind(name)?.images.values() ?? [])]).filter((id) => !isNamed(id)));

  const unpoint = (reference: ImageReference): void => {
    const key = keyOf(reference);
    const before = names.get(key);
    names.delete(key);
    if (before !== undefined) keys.get(before.id)?.delete(key);
  };

  const leave = (digest: string, id: string): void => {
    const index = indexes.get(digest);
    if (index === undefined) return;
    indexes.set(digest, { ...index, images: new Map([...index.images].filter(([, image]) => image !== id)) });
  };
  const indexesWith = (id: string): string[] =>
    [...indexes.values()].flatMap(({ digest, images }) => ([...images.values()].includes(id) ? [digest] : []));

  return {
    indexesWith,
    leave,
    lookup: (reference) => names.get(keyOf(reference))?.id,
    references: (id) => namesOf(id).map(({ reference }) => reference),
    unpoint,
    indexOf: (id, reference) => {
      const name = reference === undefined ? undefined : names.get(keyOf(reference));
      const from = name === undefined ? namesOf(id) : [name];
      return from.map(behind).find((index) => index !== undefined);
    },
    held: (index) => indexes.get(index),
    companions: (id) => [...nameless(namesOf(id))],
    allCompanions: () => nameless(names.values()),
    point: (reference, id, index) => {
      unpoint(reference);
      const { name, tag, digest } = tagNameOnly(reference);
      const whole = digest === undefined ? { name, tag: tag ?? 'latest' } : { name, digest };
      const key = keyOf(whole);
      names.set(key, { reference: whole, id, index });
      keys.set(id, (keys.get(id) ?? new Set()).add(key));
    },
    hold: (index) => {
      const images = new Map([...(indexes.get(index.digest)?.images ?? []), ...index.images]);
      indexes.set(index.digest, { ...index, images });
    },
    letGo: (digest) => void indexes.delete(digest),
    unnamed: () => {
      const named = new Set([...names.values()].map(behind));
      return [...indexes.values()].filter((index) => !named.has(index)).map(({ digest }) => digest);
    },
    drop: (id) => {
      for (const { reference } of namesOf(id)) unpoint(reference);
      keys.delete(id);
      for (const digest of indexesWith(id)) leave(digest, id);
    },
  };
}
