import { invalid, messageOf, unsupported } from '../../util/errors.ts';
import { LABEL_OPTIONS } from './drivers/driver.ts';
import { REMOTE_DRIVERS, remoteDriver } from './drivers/drivers.ts';
import { boolOption } from './drivers/option-values.ts';
import { logLimits } from './log-limits.ts';
import type { LogSubject } from './log-subject.ts';
import { parseSize } from './parse-size.ts';
import { recordAttributes } from './record-attributes.ts';

/** A container's log driver and its options, in Docker's field names. */
export interface LogConfig {
  Type: string;
  Config: Record<string, string>;
}

const FILE_OPTIONS = ['max-file', 'max-size', 'compress'];
const FILE_DRIVERS: Readonly<Record<string, readonly string[]>> = {
  'json-file': [...FILE_OPTIONS, ...LABEL_OPTIONS],
  local: FILE_OPTIONS,
  none: [],
};

/** The drivers that do something with what a container says. */
export const LOG_DRIVERS = [...REMOTE_DRIVERS, 'json-file', 'local'].toSorted();

/** Drivers of Docker that send to a service of somebody's cloud. */
const NOT_HERE = ['awslogs', 'gcplogs', 'logentries', 'splunk'];
const CACHE_OPTIONS = ['cache-disabled', ...FILE_OPTIONS.map((name) => `cache-${name}`)];
/** Options of every driver. */
const COMMON_OPTIONS = ['mode', 'max-buffer-size', ...CACHE_OPTIONS];

/** The name and the options of the files that are kept: those of the driver, or a cache for one that sends messages away. */
export function keptFiles(config: LogConfig): LogConfig {
  if (remoteDriver(config.Type) === undefined) return config;
  const { Config } = config;
  if (boolOption(Config['cache-disabled'], false)) return { Type: 'none', Config: {} };
  const options = Object.fromEntries(
    FILE_OPTIONS.flatMap((name): [string, string][] => {
      const value = Config[`cache-${name}`];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  // Who wants a single file need not say that it cannot be compressed.
  return { Type: 'local', Config: { ...(options['max-file'] === '1' ? { compress: 'false' } : {}), ...options } };
}

/**
 * Completes a container's log configuration from the daemon's and checks what Docker checks when a container is created.
 *
 * @throws `invalid` in Docker's words; `unsupported` for a driver of Docker's that is not here.
 */
export function validateLogConfig(config: LogConfig, defaults: LogConfig): LogConfig {
  const { Type, Config } = merge(config, defaults);
  if (NOT_HERE.includes(Type)) throw unsupported(`the log driver '${Type}' is not supported by Gantry`);
  const remote = remoteDriver(Type);
  if (remote === undefined && !Object.hasOwn(FILE_DRIVERS, Type)) {
    throw invalid(`error looking up logging plugin ${Type}: plugin "${Type}" not found`);
  }
  if (Type === 'none') return { Type, Config };
  checkMode(Config);
  checkNames(Type, Config);
  remote?.check(Config);
  checkCache(Config);
  return { Type, Config };
}

/**
 * Checks what Docker finds out when the container starts: how its files are to be kept, and what its records are to carry. A driver that sends messages
 * away looks at the latter itself.
 *
 * @throws `invalid` in Docker's words.
 */
export function checkKeptFiles(config: LogConfig, subject: LogSubject): void {
  const kept = keptFiles(config);
  if (kept.Type !== 'none') logLimits(kept);
  recordAttributes(config, subject);
}

/** The daemon's options are for its own driver; those of the cache are for every one. */
function merge(config: LogConfig, defaults: LogConfig): LogConfig {
  const Type = config.Type === '' ? defaults.Type || 'json-file' : config.Type;
  const own = Type === defaults.Type;
  const inherited = Object.entries(defaults.Config).filter(([name]) => own || CACHE_OPTIONS.includes(name));
  return { Type, Config: { ...Object.fromEntries(inherited), ...config.Config } };
}

function checkMode(options: Readonly<Record<string, string>>): void {
  const mode = options['mode'] ?? '';
  const size = options['max-buffer-size'];
  if (!['', 'blocking', 'non-blocking'].includes(mode)) throw invalid(`logger: logging mode not supported: ${mode}`);
  if (size === undefined) return;
  if (mode !== 'non-blocking') {
    throw invalid("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
  }
  try {
    parseSize(size, 1024);
  } catch (error) {
    throw invalid(`error parsing option max-buffer-size: ${messageOf(error)}`, error);
  }
}

function checkCache(options: Readonly<Record<string, string>>): void {
  const value = options['cache-disabled'];
  try {
    boolOption(value, false);
  } catch (error) {
    throw invalid(`invalid value for option cache-disabled: ${value}`, error);
  }
}

function checkNames(driver: string, options: Readonly<Record<string, string>>): void {
  const known = remoteDriver(driver)?.options ?? FILE_DRIVERS[driver] ?? [];
  for (const name of Object.keys(options)) {
    if (known.includes(name) || COMMON_OPTIONS.includes(name)) continue;
    // Docker asks for the address first.
    if (driver === 'gelf' && options['gelf-address'] === undefined) return;
    throw invalid(unknownOption(name, driver));
  }
}

function unknownOption(name: string, driver: string): string {
  if (driver === 'local') return `unknown log opt '${name}' for log driver local`;
  const quote = driver === 'gelf' ? '"' : "'";
  return `unknown log opt ${quote}${name}${quote} for ${driver} log driver`;
}
