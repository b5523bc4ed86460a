import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

// Compares with docker's command line, byte for byte, on one engine. It needs docker 28 and an engine that has the
// image busybox: DOCKER_TEST_HOST names its socket, e.g. unix:///var/run/docker.sock.
const host = process.env['DOCKER_TEST_HOST'] ?? '';
const found = spawnSync('docker', ['--version'], { encoding: 'utf8' }).stdout ?? '';
const skip =
  host === ''
    ? 'DOCKER_TEST_HOST names no engine'
    : / version 28\./.test(found)
      ? false
      : `docker 28 is not installed, but: ${found.trim() || 'none'}`;

const main = fileURLToPath(new URL('../main/cli.ts', import.meta.url));
const name = `gantry-cli-${randomBytes(4).toString('hex')}`;

function outcome(program: string, words: string[]) {
  const env = { ...process.env, DOCKER_HOST: host };
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', env, input: '' });
  return { status, stdout, stderr: stderr.replaceAll('docker', 'gantry') };
}

const docker = (...words: string[]) => outcome('docker', words);
const gantry = (...words: string[]) => outcome(process.execPath, ['--', main, ...words]);

test('same output, same status', { skip }, async (t) => {
  assert.equal(docker('run', '-d', '--name', name, '-l', 'a=b', '--expose', '7', 'busybox', 'sleep', '100').status, 0);
  t.after(() => docker('rm', '-f', name));
  const only = ['--filter', `name=${name}`];
  const commands = [
    ['ps', '--no-trunc', '--format', 'table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.Ports}}\t{{.Labels}}', ...only],
    ['ps', '-q', ...only],
    ['ps', '--format', '{{.Foo}}', ...only],
    ['images', '-q', 'busybox'],
    ['history', 'busybox'],
    ['inspect', name],
    ['inspect', '-f', '{{json .State}} {{.Name}}', name],
    ['inspect', '-f', '{{.State.Foo}}', name],
    ['inspect', 'nosuch'],
    ['exec', name, 'sh', '-c', 'echo out; exit 3'],
    ['exec', name, 'nosuch'],
    ['run', '--rm', 'busybox', 'sh', '-c', 'echo err >&2; exit 7'],
    ['run', '--rm', 'busybox', 'nosuch'],
    ['run', '--rm', 'busybox', '/'],
    ['run', '-m', 'foo', 'busybox'],
    ['rm', name],
    ['rename', 'nosuch', 'x'],
    ['port', name, '81'],
    ['wait', 'nosuch'],
    ['kill', '-s', 'FOO', name],
    ['stop', 'nosuch', 'nosuch2'],
    ['images', 'nosuch'],
    ['tag', 'busybox', 'Foo'],
  ];
  for (const words of commands) {
    // Once more when they differ: "9 seconds ago" may be ten at the second look.
    if (isDeepStrictEqual(gantry(...words), docker(...words))) continue;
    assert.deepEqual(gantry(...words), docker(...words), words.join(' '));
  }
});
