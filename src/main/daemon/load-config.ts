import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import * as v from 'valibot';
import { CDI_SPEC_DIRS } from '../../engine/devices/cdi-files.ts';
import { hasCode, invalid, messageOf } from '../../util/errors.ts';
import { ConfigSchema, type DaemonConfig, type PartialConfig } from './config.ts';
import { defaultModes } from './default-modes.ts';
import { type DaemonFlags, DEFAULT_CONFIG_FILE } from './flags.ts';
import { limitsConfig } from './limits-config.ts';
import { registriesConfig } from './registries-config.ts';
import { securityConfig } from './security-config.ts';

/**
 * Joins flags and configuration file and fills in the defaults.
 *
 * @throws `invalid` naming the key: one that is unknown, has the wrong type, or is given in both places.
 */
export async function loadConfig(flags: DaemonFlags): Promise<DaemonConfig> {
  const file = flags.configFile ?? DEFAULT_CONFIG_FILE;
  const fromFile = await readConfigFile(file, flags.configFile !== undefined);
  refuseTwice(flags.config, fromFile, file);
  const given = { ...fromFile, ...flags.config };
  return { ...complete(given), ...(await securityConfig(given)) };
}

async function readConfigFile(path: string, required: boolean): Promise<PartialConfig> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (!required && hasCode(error, 'ENOENT')) return {};
    throw invalid(`unable to configure the engine with file ${path}: ${messageOf(error)}`, error);
  }
  return parseConfigFile(text, path);
}

/** Checks the text of a configuration file; an empty file is an empty configuration. */
export function parseConfigFile(text: string, path: string): PartialConfig {
  const fail = (why: string) => invalid(`unable to configure the engine with file ${path}: ${why}`);
  if (text.trim() === '') return {};
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw fail(messageOf(error));
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw fail('not a JSON object');
  const unknown = Object.keys(json).filter((key) => !(key in ConfigSchema.entries));
  if (unknown.length > 0) {
    throw fail(`the following directives don't match any configuration option: ${unknown.join(', ')}`);
  }
  const result = v.safeParse(ConfigSchema, json);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw fail(`${v.getDotPath(issue) ?? ''}: ${issue.message}`);
}

/** A key given in both places has no right answer, whatever the values are. */
function refuseTwice(flags: PartialConfig, file: PartialConfig, path: string): void {
  const value = (it: unknown) => (typeof it === 'string' ? it : JSON.stringify(it));
  const twice = Object.entries(flags)
    .filter(([key]) => key in file)
    .map(([key, flag]) => `${key}: (from flag: ${value(flag)}, from file: ${value(file[key as keyof PartialConfig])})`);
  if (twice.length === 0) return;
  throw invalid(
    `unable to configure the engine with file ${path}: the following directives are specified both as a flag and in the configuration file: ${twice.join(', ')}`,
  );
}

function complete(
  given: PartialConfig,
): Omit<DaemonConfig, 'specDefaults' | 'seccompProfile' | 'usernsRemap' | 'initPath'> {
  const execRoot = resolve(given['exec-root'] ?? '/run/gantry');
  const debug = given.debug ?? false;
  return {
    dataRoot: resolve(given['data-root'] ?? '/var/lib/gantry'),
    execRoot,
    hosts: (given.hosts?.length ? given.hosts : [`unix://${join(execRoot, 'gantry.sock')}`]).map(checkHost),
    pidfile: resolve(given.pidfile ?? join(execRoot, 'gantry.pid')),
    debug,
    logLevel: debug ? 'debug' : (given['log-level'] ?? 'info'),
    logConfig: { Type: given['log-driver'] ?? 'json-file', Config: given['log-opts'] ?? {} },
    group: given.group,
    defaultRuntime: given['default-runtime'],
    runtimes: given.runtimes ?? {},
    bip: given.bip,
    dns: (given.dns ?? []).map(checkAddress),
    ...defaultModes(given),
    ...lifeConfig(given),
    ...limitsConfig(given),
    ...registriesConfig(given),
    // An empty name stands for none.
    cdiSpecDirs: (given['cdi-spec-dirs'] ?? CDI_SPEC_DIRS).filter((dir) => dir !== ''),
  };
}

/** Docker's settings for the end of containers. @throws `invalid` for one that would have them end with the engine. */
function lifeConfig(given: PartialConfig): Pick<DaemonConfig, 'defaultStopTimeout' | 'shutdownTimeout'> {
  if (given['live-restore'] === false) {
    throw invalid('live-restore: false is not supported: containers always go on running when this engine ends');
  }
  return { defaultStopTimeout: given['default-stop-timeout'] ?? 10, shutdownTimeout: given['shutdown-timeout'] };
}

function checkHost(host: string): string {
  const [scheme = '', rest = ''] = host.includes('://') ? host.split('://', 2) : ['', ''];
  if (scheme === 'unix' && rest.startsWith('/')) return host;
  if (scheme === 'tcp') throw invalid(`hosts: ${host}: listening on TCP is not supported by this version of Gantry`);
  throw invalid(`hosts: invalid bind address (${host}): expected unix:///path`);
}

function checkAddress(address: string): string {
  if (isIP(address) !== 0) return address;
  throw invalid(`dns: ${address} is not an ip address`);
}
