import assert from 'node:assert/strict';
import { request } from 'node:http';
import { onBoth } from '../support/both.ts';
import { create, eventually, run } from '../support/containers.ts';
import { type Frame, FrameDecoder } from '../support/hijack.ts';
import type { Target } from '../support/target.ts';

const BOTH = 'stdout=1&stderr=1';

/** The frames of a log, as they came. */
async function frames(target: Target, path: string, query: string): Promise<Frame[]> {
  const decoder = new FrameDecoder();
  const found = decoder.push(await bytes(target, `${path}/logs?${query}`));
  assert.equal(decoder.pending, 0, 'the log ends with a whole frame');
  return found;
}

async function text(target: Target, path: string, query: string): Promise<string> {
  return Buffer.concat((await frames(target, path, query)).map(({ data }) => data)).toString();
}

/** A call whose answer is not text; `onChunk` sees it grow. */
async function bytes(target: Target, path: string, onChunk?: (so_far: Buffer) => void): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  request({ socketPath: target.socket, path }, (response) => {
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      onChunk?.(Buffer.concat(chunks));
    });
    response.on('error', reject);
    response.on('end', () => resolve(Buffer.concat(chunks)));
  })
    .on('error', reject)
    .end();
  return promise;
}

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (.*)$/;

/** Lines with their times. */
async function stamped(target: Target, path: string): Promise<{ time: string; line: string }[]> {
  const lines = (await text(target, path, `${BOTH}&timestamps=1`)).trimEnd().split('\n');
  return lines.map((whole) => {
    const [, time = '', line = ''] = STAMP.exec(whole) ?? [];
    return { time, line };
  });
}

/** Every kind of driver whose logs can be read; `syslog` stands for those that keep a cache of what they send. */
const DRIVERS = ['json-file', 'local', 'syslog'] as const;
/** Nobody need listen there. */
const ADDRESS = { 'syslog-address': 'udp://127.0.0.1:9' };
const driver = (Type: string, Config = {}): object => ({
  HostConfig: { LogConfig: { Type, Config: Type === 'syslog' ? { ...ADDRESS, ...Config } : Config } },
});

onBoth('logs', {
  'both outputs come apart, in order, once the container has ended and while it was running': async (target) => {
    for (const Type of DRIVERS) {
      await using c = await run(
        target,
        'for i in 1 2 3; do echo out $i; sleep 0.05; echo err $i >&2; sleep 0.05; done',
        {
          ...driver(Type),
        },
      );
      const followed = frames(target, c.path, `${BOTH}&follow=1`);
      await c.wait();
      const expected = [1, 2, 3].flatMap((i) => [`stdout: out ${i}\n`, `stderr: err ${i}\n`]);
      const shown = (list: Frame[]): string[] => list.map(({ stream, data }) => `${stream}: ${data.toString()}`);
      assert.deepEqual(shown(await frames(target, c.path, BOTH)), expected, Type);
      assert.deepEqual(shown(await followed), expected, `${Type}, followed`);
      const only = shown(await frames(target, c.path, 'stderr=1'));
      assert.deepEqual(only, ['stderr: err 1\n', 'stderr: err 2\n', 'stderr: err 3\n'], Type);
      const cli = await target.docker(['logs', c.id]);
      assert.deepEqual([cli.stdout, cli.stderr], ['out 1\nout 2\nout 3\n', 'err 1\nerr 2\nerr 3\n'], Type);
    }
  },
  'tail takes the last lines of what was asked for': async (target) => {
    for (const Type of DRIVERS) {
      await using c = await run(target, 'seq 1 2000', driver(Type));
      await c.wait();
      const all = `${Array.from({ length: 2000 }, (_, i) => i + 1).join('\n')}\n`;
      const cases: [query: string, expected: string][] = [
        ['stdout=1', all],
        ['stdout=1&tail=all', all],
        ['stdout=1&tail=x', all],
        ['stdout=1&tail=3', '1998\n1999\n2000\n'],
        ['stdout=1&tail=5000', all],
        ['stderr=1', ''],
      ];
      for (const [query, expected] of cases)
        assert.equal(await text(target, c.path, query), expected, `${Type} ${query}`);
      const none = await target.docker(['logs', '--tail', '0', c.id]);
      assert.deepEqual([none.stdout, none.stderr, none.code], ['', '', 0], Type);
    }
  },
  'since and until bound it by time, times are those of the lines': async (target) => {
    for (const Type of DRIVERS) {
      await using c = await run(target, 'for i in 1 2 3 4; do echo $i; sleep 0.1; done', driver(Type));
      await c.wait();
      const lines = await stamped(target, c.path);
      assert.deepEqual(
        lines.map(({ line }) => line),
        ['1', '2', '3', '4'],
      );
      const times = lines.map(({ time }) => time);
      assert.deepEqual(times, times.toSorted(), `${Type}: times rise`);
      const started = Date.parse((await c.inspect()).State.StartedAt);
      assert.ok(Math.abs(Date.parse(times[0] ?? '') - started) < 5000, `${times[0]}, started at ${started}`);
      const [, second = '', third = ''] = times;
      const unix = (time: string): string => `${Math.floor(Date.parse(time) / 1000)}.${time.slice(20, 29)}`;
      assert.equal(await text(target, c.path, `stdout=1&since=${unix(second)}`), '2\n3\n4\n', Type);
      assert.equal(await text(target, c.path, `stdout=1&until=${unix(third)}`), '1\n2\n3\n', Type);
      assert.equal(await text(target, c.path, `stdout=1&since=${unix(second)}&until=${unix(third)}`), '2\n3\n', Type);
      const cli = await target.docker(['logs', '-t', '--since', third, c.id]);
      assert.match(cli.stdout, new RegExp(`^${third} 3\n\\S+Z 4\n$`), Type);
      const young = await target.docker(['logs', '--since', '1h', '--tail', '1', c.id]);
      assert.equal(young.stdout, '4\n', Type);
    }
  },
  'a followed log shows each line as it comes and ends with the container': async (target) => {
    for (const Type of DRIVERS) {
      await using c = await run(target, 'echo first; trap "echo last; exit 0" TERM; while :; do sleep 0.02; done', {
        ...driver(Type),
      });
      const first = Promise.withResolvers<void>();
      const whole = bytes(target, `${c.path}/logs?stdout=1&follow=1&tail=1`, () => first.resolve());
      await first.promise;
      assert.equal((await c.inspect()).State.Running, true);
      await target.api('POST', `${c.path}/stop?t=10`);
      const lines = new FrameDecoder().push(await whole).map(({ data }) => data.toString());
      assert.deepEqual(lines, ['first\n', 'last\n'], Type);
      const after = await target.docker(['logs', '-f', c.id]);
      assert.equal(after.stdout, 'first\nlast\n', 'following one that ended, ends');
    }
  },
  'a log goes on over restarts': async (target) => {
    await using c = await run(target, 'echo run');
    await c.wait();
    await c.start();
    await c.wait();
    assert.equal(await text(target, c.path, 'stdout=1'), 'run\nrun\n');
  },
  'what was asked until the future ends then': async (target) => {
    await using c = await run(target, 'while :; do echo one; sleep 0.05; done');
    await eventually('it prints', async () => (await text(target, c.path, 'stdout=1')).startsWith('one\n'));
    const until = Math.ceil(Date.now() / 1000) + 1;
    assert.match(await text(target, c.path, `stdout=1&follow=1&until=${until}`), /^(one\n)+$/);
    assert.ok(Date.now() / 1000 >= until - 1);
  },
  'long lines come whole, in pieces of 16 KiB, and a last line needs no newline': async (target) => {
    // The local driver of the dockerd of the test loses the end of such a line.
    for (const Type of target.name === 'dockerd' ? DRIVERS.slice(0, 1) : DRIVERS) {
      const script = 'head -c 40000 /dev/zero | tr "\\0" x; echo; printf "no newline"';
      await using c = await run(target, script, driver(Type));
      await c.wait();
      const found = await frames(target, c.path, 'stdout=1');
      assert.equal(Buffer.concat(found.map(({ data }) => data)).toString(), `${'x'.repeat(40_000)}\nno newline`, Type);
      const sizes = found.map(({ data }) => data.length);
      assert.deepEqual(sizes, [16_384, 16_384, 40_000 - 2 * 16_384 + 1, 10], Type);
    }
  },
  'text survives as it was, other bytes as the driver can': async (target) => {
    for (const Type of DRIVERS) {
      // Escapes, a null byte, two bytes of UTF-8, a byte that is none, a carriage return, a tab, an empty line.
      await using c = await run(
        target,
        `printf '"\\\\\\033[1m<&>\\000\\303\\274\\r\\n\\n\\ttab\\377\\n'`,
        driver(Type),
      );
      await c.wait();
      const [all] = [Buffer.concat((await frames(target, c.path, 'stdout=1')).map(({ data }) => data))];
      const last = Type !== 'json-file' ? Buffer.from([0xff]) : Buffer.from('\ufffd');
      const expected = Buffer.concat([Buffer.from('"\\\u001b[1m<&>\0ü\r\n\n\ttab'), last, Buffer.from('\n')]);
      assert.deepEqual(all, expected, Type);
    }
  },
  'the log of a terminal is not framed': async (target) => {
    await using c = await run(target, 'echo out; echo err >&2', { Tty: true });
    await c.wait();
    const { text: whole, headers } = await target.api('GET', `${c.path}/logs?${BOTH}`);
    assert.equal(whole, 'out\r\nerr\r\n');
    assert.ok(!String(headers['content-type']).includes('multiplexed'));
    assert.equal((await target.docker(['logs', c.id])).stdout, 'out\r\nerr\r\n');
  },
  'log drivers that keep nothing cannot be read': async (target) => {
    await using c = await run(target, 'echo lost', driver('none'));
    await c.wait();
    const refused = await target.docker(['logs', c.id]);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /configured logging driver does not support reading/);
    const attached = await target.docker(['run', '--rm', '--log-driver', 'none', 'busybox', 'echo', 'seen']);
    assert.deepEqual([attached.code, attached.stdout], [0, 'seen\n']);
  },
  'details show the labels and variables that were asked for, where a log has them': async (target) => {
    const asked = { labels: 'a', env: 'X' };
    const cases: [Type: string, options: object, details: string][] = [
      ['json-file', { ...asked, 'labels-regex': '^b', tag: '{{.Name}}' }, 'X=y,a=1+2,b=%28%29%21,tag=NAME '],
      ['local', {}, ' '],
      ['syslog', asked, ' '],
    ];
    for (const [Type, options, details] of cases) {
      const body = { Labels: { a: '1 2', b: '()!' }, Env: ['X=y', 'Z=z'], ...driver(Type, options) };
      await using c = await run(target, 'echo line', body);
      await c.wait();
      const name = (await target.api('GET', `${c.path}/json`)).json<{ Name: string }>().Name.slice(1);
      const shown = await text(target, c.path, 'stdout=1&details=1');
      assert.equal(shown.replace(`tag=${name}`, 'tag=NAME'), `${details}line\n`, Type);
      assert.equal(await text(target, c.path, 'stdout=1'), 'line\n', Type);
    }
  },
  'rotation keeps the newest files': async (target) => {
    await using c = await run(target, 'seq 1 3000', driver('json-file', { 'max-size': '20k', 'max-file': '3' }));
    await c.wait();
    const lines = (await text(target, c.path, 'stdout=1')).trimEnd().split('\n').map(Number);
    assert.equal(lines.at(-1), 3000);
    const first = lines[0] ?? 0;
    assert.ok(first > 1000 && lines.length < 1500 && lines.length > 300, `${lines.length} lines from ${first} on`);
    assert.deepEqual(
      lines,
      Array.from({ length: 3001 - first }, (_, i) => first + i),
      'no line is missing in between',
    );
    assert.equal(await text(target, c.path, 'stdout=1&tail=2'), '2999\n3000\n');
  },
  'a container that never ran has an empty log': async (target) => {
    await using c = await create(target, 'true');
    const { status, text: whole } = await target.api('GET', `${c.path}/logs?stdout=1`);
    assert.deepEqual([status, whole], [200, '']);
    const followed = await target.docker(['logs', '-f', c.id], { timeout: 5000 });
    assert.deepEqual([followed.code, followed.stdout], [0, '']);
  },
});
