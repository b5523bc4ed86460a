import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { mediaTypes } from '../spec/manifest.ts';
import { digestOf } from '../util/digest.ts';

/** A registry in this process, which can be made to misbehave. */
export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:port` */
  readonly host: string;
  /** Every request so far, `GET /v2/…`. */
  readonly requests: string[];
  readonly headers: IncomingMessage['headers'][];
  readonly blobs: Map<string, Buffer>;
  /** Manifests by `path:tag` and `path@digest`. */
  readonly manifests: Map<string, { bytes: Buffer; type: string }>;
  /** Answers instead of the registry when it returns true. */
  before: (req: IncomingMessage, res: ServerResponse) => boolean | Promise<boolean>;
  /** Puts an image of plain layers there, compressed with gzip. */
  addImage(
    name: string,
    tag: string,
    layers: readonly Buffer[],
    platform?: { os: string; architecture: string },
  ): AddedImage;
  addIndex(name: string, tag: string, entries: readonly { image: AddedImage; platform?: object }[]): string;
}

export interface AddedImage {
  readonly id: string;
  readonly digest: string;
  readonly size: number;
  /** Digests of its layers, compressed. */
  readonly layers: readonly string[];
}

export async function startTestRegistry(): Promise<TestRegistry> {
  const server = createServer((req, res) => void answer(registry, req, res));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const put = (bytes: Buffer): string => {
    const digest = digestOf(bytes);
    registry.blobs.set(digest, bytes);
    return digest;
  };
  const name = (
    path: string,
    tag: string,
    document: { mediaType: string; [key: string]: unknown },
  ): { digest: string; size: number } => {
    const bytes = Buffer.from(JSON.stringify(document));
    const entry = { bytes, type: document.mediaType };
    registry.manifests.set(`${path}:${tag}`, entry).set(`${path}@${digestOf(bytes)}`, entry);
    return { digest: digestOf(bytes), size: bytes.length };
  };
  const registry: TestRegistry = {
    host: `127.0.0.1:${port}`,
    requests: [],
    headers: [],
    blobs: new Map(),
    manifests: new Map(),
    before: () => false,
    addImage: (path, tag, layers, platform = { os: 'linux', architecture: 'amd64' }) => {
      const packed = layers.map((layer) => gzipSync(layer));
      const digests = packed.map(put);
      const config = Buffer.from(
        JSON.stringify({
          ...platform,
          config: { Cmd: ['sh'] },
          rootfs: { type: 'layers', diff_ids: layers.map(digestOf) },
        }),
      );
      const id = put(config);
      const manifest = {
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        config: { mediaType: mediaTypes.ociConfig, digest: id, size: config.length },
        layers: packed.map((bytes, at) => ({
          mediaType: `${mediaTypes.ociLayer}+gzip`,
          digest: digests[at],
          size: bytes.length,
        })),
      };
      return { id, ...name(path, tag, manifest), layers: digests };
    },
    addIndex: (path, tag, entries) => {
      const manifests = entries.map(({ image: { digest, size }, platform }) => ({
        mediaType: mediaTypes.ociManifest,
        digest,
        size,
        platform,
      }));
      return name(path, tag, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }).digest;
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return registry;
}

async function answer(registry: TestRegistry, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { pathname } = new URL(req.url ?? '', 'http://registry');
  registry.requests.push(`${req.method} ${req.url}`);
  registry.headers.push(req.headers);
  if (await registry.before(req, res)) return;
  const [, path = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs|tags)\/(.+)$/.exec(pathname) ?? [];
  if (kind === 'manifests') sendManifest(registry, res, path, reference);
  else if (kind === 'blobs') sendBlob(registry, req, res, reference);
  else if (kind === 'tags') sendTags(registry, res, path);
  else res.writeHead(pathname === '/v2/' ? 200 : 404).end('{}');
}

function sendManifest({ manifests }: TestRegistry, res: ServerResponse, path: string, reference: string): void {
  const found = manifests.get(`${path}${reference.includes(':') ? '@' : ':'}${reference}`);
  if (found === undefined) refuse(res, 404, 'MANIFEST_UNKNOWN', 'manifest unknown');
  else
    res
      .writeHead(200, {
        'content-type': found.type,
        'docker-content-digest': digestOf(found.bytes),
        'content-length': found.bytes.length,
      })
      .end(found.bytes);
}

function sendBlob({ blobs }: TestRegistry, req: IncomingMessage, res: ServerResponse, digest: string): void {
  const bytes = blobs.get(digest);
  if (bytes === undefined) {
    refuse(res, 404, 'BLOB_UNKNOWN', 'blob unknown to registry');
    return;
  }
  const start = Number(/^bytes=(\d+)-$/.exec(req.headers.range ?? '')?.[1] ?? 0);
  const range = start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {};
  res.writeHead(start > 0 ? 206 : 200, { 'content-length': bytes.length - start, ...range }).end(bytes.subarray(start));
}

function sendTags({ manifests }: TestRegistry, res: ServerResponse, path: string): void {
  const tags = [...manifests.keys()]
    .filter((key) => key.startsWith(`${path}:`))
    .map((key) => key.slice(path.length + 1));
  res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ name: path, tags }));
}

/** An error as the distribution specification has it. */
export function refuse(
  res: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  res
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify({ errors: [{ code, message }] }));
}
