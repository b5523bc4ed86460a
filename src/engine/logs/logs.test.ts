import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { kindOf } from '../../util/errors.ts';
import { openLog, silentLog } from '../../util/log.ts';
import { nowNano, parseRfc3339Nano } from '../../util/time.ts';
import type { LogEntry, LogQuery } from '../engine.ts';
import { clearLog } from './clear-log.ts';
import { type LogWriter, openLogWriter } from './log-writer.ts';
import { readLogs } from './read-logs.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-logs-'));
after(() => rmSync(dir, { recursive: true, force: true }));
let files = 0;
const freshPath = () => join(dir, `log-${++files}`);
const DRIVERS = ['json-file', 'local'] as const;

interface Opened {
  config: { Type: string; Config: Record<string, string> };
  path: string;
  writer: LogWriter;
}

function open(driver: string, options: Record<string, string> = {}, path = freshPath()): Opened {
  const config = { Type: driver, Config: options };
  return { config, path, writer: openLogWriter({ config, path, attrs: {}, log: silentLog() }) };
}

type Query = Partial<LogQuery>;
const read = ({ config, path }: Opened, query: Query = {}, writer?: LogWriter) =>
  readLogs(
    { config, path, writer },
    { stdout: true, stderr: true, follow: false, signal: new AbortController().signal, ...query },
  );

async function entries(opened: Opened, query: Query = {}, writer?: LogWriter): Promise<LogEntry[]> {
  const all: LogEntry[] = [];
  for await (const batch of read(opened, query, writer)) all.push(...batch);
  return all;
}

const text = (found: LogEntry[]) => found.map(({ data }) => data.toString()).join('');

for (const driver of DRIVERS) {
  test(`${driver}: what is written is read back, in order, by stream`, async () => {
    const opened = open(driver);
    opened.writer.write('stdout', Buffer.from('one\ntw'));
    opened.writer.write('stderr', Buffer.from('oops "quoted" \\n \t<&>\n'));
    opened.writer.write('stdout', Buffer.from('o\nthree é €\n\nlast'));
    opened.writer.end();
    const all = await entries(opened);
    assert.deepEqual(
      all.map(({ stream, data }) => [stream, data.toString()]),
      [
        ['stdout', 'one\n'],
        ['stderr', 'oops "quoted" \\n \t<&>\n'],
        ['stdout', 'two\n'],
        ['stdout', 'three é €\n'],
        ['stdout', '\n'],
        ['stdout', 'last'],
      ],
    );
    assert.equal(text(await entries(opened, { stdout: false })), 'oops "quoted" \\n \t<&>\n');
    assert.equal(text(await entries(opened, { stderr: false })), 'one\ntwo\nthree é €\n\nlast');
  });

  test(`${driver}: odd bytes come back whole`, async () => {
    const opened = open(driver);
    const lines = [
      '\x7f',
      'a\\nb\x7f',
      '\\',
      '"',
      '{"log":"x"}',
      '\u2028',
      '","stream":"stdout","time":"',
      '\\u0041',
      '\x1b[0m\r',
    ];
    opened.writer.write('stdout', Buffer.from(`${lines.join('\n')}\n`));
    for (const line of lines) opened.writer.write('stderr', Buffer.from(`${line}\n`));
    opened.writer.end();
    assert.deepEqual(
      (await entries(opened, { stderr: false })).map(({ data }) => data.toString()),
      lines.map((line) => `${line}\n`),
    );
    assert.deepEqual(
      (await entries(opened, { stdout: false })).map(({ data }) => data.toString()),
      lines.map((line) => `${line}\n`),
    );
  });

  test(`${driver}: characters cut at the border of a chunk are put together`, async () => {
    const opened = open(driver);
    const bytes = Buffer.from('€😀é\n');
    for (const byte of bytes) opened.writer.write('stdout', Buffer.from([byte]));
    opened.writer.end();
    assert.equal(text(await entries(opened)), '€😀é\n');
  });

  test(`${driver}: long lines are cut at 16 KiB and lose nothing`, async () => {
    const opened = open(driver);
    const line = `${'abc€'.repeat(20_000)}\n`;
    const bytes = Buffer.from(`first\n${line}last\n`);
    for (let at = 0; at < bytes.length; at += 7001) opened.writer.write('stdout', bytes.subarray(at, at + 7001));
    opened.writer.end();
    const all = await entries(opened);
    assert.equal(text(all), bytes.toString());
    assert.equal(all.length, 2 + Math.ceil(Buffer.byteLength(line) / 16_384));
    assert.ok(all.every(({ data }) => data.length <= 16_384));
  });

  test(`${driver}: tail counts from the end, across blocks`, async () => {
    const opened = open(driver);
    for (let i = 0; i < 5000; i += 10) {
      const lines = Array.from({ length: 10 }, (_, j) => `line ${i + j} ${'x'.repeat(50)}\n`);
      opened.writer.write('stdout', Buffer.from(lines.join('')));
    }
    opened.writer.end();
    for (const tail of [0, 1, 3, 10, 1234, 4999, 5000, 9999]) {
      const all = await entries(opened, { tail });
      assert.equal(all.length, Math.min(tail, 5000), `tail ${tail}`);
      if (tail > 0) assert.match(String(all[0]?.data), new RegExp(`^line ${Math.max(0, 5000 - tail)} `));
      if (tail > 0) assert.match(String(all.at(-1)?.data), /^line 4999 /);
    }
  });

  test(`${driver}: since and until choose by time, and times rise`, async () => {
    const opened = open(driver);
    const marks: bigint[] = [];
    for (const line of ['a', 'b', 'c']) {
      await new Promise((resolve) => setTimeout(resolve, 3));
      marks.push(nowNano());
      opened.writer.write('stdout', Buffer.from(`${line}\n`));
    }
    opened.writer.end();
    assert.equal(text(await entries(opened, { since: marks[1] as bigint })), 'b\nc\n');
    assert.equal(text(await entries(opened, { until: marks[1] as bigint })), 'a\n');
    assert.equal(text(await entries(opened, { since: marks[1] as bigint, until: marks[2] as bigint })), 'b\n');
    const times = (await entries(opened)).map(({ time }) => parseRfc3339Nano(time));
    assert.ok(times.every((time, i) => i === 0 || time > (times[i - 1] as bigint)));
  });

  test(`${driver}: a follower sees what is written, as it is written, and ends with the writer`, {
    timeout: 10_000,
  }, async () => {
    const opened = open(driver);
    opened.writer.write('stdout', Buffer.from('before\n'));
    const seen: string[] = [];
    const following = (async () => {
      for await (const batch of read(opened, { follow: true }, opened.writer)) seen.push(text(batch));
    })();
    while (seen.join('') !== 'before\n') await turn();
    opened.writer.write('stdout', Buffer.from('live\nun'));
    while (seen.join('') !== 'before\nlive\n') await turn();
    opened.writer.write('stdout', Buffer.from('finished'));
    opened.writer.end();
    await following;
    assert.equal(seen.join(''), 'before\nlive\nunfinished');
  });

  test(`${driver}: a follower survives rotations and misses nothing`, { timeout: 20_000 }, async () => {
    const opened = open(driver, { 'max-size': '20k', 'max-file': '4', compress: 'true' });
    let seen = '';
    const following = (async () => {
      for await (const batch of read(opened, { follow: true }, opened.writer)) seen += text(batch);
    })();
    let written = '';
    for (let i = 0; i < 2000; i++) {
      const line = `line ${i} ${'y'.repeat(60)}\n`;
      written += line;
      opened.writer.write('stdout', Buffer.from(line));
      if (i % 20 === 0) for (let j = 0; j < 300 && seen.length < written.length; j++) await turn();
    }
    opened.writer.end();
    await following;
    assert.equal(seen === written, true, `${seen.length} of ${written.length} bytes`);
    await opened.writer.file?.idle();
  });

  test(`${driver}: rotation keeps the newest files, compressed, and readers go through them`, async () => {
    const opened = open(driver, { 'max-size': '10k', 'max-file': '3', compress: 'true' });
    const line = (i: number) => `line ${String(i).padStart(5, '0')} ${'z'.repeat(80)}\n`;
    for (let i = 0; i < 1000; i++) {
      opened.writer.write('stdout', Buffer.from(line(i)));
      if (i % 100 === 0) await opened.writer.file?.idle();
    }
    await opened.writer.file?.idle();
    const names = readdirSync(dir).filter(
      (name) => join(dir, name).startsWith(`${opened.path}.`) || join(dir, name) === opened.path,
    );
    assert.deepEqual(names.map((name) => join(dir, name).slice(opened.path.length)).sort(), ['', '.1.gz', '.2.gz']);
    assert.ok(statSync(opened.path).size <= 10_000);
    assert.ok(gunzipSync(readFileSync(`${opened.path}.1.gz`)).length <= 10_000);
    const all = await entries(opened, {}, opened.writer);
    assert.ok(all.length > 100 && all.length < 1000);
    const first = 1000 - all.length;
    assert.equal(text(all), Array.from({ length: all.length }, (_, i) => line(first + i)).join(''));
    for (const tail of [5, all.length - 3, all.length, 5000]) {
      const found = await entries(opened, { tail }, opened.writer);
      assert.equal(found.length, Math.min(tail, all.length));
      assert.equal(String(found.at(-1)?.data), line(999));
      assert.equal(String(found[0]?.data), line(1000 - found.length));
    }
    opened.writer.end();
  });

  test(`${driver}: a single file starts anew when it is full`, async () => {
    const opened = open(driver, {
      'max-size': '1k',
      'max-file': '1',
      ...(driver === 'local' ? { compress: 'false' } : {}),
    });
    for (let i = 0; i < 100; i++) opened.writer.write('stdout', Buffer.from(`line ${i}\n`));
    opened.writer.end();
    assert.ok(statSync(opened.path).size <= 1000);
    assert.equal(existsSync(`${opened.path}.1`), false);
    assert.match(text(await entries(opened)), /line 99\n$/);
  });

  test(`${driver}: what a crash tore is cut off, and writing goes on`, async () => {
    const first = open(driver);
    first.writer.write('stdout', Buffer.from('whole\n'));
    first.writer.close();
    const whole = readFileSync(first.path);
    for (const torn of [whole.subarray(0, whole.length - 3), Buffer.from('{"log":"torn'), Buffer.alloc(50)]) {
      const path = freshPath();
      writeFileSync(path, Buffer.concat([whole, whole, torn]));
      const again = open(driver, {}, path);
      assert.equal(statSync(path).size, 2 * whole.length);
      again.writer.write('stdout', Buffer.from('after\n'));
      again.writer.end();
      assert.equal(text(await entries(again)), 'whole\nwhole\nafter\n');
    }
  });

  test(`${driver}: a log that somebody emptied goes on at its front, for its followers as well`, async () => {
    const opened = open(driver);
    opened.writer.write('stdout', Buffer.from('old line\n'));
    const seen: string[] = [];
    for await (const batch of read(opened, { follow: true }, opened.writer)) {
      seen.push(...batch.map(({ data }) => data.toString()));
      if (seen.length === 1) {
        truncateSync(opened.path);
        opened.writer.write('stdout', Buffer.from('new line, longer than what was there\n'));
      } else if (seen.length === 2) {
        truncateSync(opened.path);
        opened.writer.write('stdout', Buffer.from('x\n'));
      } else opened.writer.end();
    }
    assert.deepEqual(seen, ['old line\n', 'new line, longer than what was there\n', 'x\n']);
    assert.equal(text(await entries(opened)), 'x\n');
    assert.equal(readFileSync(opened.path).includes(Buffer.alloc(16)), false);
  });

  test(`${driver}: emptied while it is followed, and once it has ended`, async () => {
    const opened = open(driver, { 'max-size': '1k', 'max-file': '3', compress: 'false' });
    for (let i = 0; i < 100; i++) opened.writer.write('stdout', Buffer.from(`line ${i}\n`));
    const seen: string[] = [];
    for await (const batch of read(opened, { follow: true, tail: 1 }, opened.writer)) {
      seen.push(...batch.map(({ data }) => data.toString()));
      if (seen.length > 1) opened.writer.end();
      else {
        clearLog(opened);
        assert.equal(existsSync(`${opened.path}.1`), false);
        opened.writer.write('stdout', Buffer.from('after\n'));
      }
    }
    assert.deepEqual(seen, ['line 99\n', 'after\n']);
    assert.equal(text(await entries(opened)), 'after\n');
    clearLog({ ...opened, writer: undefined });
    assert.equal(text(await entries(opened)), '');
    rmSync(opened.path);
    clearLog({ ...opened, writer: undefined });
  });

  test(`${driver}: a line begun under a killed daemon is finished under the next`, async () => {
    const killed = open(driver);
    killed.writer.write('stdout', Buffer.from('done\nhalf a '));
    killed.writer.write('stderr', Buffer.from('bad '));
    const next = open(driver, {}, killed.path);
    next.writer.write('stdout', Buffer.from('line\n'));
    next.writer.write('stderr', Buffer.from('news\n'));
    next.writer.end();
    assert.equal(text(await entries(next)), 'done\nhalf a line\nbad news\n');
    const third = open(driver, {}, killed.path);
    third.writer.end();
    assert.equal(text(await entries(third)), 'done\nhalf a line\nbad news\n');
    assert.equal(existsSync(`${killed.path}.unfinished`), false);
    killed.writer.close();
  });

  test(`${driver}: a stale unfinished line is not used twice`, async () => {
    const killed = open(driver);
    killed.writer.write('stdout', Buffer.from('half '));
    killed.writer.write('stdout', Buffer.from('line\n'));
    assert.equal(existsSync(`${killed.path}.unfinished`), true);
    const next = open(driver, {}, killed.path);
    next.writer.write('stdout', Buffer.from('more\n'));
    next.writer.end();
    assert.equal(text(await entries(next)), 'half line\nmore\n');
    killed.writer.close();
  });

  test(`${driver}: a reader that stops early closes its files`, async () => {
    const opened = open(driver);
    opened.writer.write('stdout', Buffer.from('x\n'.repeat(1000)));
    const before = readdirSync('/proc/self/fd').length;
    for await (const batch of read(opened, { follow: true }, opened.writer)) {
      assert.ok(batch.length > 0);
      break;
    }
    assert.equal(readdirSync('/proc/self/fd').length, before);
    opened.writer.end();
  });

  test(`${driver}: a full disk loses output, says so once, and goes on later`, {
    skip: process.getuid?.() !== 0 && 'needs root to mount',
  }, async () => {
    const mount = join(dir, `full-${driver}`);
    execFileSync('mkdir', ['-p', mount]);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', mount]);
    const said: string[] = [];
    try {
      const path = join(mount, 'log');
      const config = { Type: driver, Config: {} };
      const log = openLog('debug', (line) => said.push(JSON.parse(line).msg));
      const writer = openLogWriter({ config, path, attrs: {}, log });
      writer.write('stdout', Buffer.from('first\n'));
      writeFileSync(join(mount, 'filler'), Buffer.alloc(60_000));
      for (let i = 0; i < 50; i++) writer.write('stdout', Buffer.from(`${'x'.repeat(5000)}\n`));
      assert.deepEqual(said, ['a container log cannot be written']);
      rmSync(join(mount, 'filler'));
      writer.write('stdout', Buffer.from('again\n'));
      assert.deepEqual(said, ['a container log cannot be written', 'a container log can be written again']);
      writer.end();
      const found = text(await entries({ config, path, writer }));
      assert.match(found, /^first\n(x+\n)*again\n$/);
    } finally {
      execFileSync('umount', [mount]);
    }
  });
}

test('a log whose file somebody removed, or that could not be rotated once, goes on with the next rotation', async () => {
  for (const driver of DRIVERS) {
    const opened = open(driver, { 'max-size': '100', 'max-file': '2', compress: 'false' });
    const { path, writer } = opened;
    const line = (word: string) => writer.write('stdout', Buffer.from(`${word} ${'x'.repeat(60)}\n`));
    line('first');
    rmSync(path);
    line('second');
    assert.match(text(await entries(opened, {}, writer)), /^second/, driver);
    // Nothing can take the place of a directory that is not empty.
    mkdirSync(join(`${path}.1`, 'in the way'), { recursive: true });
    line('lost');
    rmSync(`${path}.1`, { recursive: true });
    line('third');
    assert.match(text(await entries(opened, {}, writer)), /third x+\n$/, driver);
    writer.end();
  }
});

test('json-file: the file is Docker’s, byte for byte where it matters', () => {
  const { path, writer } = open('json-file');
  writer.write('stdout', Buffer.from('a "b" \\ \tc\n'));
  writer.write('stderr', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('x\n')]));
  writer.write('stdout', Buffer.from('end'));
  writer.end();
  const lines = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    lines.map(({ log, stream }) => [log, stream]),
    [
      ['a "b" \\ \tc\n', 'stdout'],
      ['\ufffd\ufffdx\n', 'stderr'],
      ['end', 'stdout'],
    ],
  );
  assert.deepEqual(Object.keys(lines[0]), ['log', 'stream', 'time']);
  assert.match(lines[0].time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
});

test('json-file: a file that dockerd wrote is read', async () => {
  const opened = open('json-file');
  appendFileSync(
    opened.path,
    '{"log":"\\ufffdx \\u003c\\n","stream":"stderr","time":"2026-11-23T21:37:26.18Z"}\n' +
      'damaged\n' +
      '{"log":"bar","stream":"stdout","attrs":{"tag":"t"},"time":"2026-11-23T21:37:26.218263186Z"}\n',
  );
  const found = await entries(opened);
  assert.equal(text(found), '\ufffdx <\nbar');
  assert.deepEqual(
    found.map(({ time }) => time),
    ['2026-11-23T21:37:26.180000000Z', '2026-11-23T21:37:26.218263186Z'],
  );
  assert.deepEqual(found[1]?.attrs, { tag: 't' });
  opened.writer.close();
});

test('json-file: attributes go with every record', async () => {
  const config = { Type: 'json-file', Config: {} };
  const path = freshPath();
  const writer = openLogWriter({ config, path, attrs: { tag: 'tä', b: '1' } });
  writer.write('stdout', Buffer.from('x\ny\n'));
  writer.end();
  const found = await entries({ config, path, writer });
  assert.equal(text(found), 'x\ny\n');
  assert.deepEqual(
    found.map(({ attrs }) => attrs),
    [
      { tag: 'tä', b: '1' },
      { tag: 'tä', b: '1' },
    ],
  );
});

test('local: bytes that are not UTF-8 are kept', async () => {
  const opened = open('local');
  const bytes = Buffer.from([0xff, 0x00, 0x80, 0x0a]);
  opened.writer.write('stdout', bytes);
  opened.writer.end();
  assert.deepEqual((await entries(opened))[0]?.data, bytes);
});

test('none: nothing is kept, and reading is refused', async () => {
  const opened = open('none');
  opened.writer.write('stdout', Buffer.from('x\n'));
  opened.writer.end();
  assert.equal(existsSync(opened.path), false);
  await assert.rejects(entries(opened), (error: Error) => {
    assert.equal(error.message, 'configured logging driver does not support reading');
    return kindOf(error) === 'unsupported';
  });
});

test('following ends at once when nobody writes, with the signal, and at `until`', { timeout: 10_000 }, async () => {
  const opened = open('json-file');
  opened.writer.write('stdout', Buffer.from('x\n'));
  assert.equal(text(await entries(opened, { follow: true })), 'x\n');
  assert.equal(text(await entries(opened, { follow: true, until: nowNano() + 30_000_000n }, opened.writer)), 'x\n');
  const stop = new AbortController();
  const following = entries(opened, { follow: true, signal: stop.signal }, opened.writer);
  await turn();
  stop.abort();
  assert.equal((await following).length <= 1, true);
  opened.writer.end();
});

test('a damaged compressed file fails the reader and nothing else', async () => {
  const opened = open('json-file');
  opened.writer.write('stdout', Buffer.from('x\n'));
  writeFileSync(`${opened.path}.1.gz`, 'no gzip at all');
  await assert.rejects(entries(opened), /incorrect header check/);
  assert.equal(text(await entries(opened, { tail: 1 })), 'x\n');
  opened.writer.end();
});

test('a log that was never written is empty', async () => {
  const config = { Type: 'json-file', Config: {} };
  const writer = openLogWriter({ config, path: freshPath(), attrs: {} });
  assert.deepEqual(await entries({ config, path: join(dir, 'nothing'), writer }), []);
  writer.end();
});
