import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, inflateSync } from 'node:zlib';
import { onBoth } from '../support/both.ts';
import { eventually } from '../support/containers.ts';
import { type Receiver, streamReceiver, udpReceiver } from '../support/log-receivers.ts';
import { logged, logOptions, NOT_EMPTY, plain, SCRIPT } from '../support/logged.ts';
import type { Target } from '../support/target.ts';

const sortedLines = (it: Receiver): string[] => plain(it.text()).trimEnd().split('\n');

onBoth('log drivers', {
  'a receiver that is not there fails the start': async (target) => {
    const nobody = 'dial tcp 127.0.0.1:1: connect: connection refused';
    const cases: [string, Record<string, string>, string][] = [
      ['syslog', { 'syslog-address': 'tcp://127.0.0.1:1' }, nobody],
      ['fluentd', { 'fluentd-address': '127.0.0.1:1' }, nobody],
      ['gelf', { 'gelf-address': 'tcp://127.0.0.1:1' }, `gelf: cannot connect to GELF endpoint: 127.0.0.1:1 ${nobody}`],
      ['syslog', { 'syslog-address': 'tcp+tls://127.0.0.1:1' }, nobody],
      ['syslog', { 'syslog-address': 'unix:///tmp' }, 'dial unix /tmp: connect: connection refused'],
      ['syslog', { 'syslog-address': 'unixgram:///tmp' }, 'dial unixgram /tmp: connect: connection refused'],
      ['syslog', { 'syslog-address': 'udp://h:99999' }, 'dial udp: address 99999: invalid port'],
    ];
    await Promise.all(
      cases.map(async ([driver, given, why]) => {
        const message = `failed to initialize logging driver: ${why}`;
        const args = ['create', '--log-driver', driver, ...logOptions(given), 'busybox', 'true'];
        const id = (await target.docker(args)).stdout.trim();
        const start = await target.api('POST', `/containers/${id}/start`);
        assert.deepEqual([start.status, start.json()['message']], [500, message]);
        const { State } = (await target.api('GET', `/containers/${id}/json`)).json<{
          State: Record<string, unknown>;
        }>();
        assert.deepEqual([State['Status'], State['ExitCode'], State['Error']], ['created', 128, message]);
        await target.docker(['rm', id]);
      }),
    );
  },

  'syslog: each format, over udp': async (target) => {
    const heads = {
      '': '<P>STAMP tag[PID]: ',
      rfc3164: '<P>STAMP HOST tag[PID]: ',
      rfc5424: '<P>1 TIME HOST tag PID tag - ',
      rfc5424micro: '<P>1 MICROS HOST tag PID tag - ',
    };
    await Promise.all(
      Object.entries(heads).map(async ([format, head]) => {
        await using receiver = await udpReceiver();
        const address = { 'syslog-address': `udp://127.0.0.1:${receiver.port}` };
        await using _c = await logged(target, 'syslog', { ...address, 'syslog-format': format, tag: 'tag' });
        await receiver.until('last');
        const expected = NOT_EMPTY.map((text) => head.replace('P>', text === 'err' ? '27>' : '30>') + text);
        assert.deepEqual(sortedLines(receiver), expected);
      }),
    );
  },

  'syslog: over tcp and a unix socket, with a tag and a facility': async (target) => {
    const dir = await mkdtemp(join(tmpdir(), 'receiver-'));
    try {
      await Promise.all(
        [undefined, join(dir, 'syslog')].map(async (listen) => {
          await using receiver = await streamReceiver(listen === undefined ? {} : { listen });
          const address = listen === undefined ? `tcp://127.0.0.1:${receiver.port}` : `unix://${listen}`;
          const given = { 'syslog-address': address, 'syslog-facility': 'local0', tag: '{{.ImageName}}/{{.ID}}' };
          await using c = await logged(target, 'syslog', given);
          await receiver.until('last');
          const head = `<P>STAMP busybox/${c.id.slice(0, 12)}[PID]: `;
          const expected = NOT_EMPTY.map((text) => head.replace('P>', text === 'err' ? '131>' : '134>') + text);
          assert.deepEqual(sortedLines(receiver), expected);
        }),
      );
    } finally {
      await rm(dir, { recursive: true });
    }
  },

  'gelf: the fields, over udp in each compression': async (target) => {
    const open = { gzip: gunzipSync, zlib: inflateSync, none: (bytes: Buffer) => bytes };
    await Promise.all(
      Object.entries(open).map(async ([type, unpack]) => {
        await using receiver = await udpReceiver();
        const given = { 'gelf-address': `udp://127.0.0.1:${receiver.port}`, 'gelf-compression-type': type };
        await using c = await logged(target, 'gelf', given, 'echo out; sleep 0.1; echo err >&2');
        await eventually('both messages', () => receiver.got.length === 2);
        const [out, err] = receiver.got.map((bytes) => JSON.parse(unpack(bytes).toString()) as Record<string, unknown>);
        await checkGelf(target, c, out, { text: 'out', level: 6 });
        assert.deepEqual([err?.['short_message'], err?.['level']], ['err', 3]);
      }),
    );
  },

  'gelf: a long message in chunks; over tcp each message ends with a zero': async (target) => {
    await using udp = await udpReceiver();
    const plainUdp = { 'gelf-address': `udp://127.0.0.1:${udp.port}`, 'gelf-compression-type': 'none' };
    await using _long = await logged(target, 'gelf', plainUdp, 'head -c 5000 /dev/zero | tr "\\0" x');
    await eventually('all chunks', () => udp.got.length === 4);
    assert.ok(udp.got.every((it, i) => it.readUInt16BE(0) === 0x1e0f && it[10] === i && it[11] === 4));
    const whole = Buffer.concat(udp.got.map((it) => it.subarray(12))).toString();
    assert.equal((JSON.parse(whole) as { short_message: string }).short_message, 'x'.repeat(5000));
    await using tcp = await streamReceiver();
    await using c = await logged(target, 'gelf', { 'gelf-address': `tcp://127.0.0.1:${tcp.port}` });
    await tcp.until('"short_message":"last"');
    await eventually('a whole message', () => tcp.text().endsWith('\0'));
    const messages = tcp
      .text()
      .split('\0')
      .slice(0, -1)
      .map((it) => JSON.parse(it) as Record<string, unknown>);
    assert.deepEqual(
      messages.map((it) => plain(String(it['short_message']))),
      NOT_EMPTY,
    );
    await checkGelf(target, c, messages[0], { text: 'out', level: 6 });
  },

  'fluentd: the records, with whole seconds and with parts of them': async (target) => {
    await Promise.all(
      ['false', 'true'].map(async (precision) => {
        await using receiver = await streamReceiver();
        const given = { 'fluentd-address': `127.0.0.1:${receiver.port}`, 'fluentd-sub-second-precision': precision };
        await using c = await logged(target, 'fluentd', { ...given, tag: 'my' }, `${SCRIPT}; printf cut`);
        await eventually('all records', () => unpackAll(receiver).length === 7);
        const events = unpackAll(receiver) as [string, unknown, Record<string, string>, object][];
        const record = { container_id: c.id, container_name: `/${c.name}`, source: 'stdout', a: '1', E: '2' };
        const partial = (ordinal: string, last: string) => ({
          partial_message: 'true',
          partial_id: 'ID',
          partial_ordinal: ordinal,
          partial_last: last,
        });
        const expected = [
          { ...record, log: 'out' },
          { ...record, source: 'stderr', log: 'err' },
          { ...record, log: '<16384>', ...partial('1', 'false') },
          { ...record, log: '<3616>', ...partial('2', 'true') },
          { ...record, log: '' },
          { ...record, log: 'last' },
          { ...record, log: 'cut', ...partial('1', 'false') },
        ];
        const seen = events.map(([, , fields]) => ({
          ...fields,
          log: plain(fields['log'] ?? ''),
          ...(fields['partial_id'] === undefined ? {} : { partial_id: 'ID' }),
        }));
        assert.deepEqual(seen, expected);
        assert.equal(events[2]?.[2]['partial_id'], events[3]?.[2]['partial_id']);
        assert.ok(
          events.every(([tag, at, , option]) => {
            const seconds = precision === 'true' ? Buffer.isBuffer(at) && at.readUInt32BE(0) : at;
            return (
              tag === 'my' && Math.abs(Number(seconds) - Date.now() / 1000) < 300 && Object.keys(option).length === 0
            );
          }),
        );
      }),
    );
  },

  'fluentd: over a unix socket, each message acknowledged': async (target) => {
    const dir = await mkdtemp(join(tmpdir(), 'receiver-'));
    const acknowledge = (chunk: Buffer, socket: Socket) => {
      // The name of a chunk is base64, behind its key; the answer is a map of one entry.
      for (const [, name = ''] of chunk.toString('latin1').matchAll(/chunk[\xa0-\xbf]([\w+/=]+)/g)) {
        socket.write(
          Buffer.concat([
            Buffer.from([0x81, 0xa3]),
            Buffer.from('ack'),
            Buffer.from([0xa0 | name.length]),
            Buffer.from(name),
          ]),
        );
      }
    };
    try {
      const listen = join(dir, 'fluent');
      await using receiver = await streamReceiver({ listen, onData: acknowledge });
      const given = { 'fluentd-address': `unix://${listen}`, 'fluentd-request-ack': 'true' };
      await using _c = await logged(target, 'fluentd', given, 'seq 1 50');
      await receiver.until('\xa3log\xa250');
      const events = unpackAll(receiver) as [string, unknown, { log: string }, { chunk: string }][];
      assert.deepEqual(
        events.map(([, , { log }]) => log),
        Array.from({ length: 50 }, (_, i) => String(i + 1)),
      );
      assert.equal(new Set(events.map(([, , , { chunk }]) => chunk)).size, 50);
    } finally {
      await rm(dir, { recursive: true });
    }
  },

  'fluentd: what is said while nobody listens is sent when somebody does, or given up after the tries': async (
    target,
  ) => {
    const first = await streamReceiver();
    const listen = first.port;
    await first[Symbol.asyncDispose]();
    const patient = { 'fluentd-address': `127.0.0.1:${listen}`, 'fluentd-async': 'true', 'fluentd-retry-wait': '50ms' };
    await using _waits = await logged(target, 'fluentd', { ...patient, tag: 'waits' }, 'echo kept; sleep 60');
    const hasty = { ...patient, 'fluentd-max-retries': '2', tag: 'hasty' };
    const script = 'echo lost; read -r _ < /go; echo heard; sleep 60';
    await using c = await logged(target, 'fluentd', hasty, `mkfifo /go; ${script}`);
    await sleep(500);
    await using receiver = await streamReceiver({ listen });
    await receiver.until('kept');
    await target.docker(['exec', c.name, 'sh', '-c', 'echo > /go']);
    await receiver.until('heard');
    assert.ok(!receiver.text().includes('lost'));
  },

  'what was sent away can be read here too, unless that is not wanted': async (target) => {
    await using receiver = await udpReceiver();
    const given = { 'syslog-address': `udp://127.0.0.1:${receiver.port}` };
    await using c = await logged(target, 'syslog', given, 'echo out; echo err >&2');
    await target.docker(['wait', c.name]);
    const { stdout, stderr } = await target.docker(['logs', c.name]);
    assert.deepEqual([stdout, stderr], ['out\n', 'err\n']);
    const inspect = (await target.api('GET', `/containers/${c.id}/json`)).json<{ LogPath: string }>();
    assert.equal(inspect.LogPath, '');
    await using bare = await logged(target, 'syslog', { ...given, 'cache-disabled': 'true' }, 'echo out');
    await target.docker(['wait', bare.name]);
    assert.match(
      (await target.docker(['logs', bare.name])).stderr,
      /configured logging driver does not support reading/,
    );
  },
});

async function checkGelf(
  target: Target,
  { id, name }: { id: string; name: string },
  message: Record<string, unknown> | undefined,
  { text, level }: { text: string; level: number },
): Promise<void> {
  const inspect = (await target.api('GET', `/containers/${id}/json`)).json<Record<string, string>>();
  const { timestamp, host, _command, ...rest } = message ?? {};
  assert.ok(Math.abs(Number(timestamp) - Date.now() / 1000) < 300 && host !== '');
  assert.match(String(_command), /^sh -c echo out/);
  assert.deepEqual(rest, {
    version: '1.1',
    short_message: text,
    level,
    _a: '1',
    _E: '2',
    _container_id: id,
    _container_name: name,
    _created: inspect['Created'],
    _image_id: inspect['Image'],
    _image_name: 'busybox',
    _tag: id.slice(0, 12),
  });
}

/** Every whole message that a receiver has got. */
function unpackAll(receiver: Receiver): unknown[] {
  const bytes = Buffer.concat(receiver.got);
  const found: unknown[] = [];
  try {
    for (let at = 0; at < bytes.length; ) {
      const [value, next] = unpackOne(bytes, at);
      found.push(value);
      at = next;
    }
  } catch {
    // The last one is not whole yet.
  }
  return found;
}

/** The value at `at` and where the next one begins: the types of MessagePack that Fluentd's protocol is made of. */
function unpackOne(bytes: Buffer, at: number): [unknown, number] {
  const type = bytes.readUInt8(at);
  const text = (from: number, length: number): [string, number] => {
    if (from + length > bytes.length) throw new RangeError('not whole');
    return [bytes.toString('latin1', from, from + length), from + length];
  };
  if ((type & 0xe0) === 0xa0) return text(at + 1, type & 31);
  if (type === 0xd9) return text(at + 2, bytes.readUInt8(at + 1));
  if (type === 0xda) return text(at + 3, bytes.readUInt16BE(at + 1));
  if (type === 0xce) return [bytes.readUInt32BE(at + 1), at + 5];
  if (type === 0xd2) return [bytes.readInt32BE(at + 1), at + 5];
  if (type === 0xd7) return [bytes.subarray(at + 2, at + 10), at + 10];
  const map = (type & 0xf0) === 0x80;
  const values: unknown[] = [];
  let next = at + 1;
  for (let left = (type & 15) * (map ? 2 : 1); left > 0; left--) {
    const [value, after] = unpackOne(bytes, next);
    values.push(value);
    next = after;
  }
  if (!map) return [values, next];
  return [Object.fromEntries(values.flatMap((key, i) => (i % 2 === 0 ? [[key, values[i + 1]]] : []))), next];
}
