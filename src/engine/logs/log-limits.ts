import { invalid } from '../../util/errors.ts';
import { named, parseBool } from './drivers/option-values.ts';
import type { LogConfig } from './log-config.ts';
import { parseSize } from './parse-size.ts';

/** How the files of a log are kept. Sizes in bytes. */
export interface LogLimits {
  maxSize: number;
  maxFiles: number;
  compress: boolean;
}

// No log fills a disk unasked. Why these figures: docs/decisions/0005-logs-are-bounded.md.
const JSON_MAX_SIZE = 100_000_000;
const LOCAL_MAX_SIZE = 20_000_000;
const MAX_FILES = 5;

type Options = Readonly<Record<string, string>>;

/** The limits that the options of `json-file` or `local` ask for, the defaults included. @throws `invalid` in Docker's words. */
export function logLimits({ Type, Config }: LogConfig): LogLimits {
  return Type === 'local' ? localLimits(Config) : jsonLimits(Config);
}

function jsonLimits({ 'max-size': size, 'max-file': files, compress }: Options): LogLimits {
  const maxSize = size === undefined ? JSON_MAX_SIZE : parseSize(size, 1000);
  if (maxSize <= 0) throw invalid('max-size must be a positive number');
  // As in Docker, a log whose size was chosen, and nothing else, is a single file.
  const maxFiles = files === undefined ? (size === undefined ? MAX_FILES : 1) : parseCount(files);
  if (maxFiles < 1) throw invalid('max-file cannot be less than 1');
  const compressed = compress !== undefined && parseBool(compress);
  if (compressed && (maxFiles === 1 || size === undefined)) {
    throw invalid('compress cannot be true when max-file is less than 2 or max-size is not set');
  }
  return { maxSize, maxFiles, compress: compressed };
}

function localLimits({ 'max-size': size, 'max-file': files, compress }: Options): LogLimits {
  const maxSize =
    size === undefined ? LOCAL_MAX_SIZE : named(`invalid value for max-size: ${size}`, () => parseSize(size, 1000));
  const maxFiles =
    files === undefined ? MAX_FILES : named(`invalid value for max-file: ${files}`, () => parseCount(files));
  const compressed = compress === undefined || named('error reading compress log option', () => parseBool(compress));
  if (maxFiles < 0) throw invalid('max file count cannot be less than 0');
  if (compressed && maxFiles <= 1) throw invalid('compression cannot be enabled when max file count is 1');
  // Docker takes a size or a count of nothing for the least there can be.
  return { maxSize: Math.max(1, maxSize), maxFiles: Math.max(1, maxFiles), compress: compressed };
}

function parseCount(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw invalid(`strconv.Atoi: parsing "${text}": invalid syntax`);
  return Number(text);
}
