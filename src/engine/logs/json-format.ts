import { isAscii } from 'node:buffer';
import { readSync } from 'node:fs';
import { formatRfc3339NanoFixed, parseRfc3339Nano } from '../../util/time.ts';
import type { LogEntry, OutputName } from '../engine.ts';
import { hasLongLine, recordEnd } from './line-cut.ts';
import type { LogClock } from './log-clock.ts';
import type { Encoded, LogFormat, ReadAt } from './log-format.ts';

const HEAD = '{"log":"';
const NEWLINE = 0x0a;
const NO_ATTRS: Readonly<Record<string, string>> = Object.freeze({});
const BLOCK = 65_536;

let scratch = Buffer.allocUnsafeSlow(262_144);

function intoScratch(text: string, encoding: 'latin1' | 'utf8'): Encoded {
  const most = encoding === 'latin1' ? text.length : text.length * 3;
  if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most);
  return { buffer: scratch, length: scratch.write(text, encoding) };
}

/** The text of one line as the inside of a JSON string. */
const quoted = (text: string): string => JSON.stringify(text).slice(1, -1);

/**
 * All lines at once. Without backslashes in the text every `\n` in its JSON is a newline; with them newlines become DEL first,
 * which JSON leaves alone.
 */
function escape(text: string, between: string): string {
  if (!text.includes('\\')) return quoted(text).replaceAll('\\n', between);
  if (!text.includes('\x7f')) return quoted(text.replaceAll('\n', '\x7f')).replaceAll('\x7f', between);
  return text.split('\n').map(quoted).join(between);
}

/**
 * The format of Docker's `json-file` driver: one object a line, `{"log":"…\n","stream":"stdout","attrs":{…},"time":"…"}`.
 * Bytes that are not UTF-8 become U+FFFD.
 *
 * @param attrs what labels, environment and tag add to every record.
 */
export function jsonFormat(attrs: Readonly<Record<string, string>>): LogFormat {
  const extra = Object.keys(attrs).length === 0 ? '' : `"attrs":${JSON.stringify(attrs)},`;
  const encodeLines = (stream: OutputName, bytes: Buffer, time: string): [string, 'latin1' | 'utf8'] => {
    const tail = `","stream":"${stream}",${extra}"time":"${time}"}\n`;
    const between = `\\n${tail}${HEAD}`;
    const ascii = isAscii(bytes);
    const body = escape(bytes.toString(ascii ? 'latin1' : 'utf8'), between);
    const ended = bytes[bytes.length - 1] === NEWLINE;
    const text = ended ? `${HEAD}${body.slice(0, -HEAD.length)}` : `${HEAD}${body}${tail}`;
    return [text, ascii && extra === '' ? 'latin1' : 'utf8'];
  };
  return {
    encode(stream, bytes, clock: LogClock) {
      const time = clock.text();
      if (!hasLongLine(bytes)) return intoScratch(...encodeLines(stream, bytes, time));
      let text = '';
      for (let start = 0; start < bytes.length; ) {
        const end = recordEnd(bytes, start, bytes.length);
        text += encodeLines(stream, bytes.subarray(start, end), time)[0];
        start = end;
      }
      return intoScratch(text, 'utf8');
    },
    decode: decodeJson,
    wholeEnd: lastNewline,
    findTail,
  };
}

// `","stream":"stdout","time":"2006-01-02T15:04:05.000000000Z"}`: what follows the text in a line of ours without attributes.
const SUFFIX = 60;
const BEFORE_STREAM = '","stream":"std';
const BEFORE_TIME = '","time":"';

/** Lines of our own layout whose text has no escapes are not parsed: the text is a view of the bytes. */
function decodeJson(bytes: Buffer, out: LogEntry[]): number {
  const text = bytes.toString('latin1');
  let start = 0;
  let escaped = text.indexOf('\\');
  for (;;) {
    const end = text.indexOf('\n', start);
    if (end === -1) return start;
    const after = end - SUFFIX;
    if (escaped !== -1 && escaped < start) escaped = text.indexOf('\\', start);
    const ours =
      after >= start + HEAD.length &&
      text.startsWith(HEAD, start) &&
      text.startsWith(BEFORE_STREAM, after) &&
      text.startsWith(BEFORE_TIME, after + 18);
    const newline = escaped === after - 2 && text[after - 1] === 'n';
    const data = !ours
      ? undefined
      : newline || escaped === -1 || escaped > end
        ? view(bytes, start, after, newline)
        : unquote(bytes, start, after);
    const entry = data === undefined ? parsedEntry(bytes, start, end) : ourEntry(text, after, data);
    if (entry !== undefined) out.push(entry);
    start = end + 1;
  }
}

/** The text of a line without escapes, in place; the two characters `\n` become the newline they stand for. */
function view(bytes: Buffer, start: number, after: number, newline: boolean): Buffer {
  if (newline) bytes[after - 2] = NEWLINE;
  return bytes.subarray(start + HEAD.length, newline ? after - 1 : after);
}

/** The text of a line with escapes; undefined when it is not one string, because the line only looks like ours. */
function unquote(bytes: Buffer, start: number, after: number): Buffer | undefined {
  try {
    return Buffer.from(JSON.parse(bytes.toString('utf8', start + HEAD.length - 1, after + 1)) as string);
  } catch {
    return undefined;
  }
}

function ourEntry(text: string, after: number, data: Buffer): LogEntry {
  return {
    stream: text.charCodeAt(after + BEFORE_STREAM.length) === 0x6f ? 'stdout' : 'stderr',
    time: text.slice(after + 28, after + 58),
    data,
    attrs: NO_ATTRS,
  };
}

/** A line of any layout; undefined for one that is no record: a damaged line costs that line alone. */
function parsedEntry(bytes: Buffer, start: number, end: number): LogEntry | undefined {
  try {
    const line = JSON.parse(bytes.toString('utf8', start, end)) as Record<string, unknown>;
    const { log, stream, time, attrs } = line;
    if (typeof log !== 'string' || typeof time !== 'string') return undefined;
    return {
      stream: stream === 'stderr' ? 'stderr' : 'stdout',
      time: time.length === 30 && time.endsWith('Z') ? time : formatRfc3339NanoFixed(parseRfc3339Nano(time)),
      data: Buffer.from(log),
      attrs: typeof attrs === 'object' && attrs !== null ? (attrs as Record<string, string>) : NO_ATTRS,
    };
  } catch {
    return undefined;
  }
}

function lastNewline(fd: number, size: number): number {
  const block = Buffer.allocUnsafe(BLOCK);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK);
    const read = readSync(fd, block, 0, end - start, start);
    const at = block.subarray(0, read).lastIndexOf(NEWLINE);
    if (at !== -1) return start + at + 1;
    end = start;
  }
  return 0;
}

/** Reads backwards: the cost is that of the lines asked for, not of the file. */
async function findTail(readAt: ReadAt, size: number, count: number) {
  if (count === 0 || size === 0) return { offset: size, skip: 0, found: 0 };
  let found = 0;
  // The newline at the very end ends the last line and begins none.
  for (let end = size - 1; end > 0; ) {
    const start = Math.max(0, end - BLOCK);
    const block = await readAt(start, end - start);
    for (let at = block.lastIndexOf(NEWLINE); at !== -1; at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1)) {
      found += 1;
      if (found === count) return { offset: start + at + 1, skip: 0, found };
    }
    end = start;
  }
  return { offset: 0, skip: 0, found: found + 1 };
}
