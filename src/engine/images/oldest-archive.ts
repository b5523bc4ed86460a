import * as v from 'valibot';
import { list, mapOf, text } from '../../spec/json.ts';
import { type ImageReference, parseReference, withTag } from '../../spec/reference.ts';
import { invalid } from '../../util/errors.ts';
import { type ArchivedImage, checkedImage } from './archived-image.ts';
import { parseJson } from './parse-json.ts';
import type { Spool } from './spool.ts';

// Archives written by Docker before 1.10: `repositories` tells which name leads to which layer, and each directory
// `<id>/` holds a layer, `layer.tar`, with what it was made by, `json`, which names the one below.
// Source for what becomes of them: moby `image/tarexport/load.go` and `image/v1/imagev1.go`.

const ID = /^[0-9a-f]{64}$/;
const DEPTH_LIMIT = 1000;
/** What an image is told by now says otherwise. */
const GONE = ['id', 'parent', 'Size', 'parent_id', 'layer_id', 'throwaway'];

const RepositoriesSchema = mapOf(mapOf(v.string()));
const OldLayerSchema = v.looseObject({
  parent: text(),
  created: text(),
  author: text(),
  comment: text(),
  container_config: v.optional(v.nullable(v.looseObject({ Cmd: list(v.string()) })), null),
});
type OldLayer = v.InferOutput<typeof OldLayerSchema>;

/** A layer as its archive tells of it. */
interface Told {
  readonly id: string;
  readonly parsed: OldLayer;
  /** Every field as it was written. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** The images that have a name. @throws `invalid`. */
export async function oldestImages(spool: Spool): Promise<ArchivedImage[]> {
  const repositories = await spool.json('repositories', RepositoriesSchema);
  const tags = Object.entries(repositories).flatMap(([name, ids]) =>
    Object.entries(ids).map(([tag, id]) => ({ id, tag: withTag(parseReference(name), tag) })),
  );
  const images: ArchivedImage[] = [];
  for (const [id, named] of Map.groupBy(tags, (one) => one.id)) {
    images.push(
      await oldImage(
        spool,
        id,
        named.map(({ tag }) => tag),
      ),
    );
  }
  return images;
}

async function oldImage(spool: Spool, id: string, tags: ImageReference[]): Promise<ArchivedImage> {
  const chain = await chainOf(spool, id);
  const layers = chain.map((one) => `${one.id}/layer.tar`);
  const fields: Record<string, unknown> = { ...chain.at(-1)?.raw };
  for (const name of GONE) delete fields[name];
  fields['rootfs'] = { type: 'layers', diff_ids: layers.map((path) => spool.find(path).digest) };
  fields['history'] = chain.map(({ parsed }) => historyOf(parsed));
  const configBytes = goMap(fields);
  return { ...checkedImage(configBytes, layers), tags, manifest: undefined, index: undefined };
}

/** The layers below and the one itself, lowest first. */
async function chainOf(spool: Spool, top: string): Promise<Told[]> {
  const chain: Told[] = [];
  for (let id = top; id !== ''; ) {
    if (!ID.test(id)) throw invalid(`image ID ${JSON.stringify(id)} is invalid`);
    if (chain.length >= DEPTH_LIMIT) throw invalid('invalid archive: its layers go round in circles');
    const bytes = await spool.bytes(`${id}/json`);
    const parsed = parseJson(bytes, OldLayerSchema, `archive: ${id}/json`);
    chain.unshift({ id, parsed, raw: JSON.parse(bytes.toString('utf8')) as Told['raw'] });
    id = parsed.parent;
  }
  return chain;
}

function historyOf({ created, author, comment, container_config: made }: OldLayer): Record<string, string> {
  const by = (made?.Cmd ?? []).join(' ');
  return {
    created,
    ...(author === '' ? {} : { author }),
    ...(by === '' ? {} : { created_by: by }),
    ...(comment === '' ? {} : { comment }),
  };
}

const ESCAPES: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' };

/** As Go writes a map: names in order, and nothing that a page could take for markup. The image's id depends on it. */
function goMap(fields: Readonly<Record<string, unknown>>): Buffer {
  const sorted = Object.entries(fields).toSorted(([a], [b]) => Number(a > b) - Number(a < b));
  return Buffer.from(JSON.stringify(Object.fromEntries(sorted)).replaceAll(/[<>&]/g, (one) => ESCAPES[one] ?? one));
}
