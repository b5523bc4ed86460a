import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { internal, messageOf, notFound, unsupported } from '../../../util/errors.ts';
import { ifExists } from '../../../util/files.ts';

/** Where plugins make themselves known. */
export interface PluginDirs {
  /** Each plugin listens on a socket here, `<name>.sock` or `<name>/<name>.sock`. */
  readonly sockets: string;
  /** Elsewhere listening ones are described here, earlier directories first: `<name>.spec`, a URL, or `<name>.json`. */
  readonly specs: readonly string[];
}

/** Docker's own. Source: docs.docker.com, "Docker Plugin API", plugin discovery. */
export const PLUGIN_DIRS: PluginDirs = {
  sockets: '/run/docker/plugins',
  specs: ['/etc/docker/plugins', '/usr/lib/docker/plugins'],
};

/** Where a plugin is reached. */
export type PluginAddress = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/** A file's name, so nothing that leads elsewhere. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.:-]{0,127}$/;

const DescriptionSchema = v.object({ Addr: v.string(), TLSConfig: v.nullish(v.unknown()) });

/** @throws `not-found` when nothing of that name is there; `internal`, `unsupported` for a description that cannot be followed. */
export async function findPlugin(name: string, dirs: PluginDirs): Promise<PluginAddress> {
  if (NAME.test(name)) {
    for (const path of [`${name}.sock`, join(name, `${name}.sock`)].map((it) => join(dirs.sockets, it))) {
      if ((await ifExists(() => stat(path)))?.isSocket()) return { socketPath: path };
    }
    for (const path of descriptionsOf(name, dirs)) {
      const text = await ifExists(() => readFile(path, 'utf8'));
      if (text !== undefined) return described(path, text);
    }
  }
  throw notFound(`plugin "${name}" not found`);
}

/** The names of all that could be plugins. */
export async function scanPlugins(dirs: PluginDirs): Promise<string[]> {
  const found: string[] = [];
  for (const dir of [dirs.sockets, ...dirs.specs]) {
    const entries = (await ifExists(() => readdir(dir, { withFileTypes: true }))) ?? [];
    for (const entry of entries) {
      const isPlugin =
        entry.isDirectory() || (dir === dirs.sockets ? entry.isSocket() : /\.(spec|json)$/.test(entry.name));
      if (isPlugin) found.push(entry.name.replace(/\.(sock|spec|json)$/, ''));
    }
  }
  return [...new Set(found)].filter((name) => NAME.test(name)).toSorted();
}

function descriptionsOf(name: string, { specs }: PluginDirs): string[] {
  return specs.flatMap((dir) =>
    [`${name}.spec`, `${name}.json`].flatMap((file) => [join(dir, file), join(dir, name, file)]),
  );
}

function described(path: string, text: string): PluginAddress {
  if (!path.endsWith('.json')) return parseAddress(path, text.trim());
  let description: v.InferOutput<typeof DescriptionSchema>;
  try {
    description = v.parse(DescriptionSchema, JSON.parse(text));
  } catch (error) {
    throw internal(`${path}: ${messageOf(error)}`, error);
  }
  if ((description.TLSConfig ?? null) !== null)
    throw unsupported(`${path}: TLS to plugins is not supported yet by this engine`);
  return parseAddress(path, description.Addr);
}

function parseAddress(path: string, address: string): PluginAddress {
  const [, scheme, rest = ''] = /^(\w+):\/\/(.*)$/s.exec(address) ?? [];
  if (scheme === 'unix' && rest.startsWith('/')) return { socketPath: rest };
  const [, host, port] = /^(.+):(\d{1,5})\/?$/.exec(rest) ?? [];
  if ((scheme === 'tcp' || scheme === 'http') && host !== undefined) {
    return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
  }
  if (scheme === 'https') throw unsupported(`${path}: TLS to plugins is not supported yet by this engine`);
  throw internal(`${path}: unknown protocol in ${JSON.stringify(address)}`);
}
