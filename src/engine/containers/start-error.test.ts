import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conflict } from '../../util/errors.ts';
import { startFailure } from './start-error.ts';

const cases: [message: string, exitCode: number, kind: string][] = [
  ['exec: "nope": executable file not found in $PATH: unknown', 127, 'invalid'],
  ['exec: "/x/y": stat /x/y: no such file or directory: unknown', 127, 'invalid'],
  ['exec: "/etc/passwd": permission denied: unknown', 126, 'invalid'],
  ['exec: "/etc": is a directory: unknown', 126, 'invalid'],
  ['error mounting "/a" to rootfs: not a directory: unknown', 127, 'invalid'],
  ['open /proc/sys/net/x: no such file or directory', 127, 'invalid'],
  ['cgroup: device busy', 128, 'internal'],
  ['unable to retrieve OCI runtime error (open log.json: no such file or directory): exit status 1', 128, 'internal'],
];

for (const [message, exitCode, kind] of cases) {
  test(`${exitCode} for: ${message}`, () => {
    const failure = startFailure(new Error(`OCI runtime create failed: ${message}`));
    assert.equal(failure.exitCode, exitCode);
    assert.equal(failure.error.kind, kind);
    assert.ok(failure.error.message.includes(message));
  });
}

test('an error of ours keeps its kind', () => {
  const error = conflict('busy');
  assert.deepEqual(startFailure(error), { error, exitCode: 128 });
});

test('only what the runtime says is about the command', () => {
  const failure = startFailure(new Error('Bind for 0.0.0.0:80 failed: permission denied'));
  assert.deepEqual([failure.exitCode, failure.error.kind], [128, 'internal']);
});

test('what could not be undone afterwards is not why it did not start', () => {
  const error = conflict('busy');
  assert.deepEqual(startFailure(new SuppressedError(new Error('later'), error)), { error, exitCode: 128 });
});
