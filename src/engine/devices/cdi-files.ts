import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { parse as parseYaml } from 'yaml';
import { type CdiSpec, CdiSpecSchema, type ContainerEdits } from '../../spec/cdi.ts';
import { invalid, messageOf } from '../../util/errors.ts';
import { ifExists } from '../../util/files.ts';

/** Where vendors put specifications: those that come with software, and those made at boot, which win. */
export const CDI_SPEC_DIRS: readonly string[] = ['/etc/cdi', '/var/run/cdi'];

/** Far more than any vendor's file. */
const MAX_BYTES = 8 << 20;

/** A device that a specification file describes. */
export interface CdiDevice {
  /** `vendor.com/class=name`. */
  readonly name: string;
  readonly edits: ContainerEdits;
  /** What all devices of the file need. */
  readonly common: ContainerEdits;
}

/** All devices there are, and what is wrong with the files that could not be used. */
export interface CdiDevices {
  readonly byName: ReadonlyMap<string, CdiDevice>;
  readonly errors: readonly string[];
}

/**
 * Reads the specification files as they are now. Later directories win; a device that two files of one directory describe is
 * none, because nobody can tell which one is meant.
 */
export async function readCdiDevices(dirs: readonly string[]): Promise<CdiDevices> {
  const byName = new Map<string, CdiDevice>();
  const errors: string[] = [];
  for (const dir of dirs) {
    const found = await readDir(dir, errors);
    const names = found.map(({ name }) => name);
    for (const device of found) {
      const twice = names.indexOf(device.name) !== names.lastIndexOf(device.name);
      if (twice) byName.delete(device.name);
      else byName.set(device.name, device);
    }
    for (const name of new Set(names.filter((one, at) => names.indexOf(one) !== at))) {
      errors.push(`conflicting device ${name} in ${dir}`);
    }
  }
  return { byName, errors };
}

async function readDir(dir: string, errors: string[]): Promise<CdiDevice[]> {
  const devices: CdiDevice[] = [];
  for (const name of ((await ifExists(() => readdir(dir))) ?? []).sort()) {
    if (!/\.(json|yaml|yml)$/.test(name)) continue;
    const path = join(dir, name);
    try {
      devices.push(...devicesOf(await readSpec(path)));
    } catch (error) {
      errors.push(`failed to load CDI Spec ${path}: ${messageOf(error)}`);
    }
  }
  return devices;
}

function devicesOf({ kind, devices, containerEdits: common }: CdiSpec): CdiDevice[] {
  return devices.map(({ name, containerEdits }) => ({ name: `${kind}=${name}`, edits: containerEdits, common }));
}

async function readSpec(path: string): Promise<CdiSpec> {
  const stats = await stat(path);
  // Reading a FIFO would wait for ever.
  if (!stats.isFile()) throw invalid('not a regular file');
  if (stats.size > MAX_BYTES) throw invalid(`larger than ${MAX_BYTES} bytes`);
  return parseCdiSpec(await readFile(path, 'utf8'));
}

/** Checks the text of a specification file, YAML or JSON, which is YAML too. @throws `invalid` naming the field. */
export function parseCdiSpec(text: string): CdiSpec {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (error) {
    throw invalid(messageOf(error), error);
  }
  const parsed = v.safeParse(CdiSpecSchema, value);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw invalid(`${v.getDotPath(issue) ?? 'specification'}: ${issue.message}`);
}
