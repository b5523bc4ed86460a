import * as v from 'valibot';
import { invalid, messageOf } from '../../util/errors.ts';

/** A document by its schema. @throws `invalid` naming `what`. */
export function parseJson<S extends v.GenericSchema>(bytes: Buffer, schema: S, what: string): v.InferOutput<S> {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    throw invalid(`invalid ${what}: ${messageOf(error)}`, error);
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw invalid(`invalid ${what}: ${v.getDotPath(issue) ?? ''}: ${issue.message}`);
}

const AmbiguousSchema = v.partial(
  v.looseObject({ mediaType: v.string(), manifests: v.unknown(), layers: v.unknown(), config: v.unknown() }),
);

/** A document that is a manifest and an index at once means different things to different readers. Gives the media type it tells. @throws `invalid`. */
export function refuseAmbiguous(bytes: Buffer, what: string): string {
  const { mediaType = '', manifests, layers, config } = parseJson(bytes, AmbiguousSchema, what);
  if (manifests !== undefined && (layers !== undefined || config !== undefined)) {
    throw invalid(`invalid ${what}: it is both a manifest and an index`);
  }
  return mediaType;
}
