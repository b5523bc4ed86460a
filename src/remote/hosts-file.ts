import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { invalid } from '../util/errors.ts';
import type { Capability, Endpoint, TlsSettings } from './endpoint.ts';

const textOrList = v.union([v.string(), v.array(v.string())]);

const HostSchema = v.object({
  capabilities: v.optional(v.array(v.string())),
  ca: v.optional(textOrList),
  client: v.optional(v.union([v.string(), v.array(v.union([v.string(), v.array(v.string())]))])),
  skip_verify: v.optional(v.boolean(), false),
  override_path: v.optional(v.boolean(), false),
  header: v.optional(v.record(v.string(), textOrList), {}),
});
type Host = v.InferOutput<typeof HostSchema>;

const FileSchema = v.object({
  ...HostSchema.entries,
  server: v.optional(v.string()),
  host: v.optional(v.record(v.string(), HostSchema), {}),
});

const CAPABILITIES: ReadonlySet<string> = new Set(['pull', 'resolve', 'push']);

/**
 * The servers of a `hosts.toml`: its hosts in their order, the registry itself last. Format: containerd's `docs/hosts.md`.
 *
 * @param dir where it is; file names in it are relative to that.
 * @param registry as images name it; `server`: where it is when the file does not say it.
 * @throws `invalid` naming the file.
 */
export async function parseHosts(text: string, dir: string, registry: string, server: string): Promise<Endpoint[]> {
  const file = parseFile(text, dir);
  const hosts = Object.entries(file.host).map(([url, host]) => ({ url, host, own: false }));
  const all = [...hosts, { url: file.server ?? `https://${server}`, host: file, own: true }];
  return await Promise.all(all.map(({ url, host, own }) => endpoint(url, host, { dir, registry, own })));
}

function parseFile(text: string, dir: string): v.InferOutput<typeof FileSchema> {
  try {
    return v.parse(FileSchema, parse(text));
  } catch (error) {
    if (error instanceof TomlError || v.isValiError(error))
      throw invalid(`invalid ${dir}/hosts.toml: ${error.message.split('\n')[0]}`, error);
    throw error;
  }
}

async function endpoint(
  text: string,
  host: Host,
  from: { dir: string; registry: string; own: boolean },
): Promise<Endpoint> {
  const url = parseUrl(text, from.dir);
  const path = url.pathname.replace(/\/+$/, '');
  return {
    base: `${url.protocol}//${url.host}${host.override_path || path.endsWith('/v2') ? path : `${path}/v2`}`,
    tls: await tlsOf(host, from.dir),
    headers: Object.fromEntries(
      Object.entries(host.header).map(([name, value]) => [name.toLowerCase(), [value].flat().join(', ')]),
    ),
    capabilities: capabilitiesOf(host, from.dir),
    namespace: from.own ? undefined : from.registry,
    own: from.own,
  };
}

function parseUrl(text: string, dir: string): URL {
  const whole = text.includes('://') ? text : `https://${text}`;
  if (!URL.canParse(whole) || !/^https?:\/\//.test(whole))
    throw invalid(`invalid ${dir}/hosts.toml: "${text}" is not an address`);
  return new URL(whole);
}

function capabilitiesOf({ capabilities }: Host, dir: string): ReadonlySet<Capability> {
  const named = capabilities ?? [...CAPABILITIES];
  const unknown = named.find((name) => !CAPABILITIES.has(name));
  if (unknown !== undefined) throw invalid(`invalid ${dir}/hosts.toml: unknown capability ${unknown}`);
  return new Set(named as Capability[]);
}

async function tlsOf({ ca, client, skip_verify: skip }: Host, dir: string): Promise<TlsSettings> {
  const read = (name: string): Promise<string> => readFile(resolve(dir, name), 'utf8');
  const authorities = await Promise.all((ca === undefined ? [] : [ca].flat()).map(read));
  // A file alone holds both certificate and key; of several pairs the first is used.
  const pair = [client].flat()[0];
  if (pair === undefined) return { ca: authorities, verify: !skip };
  const [cert = '', key] = [pair].flat();
  return {
    ca: authorities,
    cert: await read(cert),
    key: await read(key === undefined || key === '' ? cert : key),
    verify: !skip,
  };
}
