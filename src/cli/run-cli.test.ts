import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { openClient } from '../client/client.ts';
import { parseEndpoint } from '../client/endpoint.ts';
import { openTransport } from '../client/transport.ts';
import { type ConnectOptions, runCli } from './run-cli.ts';

/** Runs the command line without a terminal; `host` is the engine used when none is named. */
async function cli(words: string[], env: Record<string, string | undefined> = {}, host = 'unix:///nonexistent.sock') {
  const text = { out: '', err: '' };
  const sink = (name: 'out' | 'err') => {
    const stream = new PassThrough();
    stream.on('data', (chunk: Buffer) => {
      text[name] += chunk.toString();
    });
    return stream as unknown as NodeJS.WriteStream;
  };
  let asked: ConnectOptions | undefined;
  const stdin = new PassThrough().end() as unknown as NodeJS.ReadStream;
  const status = await runCli(words, {
    program: 'gantry',
    version: '1.2.3',
    stdin,
    stdout: sink('out'),
    stderr: sink('err'),
    env: { HOME: '/root', ...env },
    connect: async (options) => {
      asked = options;
      return openClient(openTransport(parseEndpoint(options.host ?? host)));
    },
    daemon: async (rest) => 40 + rest.length,
    service: async (rest) => 50 + rest.length,
  });
  await new Promise((resolve) => setImmediate(resolve));
  return { status, ...text, asked };
}

test('wrong use: texts and statuses of docker', async () => {
  const cases: [string[], number, string][] = [
    [['nosuch'], 1, "gantry: unknown command: gantry nosuch\n\nRun 'gantry --help' for more information\n"],
    // Names that every object has are no commands.
    [['constructor'], 1, "gantry: unknown command: gantry constructor\n\nRun 'gantry --help' for more information\n"],
    [['help', 'toString'], 1, 'unknown help topic: toString\n'],
    [
      ['image', 'valueOf'],
      1,
      "gantry: unknown command: gantry image valueOf\n\nUsage:  gantry image\n\nRun 'gantry image --help' for more information\n",
    ],
    [
      ['container', 'foo'],
      1,
      "gantry: unknown command: gantry container foo\n\nUsage:  gantry container\n\nRun 'gantry container --help' for more information\n",
    ],
    [
      ['ps', '-z'],
      125,
      "unknown shorthand flag: 'z' in -z\n\nUsage:  gantry ps [OPTIONS]\n\nRun 'gantry ps --help' for more information\n",
    ],
    [
      ['ps', 'x'],
      1,
      "gantry: 'gantry ps' accepts no arguments\n\nUsage:  gantry ps [OPTIONS]\n\nRun 'gantry ps --help' for more information\n",
    ],
    [
      ['exec', 'x'],
      1,
      "gantry: 'gantry exec' requires at least 2 arguments\n\nUsage:  gantry exec [OPTIONS] CONTAINER COMMAND [ARG...]\n\nSee 'gantry exec --help' for more information\n",
    ],
    [
      ['run', '-p', 'abc', 'b'],
      125,
      "gantry: invalid containerPort: abc\n\nRun 'gantry run --help' for more information\n",
    ],
    [['-l', 'foo', 'ps'], 1, 'Unable to parse logging level: foo\n'],
    [['help', 'nosuch'], 1, 'unknown help topic: nosuch\n'],
    [['-H', 'a', '-H', 'b', 'ps'], 1, 'Failed to initialize: unable to resolve docker endpoint: Specify only one -H\n'],
  ];
  for (const [words, status, err] of cases) {
    const result = await cli(words);
    assert.deepEqual([result.status, result.err], [status, err], words.join(' '));
  }
});

test('an engine that is not there: 1, and 125 for run', async () => {
  const message = 'Cannot connect to the Docker daemon at unix:///nonexistent.sock. Is the docker daemon running?\n';
  const ps = await cli(['ps']);
  assert.deepEqual([ps.status, ps.err], [1, message]);
  const run = await cli(['run', 'busybox']);
  assert.deepEqual([run.status, run.err], [125, `gantry: ${message}\nRun 'gantry run --help' for more information\n`]);
});

test('the host comes from the flag, else from the environment, else from the root', async () => {
  const hostOf = async (words: string[], env = {}) => (await cli(words, env)).asked?.host;
  assert.equal(await hostOf(['ps']), undefined);
  assert.equal(await hostOf(['ps'], { DOCKER_HOST: 'unix:///nonexistent/a' }), 'unix:///nonexistent/a');
  assert.equal(await hostOf(['-H', 'unix:///nonexistent/b', 'ps'], { DOCKER_HOST: 'x' }), 'unix:///nonexistent/b');
});

test('help texts: program, group, every command by both names', async () => {
  assert.match((await cli(['--help'])).out, /^Usage: {2}gantry \[OPTIONS\] COMMAND\n/);
  assert.match((await cli(['container', '--help'])).out, /\nCommands:\n {2}attach /);
  const [short, long] = [await cli(['ps', '--help']), await cli(['container', 'list', '--help'])];
  assert.equal(short.out.replace('gantry ps [', 'gantry container list ['), long.out);
  assert.match(short.out, /\n {2}-a, --all {13}Show all containers/);
  assert.equal((await cli(['help', 'ps'])).out, short.out);
});

test('version and daemon', async () => {
  assert.equal((await cli(['--version'])).out, 'Gantry version 1.2.3\n');
  assert.equal((await cli(['daemon', 'a', '--b'])).status, 42);
  assert.equal((await cli(['service', 'install'])).status, 51);
});
