import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as v from 'valibot';
import { hasCode, invalid, messageOf } from '../../util/errors.ts';
import { writeAside } from '../write-aside.ts';

const AuthSchema = v.looseObject({
  auth: v.optional(v.string()),
  identitytoken: v.optional(v.string()),
  registrytoken: v.optional(v.string()),
});
const FileSchema = v.looseObject({
  auths: v.optional(v.record(v.string(), AuthSchema), {}),
  credsStore: v.optional(v.string(), ''),
  credHelpers: v.optional(v.record(v.string(), v.string()), {}),
});

/** Docker's `config.json`, whose logins are shared with Docker's command line. Fields that are not known here stay as they are. */
export type ConfigFile = v.InferOutput<typeof FileSchema>;

const pathIn = (dir: string): string => join(dir, 'config.json');

/** An empty one where there is none. @throws `invalid` naming the file. */
export async function readConfigFile(dir: string): Promise<ConfigFile> {
  try {
    return v.parse(FileSchema, JSON.parse(await readFile(pathIn(dir), 'utf8')));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return v.parse(FileSchema, {});
    throw invalid(`Error loading config file: ${pathIn(dir)}: ${messageOf(error)}`, error);
  }
}

/** Replaces it at once; nobody else may read it. */
export async function writeConfigFile(dir: string, file: ConfigFile): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const { credsStore, credHelpers, ...rest } = file;
  const kept = {
    ...rest,
    ...(credsStore === '' ? {} : { credsStore }),
    ...(Object.keys(credHelpers).length === 0 ? {} : { credHelpers }),
  };
  await writeAside(Readable.from([`${JSON.stringify(kept, null, '\t')}\n`]), pathIn(dir));
}
