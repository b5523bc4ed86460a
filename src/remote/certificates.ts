import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, invalid } from '../util/errors.ts';
import type { TlsSettings } from './endpoint.ts';

/**
 * Reads what the first directory of a registry that is there holds: `*.crt` are authorities, `x.cert` with `x.key` is the client's own certificate.
 *
 * @throws `invalid` in Docker's words for a certificate without its key, or a key without its certificate.
 */
export async function readCertificates(
  dirs: readonly string[],
  registry: string,
): Promise<Omit<TlsSettings, 'verify'>> {
  for (const dir of dirs.map((parent) => join(parent, registry))) {
    const names = await namesIn(dir);
    if (names !== undefined) return await readDirectory(dir, names);
  }
  return { ca: [] };
}

async function namesIn(dir: string): Promise<string[] | undefined> {
  try {
    return (await readdir(dir)).toSorted();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

async function readDirectory(dir: string, names: readonly string[]): Promise<Omit<TlsSettings, 'verify'>> {
  const read = (name: string): Promise<string> => readFile(join(dir, name), 'utf8');
  const ca = await Promise.all(names.filter((name) => name.endsWith('.crt')).map(read));
  const cert = names.find((name) => name.endsWith('.cert'));
  const key = names.find((name) => name.endsWith('.key'));
  const wantedKey = cert?.replace(/cert$/, 'key');
  const wantedCert = key?.replace(/key$/, 'cert');
  if (wantedKey !== undefined && !names.includes(wantedKey)) {
    throw invalid(
      `missing key ${wantedKey} for client certificate ${cert}. Note that CA certificates should use the extension .crt`,
    );
  }
  if (wantedCert !== undefined && !names.includes(wantedCert))
    throw invalid(`missing client certificate ${wantedCert} for key ${key}`);
  if (cert === undefined || wantedKey === undefined) return { ca };
  return { ca, cert: await read(cert), key: await read(wantedKey) };
}
