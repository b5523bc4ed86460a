import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { onBoth } from '../support/both.ts';
import { create, eventually, run } from '../support/containers.ts';
import { FrameDecoder, hijack, outputOf } from '../support/hijack.ts';
import type { Target } from '../support/target.ts';

/** Waits for its input, then goes on: how a scenario makes a container print at a moment of its choice. */
const OPEN = { OpenStdin: true, AttachStdin: true };
const TTY = { ...OPEN, Tty: true };
const ALL = 'stream=1&stdin=1&stdout=1&stderr=1';
const OUT = 'stream=1&stdout=1&stderr=1';

const lines = (from: number, to: number, prefix = ''): string =>
  Array.from({ length: to - from + 1 }, (_, n) => `${prefix}${from + n}\n`).join('');

/** Hashes one output of a multiplexed stream as it comes, holding none of it. */
async function digest(stream: AsyncIterable<Buffer>): Promise<{ md5: string; size: number; stderr: string }> {
  const decoder = new FrameDecoder();
  const hash = createHash('md5');
  const result = { md5: '', size: 0, stderr: '' };
  for await (const chunk of stream) {
    for (const frame of decoder.push(chunk)) {
      if (frame.stream === 'stderr') result.stderr += frame.data.toString();
      else {
        hash.update(frame.data);
        result.size += frame.data.length;
      }
    }
  }
  assert.equal(decoder.pending, 0, 'the stream ends with a whole frame');
  return { ...result, md5: hash.digest('hex') };
}

/** Half closes the input of an attached `wc -c` and expects what comes after. */
async function halfClosed(target: Target, upgrade: boolean): Promise<void> {
  await using c = await create(target, 'wc -c; echo after; echo aside >&2; exit 3', { ...OPEN, StdinOnce: true });
  using attached = await hijack(target, `${c.path}/attach?${ALL}`, { upgrade });
  assert.equal(attached.status, upgrade ? 101 : 200);
  // Without a version in the path the engine's newest counts: 1.42 and later name a framed stream.
  const framed = upgrade && target.name === 'gantry';
  const type = `application/vnd.docker.${framed ? 'multiplexed' : 'raw'}-stream`;
  assert.equal(attached.headers.get('content-type'), type);
  assert.equal(attached.headers.get('upgrade'), upgrade ? 'tcp' : undefined);
  assert.equal(attached.headers.get('transfer-encoding'), undefined);
  await c.start();
  attached.socket.write('12345\n');
  attached.socket.end('678');
  const bytes = await attached.ended();
  assert.equal(outputOf('stdout', bytes), '9\nafter\n');
  assert.equal(outputOf('stderr', bytes), 'aside\n');
  assert.equal(await c.wait(), 3);
}

onBoth('streams', {
  'input given to docker run -i arrives whole': async (target) => {
    const input = lines(1, 60_000);
    const { code, stdout, stderr } = await target.docker(['run', '--rm', '-i', 'busybox', 'cat'], { input });
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
    assert.equal(stdout === input, true, `${stdout.length} bytes came back of ${input.length}`);
  },

  'without -i a command has no input': async (target) => {
    const { code, stdout } = await target.docker(['run', '--rm', 'busybox', 'wc', '-c'], { input: 'lost' });
    assert.deepEqual({ code, stdout }, { code: 0, stdout: '0\n' });
  },

  'a half closed connection ends the input and not the output, upgraded': (target) => halfClosed(target, true),
  'a half closed connection ends the input and not the output, not upgraded': (target) => halfClosed(target, false),

  'both outputs stay apart and each in order': async (target) => {
    const script = 'i=1; while [ $i -le 3000 ]; do echo o$i; echo e$i >&2; i=$((i+1)); done';
    const { stdout, stderr } = await target.docker(['run', '--rm', 'busybox', 'sh', '-c', script]);
    assert.equal(stdout === lines(1, 3000, 'o'), true);
    assert.equal(stderr === lines(1, 3000, 'e'), true);
  },

  'frames of the two outputs keep their order when the writer pauses between them': async (target) => {
    await using c = await create(target, 'echo 1; read a; echo 2 >&2; read a; echo 3; read a; echo 4 >&2', OPEN);
    using attached = await hijack(target, `${c.path}/attach?${ALL}`);
    await c.start();
    for (const [index, stream] of (['stdout', 'stderr', 'stdout', 'stderr'] as const).entries()) {
      await attached.until((bytes) => bytes.includes(`${index + 1}\n`));
      assert.equal(new FrameDecoder().push(attached.received()).at(-1)?.stream, stream);
      attached.socket.write('\n');
    }
    assert.equal(await c.wait(), 0);
  },

  'fifty megabytes arrive whole through attach': async (target) => {
    const script = 'dd if=/dev/urandom of=/f bs=1M count=50 2>/dev/null; md5sum </f >&2; cat /f';
    await using c = await create(target, script, { HostConfig: { LogConfig: { Type: 'none' } } });
    using attached = await hijack(target, `${c.path}/attach?${OUT}`, { collect: false });
    await c.start();
    const { md5, size, stderr } = await digest(attached.socket);
    assert.equal(size, 50 << 20);
    assert.equal(stderr, `${md5}  -\n`);
    assert.equal(await c.wait(), 0);
  },

  'a client that stops reading stalls nobody else and loses nothing': async (target) => {
    const script = 'dd if=/dev/zero bs=1M count=8 2>/dev/null | tr "\\0" x | tee /f; md5sum </f >&2';
    await using c = await create(target, script);
    using attached = await hijack(target, `${c.path}/attach?${OUT}`, { collect: false });
    await c.start();
    const other = await target.docker(['run', '--rm', 'busybox', 'echo', 'not stalled']);
    assert.equal(other.stdout, 'not stalled\n');
    const { md5, size, stderr } = await digest(attached.socket);
    assert.equal(size, 8 << 20);
    assert.equal(stderr, `${md5}  -\n`);
  },

  'a client that goes away in the middle harms neither the command nor its log': async (target) => {
    await using c = await create(target, 'read go; seq 1 20000; exit 7', OPEN);
    using attached = await hijack(target, `${c.path}/attach?${ALL}`);
    await c.start();
    attached.socket.write('go\n');
    await attached.until((bytes) => bytes.includes('100\n'));
    attached.socket.destroy();
    assert.equal(await c.wait(), 7);
    const { stdout } = await target.docker(['logs', c.id]);
    assert.equal(stdout === lines(1, 20_000), true);
  },

  'every attached client sees everything, and each only the outputs it asked for': async (target) => {
    await using c = await create(target, 'seq 1 2000; echo aside >&2');
    const queries = [OUT, OUT, 'stream=1&stdout=1', 'stream=1&stderr=1'];
    const clients = await Promise.all(queries.map((query) => hijack(target, `${c.path}/attach?${query}`)));
    await c.start();
    const seen = await Promise.all(clients.map((client) => client.ended()));
    const outputs = seen.map((bytes) => [outputOf('stdout', bytes), outputOf('stderr', bytes)]);
    const [out, err] = [lines(1, 2000), 'aside\n'];
    assert.deepEqual(outputs, [
      [out, err],
      [out, err],
      [out, ''],
      ['', err],
    ]);
  },

  'attach with logs=1 gives the past, then what comes': async (target) => {
    await using c = await run(target, 'seq 1 500; read go; seq 501 1000; echo end >&2', OPEN);
    await eventually('the log has the first half', async () =>
      (await target.docker(['logs', c.id])).stdout.endsWith('\n500\n'),
    );
    using attached = await hijack(target, `${c.path}/attach?logs=1&${ALL}`);
    await attached.until((bytes) => outputOf('stdout', bytes).endsWith('\n500\n'));
    attached.socket.write('go\n');
    const bytes = await attached.ended();
    assert.equal(outputOf('stdout', bytes) === lines(1, 1000), true);
    assert.equal(outputOf('stderr', bytes), 'end\n');
    using past = await hijack(target, `${c.path}/attach?logs=1&stdout=1`);
    assert.equal(outputOf('stdout', await past.ended()) === lines(1, 1000), true, 'logs=1 alone gives the past only');
  },

  'attach with logs=1 has no gap and no duplicate while the command prints': async (target) => {
    await using c = await run(target, 'i=1; while [ $i -le 30000 ]; do echo $i; i=$((i+1)); done');
    const attached = await Promise.all(
      [0, 1, 2, 3, 4].map(() => hijack(target, `${c.path}/attach?logs=1&stream=1&stdout=1`)),
    );
    for (const one of attached) {
      const all = outputOf('stdout', await one.ended());
      // dockerd reads the log and joins the stream one after the other: what is printed between the two is lost.
      if (target.name === 'dockerd') assert.match(all, /^1\n(.*\n)*30000\n$/u);
      else assert.equal(all === lines(1, 30_000), true, 'a gap or a duplicate');
    }
  },

  'framing and content types follow the API version and the terminal': async (target) => {
    const versions = target.name === 'dockerd' ? ['1.24', '1.41'] : ['1.24', '1.41', '1.42', '1.51'];
    for (const version of versions) {
      for (const tty of [false, true]) {
        await using c = await create(target, 'echo out; echo err >&2', { Tty: tty });
        using attached = await hijack(target, `/v${version}${c.path}/attach?${OUT}`);
        await c.start();
        const bytes = await attached.ended();
        const framed = !tty && Number(version.slice(2)) >= 42;
        const type = `application/vnd.docker.${framed ? 'multiplexed' : 'raw'}-stream`;
        assert.equal(attached.headers.get('content-type'), type, `attach ${version} ${tty}`);
        const logs = await target.api('GET', `/v${version}${c.path}/logs?stdout=1&stderr=1`);
        for (const output of [bytes, Buffer.from(logs.text)]) {
          if (tty) assert.equal(output.toString(), 'out\r\nerr\r\n');
          else assert.deepEqual([outputOf('stdout', output), outputOf('stderr', output)], ['out\n', 'err\n']);
        }
        // dockerd 20.10 names no type for logs and leaves it to net/http to guess one; API 1.42 and later name it.
        if (Number(version.slice(2)) >= 42) assert.equal(logs.headers['content-type'], type, `logs ${version} ${tty}`);
      }
    }
  },

  'a websocket carries input and both outputs, unframed': async (target) => {
    await using c = await create(target, 'read line; echo got $line; echo aside >&2; cat', {
      ...OPEN,
      StdinOnce: true,
    });
    const socket = new WebSocket(`ws+unix:${target.socket}:${c.path}/attach/ws?${ALL}`, { origin: 'http://engine' });
    let seen = '';
    socket.on('message', (data: Buffer, binary) => {
      assert.equal(binary, true);
      seen += data.toString();
    });
    const closed = once(socket, 'close');
    await once(socket, 'open');
    await c.start();
    socket.send(Buffer.from('hello\n'));
    await eventually('the answer', () => seen.includes('got hello\n') && seen.includes('aside\n'));
    socket.close();
    await closed;
    assert.equal(await c.wait(), 0, 'closing the socket ends the input');
  },

  'StdinOnce ends the input with the first client, without it the next goes on': async (target) => {
    for (const stdinOnce of [true, false]) {
      await using c = await run(target, 'while read line; do echo got $line; done', {
        ...OPEN,
        StdinOnce: stdinOnce,
      });
      using first = await hijack(target, `${c.path}/attach?${ALL}`);
      first.socket.write('one\n');
      await first.until((bytes) => bytes.includes('got one\n'));
      if (stdinOnce) {
        first.socket.end();
        await first.ended();
        assert.equal(await c.wait(), 0);
        continue;
      }
      first.socket.destroy();
      using second = await hijack(target, `${c.path}/attach?${ALL}`);
      second.socket.write('two\n');
      await second.until((bytes) => bytes.includes('got two\n'));
      assert.equal((await c.inspect()).State.Running, true);
    }
  },

  'the detach keys end the connection and leave the command running': async (target) => {
    const cases = [
      { query: '', keys: ['\x10', '\x11'] },
      { query: '', keys: ['\x10\x11'] },
      { query: '&detachKeys=ctrl-a,b', keys: ['\x01', 'b'] },
      { query: '&detachKeys=q', keys: ['q'] },
    ];
    await using c = await run(target, 'stty -echo; while read line; do echo "<$line>"; done', TTY);
    for (const { query, keys } of cases) {
      using attached = await hijack(target, `${c.path}/attach?${ALL}${query}`);
      attached.socket.write('x\n');
      await attached.until((bytes) => bytes.includes('<x>'));
      for (const key of keys) attached.socket.write(key);
      await attached.ended();
      assert.equal((await c.inspect()).State.Running, true);
    }
    await eventually('each is told of', async () => {
      const until = `--until=${Date.now() / 1000}`;
      const filters = [`--filter=container=${c.id}`, '--filter=event=detach', '--format={{.Action}}'];
      const { stdout } = await target.docker(['events', '--since=1h', until, ...filters]);
      return stdout === 'detach\n'.repeat(cases.length);
    });
  },

  'keys that only begin like the detach keys reach the command': async (target) => {
    await using c = await run(target, 'stty raw -echo; echo ready; dd bs=1 count=3 2>/dev/null | od -c', TTY);
    using attached = await hijack(target, `${c.path}/attach?logs=1&${ALL}`);
    await attached.until((bytes) => bytes.includes('ready'));
    attached.socket.write('\x10');
    attached.socket.write('ab');
    assert.match((await attached.ended()).toString(), /020\s+a\s+b/u);
    assert.equal(await c.wait(), 0);
  },

  'attach refuses what cannot be': async (target) => {
    await using c = await run(target, 'read x', TTY);
    const invalid = await target.api('POST', `${c.path}/attach?${ALL}&detachKeys=ctrl-%C3%A9`);
    assert.equal(invalid.status, 400);
    assert.match(invalid.text, /Invalid detach keys \(ctrl-é\) provided/u);
    await target.api('POST', `${c.path}/pause`);
    const paused = await target.api('POST', `${c.path}/attach?${ALL}`);
    assert.equal(paused.status, 409);
    assert.match(
      paused.text,
      new RegExp(`Container ${c.id} is paused, unpause it first|container ${c.id} is paused`, 'iu'),
    );
    await target.api('POST', `${c.path}/unpause`);
    const missing = await target.api('POST', `/containers/nothing/attach?${ALL}`);
    assert.equal(missing.status, 404);
    assert.match(missing.text, /No such container: nothing/u);
  },

  'attaching to an ended container gives an end at once, and its log when asked': async (target) => {
    await using c = await run(target, 'echo was');
    await c.wait();
    using silent = await hijack(target, `${c.path}/attach?stdout=1`);
    assert.equal((await silent.ended()).length, 0);
    using past = await hijack(target, `${c.path}/attach?stdout=1&logs=1`);
    assert.equal(outputOf('stdout', await past.ended()), 'was\n');
  },
});
