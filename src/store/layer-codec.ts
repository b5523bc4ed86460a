import { type Codec, codecOf } from '../util/compression.ts';
import type { Content } from './content.ts';

/** How a stored layer is compressed, by its first bytes: what was recorded with it may be nothing. @throws `not-found`. */
export async function layerCodec(content: Content, digest: string): Promise<Codec> {
  const [first = Buffer.alloc(0)] = await content.open(digest).take(1).toArray();
  return codecOf(first);
}
