import assert from 'node:assert/strict';
import { request } from 'node:http';
import { onBoth } from '../support/both.ts';
import { create, run } from '../support/containers.ts';
import type { Target } from '../support/target.ts';

// What is large, odd or written strangely, and yet a request.

interface Reply {
  status: number;
  text: string;
}

/** Sends a create as it stands; what came of it is shown by `see`, and taken away. */
async function made(
  target: Target,
  body: string,
  see: (path: string) => Promise<string>,
): Promise<{ status: number; message?: string | undefined; seen?: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const options = { socketPath: target.socket, method: 'POST', path: '/v1.41/containers/create', headers };
  request(options, (response) => {
    let text = '';
    response.on('data', (chunk: Buffer) => (text += chunk.toString()));
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
  })
    .on('error', reject)
    .end(body);
  const { status, text } = await promise;
  const { Id, message } = JSON.parse(text) as { Id?: string; message?: string };
  if (Id === undefined) return { status, message };
  const seen = await see(`/containers/${Id}`);
  assert.equal((await target.api('DELETE', `/containers/${Id}?force=1`)).status, 204);
  return { status, seen };
}

const withField = (field: string, value: string): string =>
  `{"Image":"busybox","Cmd":["true"],"HostConfig":{"${field}":${value}}}`;

/** Whole numbers of 64 bits are taken; Gantry keeps 53 of them. */
const NUMBERS: readonly [field: string, value: string, status: number][] = [
  ['Memory', '9223372036854775807', 201],
  ['Memory', '9007199254740993', 201],
  ['MemoryReservation', '9223372036854771712', 201],
  ['ShmSize', '1099511627776', 201],
  ['Memory', '-9223372036854775808', 400],
  ['NanoCpus', '9223372036854775807', 400],
  ['Memory', '9223372036854775808', 400],
  ['Memory', '1e7', 400],
  ['Memory', '10000000.0', 400],
  ['Memory', '1e400', 400],
  ['Memory', 'NaN', 400],
  ['Memory', '"10000000"', 400],
  ['Memory', 'null', 201],
  ['Memory', '-0', 201],
];

onBoth('odd values', {
  'numbers up to the last bit': async (target) => {
    for (const [field, value, status] of NUMBERS) {
      const told = await made(target, withField(field, value), async (path) => {
        const text = (await target.api('GET', `${path}/json`)).text;
        return new RegExp(`"${field}":(-?\\d+)`).exec(text)?.[1] ?? '';
      });
      // The dockerd of the test takes what it cannot decode for its own fault.
      assert.equal(told.status === 500 ? 400 : told.status, status, `${field}: ${value}: ${told.message}`);
      if (told.seen === undefined || value === 'null') continue;
      const off = BigInt(told.seen) - BigInt(value);
      assert.ok(off <= 1024n && off >= -1024n && BigInt(told.seen) < 2n ** 63n, `${value}: ${told.seen}`);
    }
  },
  'a limit near the end of the numbers is none': async (target) => {
    const HostConfig = { Memory: 2 ** 63 - 2048, ShmSize: 2 ** 40 };
    await using c = await run(target, 'exit 5', { HostConfig });
    assert.equal(await c.wait(), 5);
  },
  'ten thousand variables, five megabytes of label, names of any alphabet, paths with newlines': async (target) => {
    const body = {
      Env: Array.from({ length: 10_000 }, (_, i) => `V${i}=${i}`),
      Labels: { big: 'x'.repeat(5 << 20), 'line\nbreak': 'é☃\n', '': 'nameless' },
      WorkingDir: '/line\nbreak',
      Hostname: 'ho_st',
      Domainname: 'a b',
      Volumes: { '/new\nline': {} },
      Cmd: ['sh', '-c', 'test "$V9999" = 9999 && pwd | tr "\\n" "_"; echo "$0" | wc -c', 'y'.repeat(100_000)],
    };
    await using c = await run(target, '', body);
    assert.equal(await c.wait(), 0);
    assert.equal((await target.docker(['logs', c.id])).stdout, '/line_break_100001\n');
    const { Config } = await c.inspect();
    assert.deepEqual([Config['Labels'], Config['Env'], Config['WorkingDir']], [body.Labels, body.Env, body.WorkingDir]);
  },
  'an argument that the kernel does not take': async (target) => {
    await using c = await create(target, '', { Cmd: ['echo', 'x'.repeat(200_000)] });
    // The process is there when the kernel refuses to give it another program.
    await c.start();
    assert.equal(await c.wait(), 1);
    assert.equal((await c.inspect()).State.Running, false);
  },
  names: async (target) => {
    await using c = await create(target, 'true');
    const rule = 'only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed';
    for (const name of [' ', 'a', '-ab', '.ab', '_ab', 'a/b', 'été', 'x\ny', 'naïve☃', '../ab']) {
      const reply = await target.api('POST', `${c.path}/rename?name=${encodeURIComponent(name)}`);
      const message = `Error when allocating new name: Invalid container name (/${name}), ${rule}`;
      assert.deepEqual([reply.status, reply.json()], [400, { message }]);
      const created = await target.api('POST', `/containers/create?name=${encodeURIComponent(name)}`, {
        Image: 'busybox',
      });
      assert.deepEqual(
        [created.status, created.json()],
        [400, { message: `Invalid container name (${name}), ${rule}` }],
      );
    }
    for (const path of [c.path, '/containers/nosuch']) {
      const reply = await target.api('POST', `${path}/rename?name=`);
      assert.deepEqual([reply.status, reply.json()], [400, { message: 'Neither old nor new names may be empty' }]);
    }
    const long = 'n'.repeat(300);
    assert.equal((await target.api('POST', `${c.path}/rename?name=${long}`)).status, 204);
    assert.equal((await target.api('GET', `/containers/${long}/json`)).status, 200);
  },
  platforms: async (target) => {
    const ask = async (platform: string) => {
      const path = `/v1.41/containers/create?platform=${encodeURIComponent(platform)}`;
      const reply = await target.api('POST', path, { Image: 'busybox', Cmd: ['true'] });
      if (reply.status !== 201) return [reply.status, reply.json<{ message: string }>().message];
      await target.api('DELETE', `/containers/${reply.json<{ Id: string }>().Id}`);
      return [201, ''];
    };
    const arch = process.arch === 'x64' ? 'amd64' : process.arch;
    for (const good of ['linux', `linux/${arch}`, arch, `LINUX/${arch}`]) assert.deepEqual(await ask(good), [201, '']);
    assert.deepEqual(await ask('a/b/c/d'), [400, '"a/b/c/d": cannot parse platform specifier: invalid argument']);
    assert.deepEqual(await ask('toaster'), [
      400,
      '"toaster": unknown operating system or architecture: invalid argument',
    ]);
    const [status, message] = await ask('linux/');
    assert.equal(status, 400);
    assert.match(String(message), /^"" is an invalid component of "linux\/": platform specifier component must match /);
    assert.equal((await ask('windows'))[0], 404);
  },
  'queries and methods': async (target) => {
    const odd = await target.api('GET', '/v1.41/containers/json?all=%zz');
    assert.deepEqual([odd.status, odd.json()], [400, { message: 'invalid URL escape "%zz"' }]);
    const options = await target.api('OPTIONS', '/v1.41/containers/json');
    assert.deepEqual([options.status, options.text, options.headers['ostype']], [200, '', 'linux']);
    assert.match(String(options.headers['server']), /^\w+\/\S+ \(linux\)$/);
    for (const path of ['/info', '/containers/json', '/version']) {
      const reply = await target.api('HEAD', `/v1.41${path}`);
      assert.deepEqual([reply.status, reply.text], [404, ''], path);
    }
    for (const [method, text] of [
      ['GET', 'OK'],
      ['HEAD', ''],
    ] as const) {
      const ping = await target.api(method, '/_ping');
      assert.deepEqual([ping.status, ping.text], [200, text]);
      const { headers } = ping;
      assert.deepEqual(
        [headers['cache-control'], headers['pragma'], headers['content-type']],
        ['no-cache, no-store, must-revalidate', 'no-cache', 'text/plain; charset=utf-8'],
      );
    }
  },
  'an export and a log say what they are': async (target) => {
    await using c = await run(target, 'echo hi');
    await c.wait();
    const exported = await target.api('GET', `/v1.41${c.path}/export`);
    assert.deepEqual([exported.status, exported.headers['content-type']], [200, 'application/octet-stream']);
    assert.ok(exported.text.includes('.dockerenv'));
    const log = await target.api('GET', `/v1.24${c.path}/logs?stdout=1&stderr=1&tail=x`);
    assert.deepEqual([log.status, log.text], [200, '\x01\0\0\0\0\0\0\x03hi\n']);
    for (const path of [`${c.path}/export`, `${c.path}/json`]) {
      assert.equal((await target.api('HEAD', `/v1.41${path}`)).status, 404, path);
    }
  },
  'empty lists of answers are null': async (target) => {
    await using c = await run(target, 'exec sleep 1000');
    const top = await target.api('GET', `${c.path}/top?ps_args=-p%201`);
    assert.deepEqual(top.json(), { Processes: null, Titles: ['PID', 'TTY', 'TIME', 'CMD'] });
    const filters = encodeURIComponent('{"label":["nosuch"]}');
    const pruned = await target.api('POST', `/v1.41/containers/prune?filters=${filters}`);
    assert.deepEqual(pruned.json(), { ContainersDeleted: null, SpaceReclaimed: 0 });
    const images = await target.api('POST', `/v1.41/images/prune?filters=${filters}`);
    assert.deepEqual(images.json(), { ImagesDeleted: null, SpaceReclaimed: 0 });
  },
});
