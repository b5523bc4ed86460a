import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChanges } from './changes.ts';

test('instructions change the config as in Docker', () => {
  const config = applyChanges([
    'CMD ["sh"]',
    'ENV a=b c="d e"',
    'ENV a=2 d=$c',
    'EXPOSE 80 90-92/udp',
    'label x=y "long key"=z',
    'ONBUILD RUN x',
    'STOPSIGNAL SIGINT',
    'USER a:b',
    'VOLUME /a /b',
    'VOLUME ["/c d"]',
    'WORKDIR /x',
    'WORKDIR y',
    'ENTRYPOINT echo hi',
  ]);
  assert.deepEqual(config.Cmd, ['sh']);
  assert.deepEqual(config.Env, ['a=2', 'c=d e', 'd=d e']);
  assert.deepEqual(Object.keys(config.ExposedPorts), ['80/tcp', '90/udp', '91/udp', '92/udp']);
  assert.deepEqual({ ...config.Labels }, { x: 'y', 'long key': 'z' });
  assert.deepEqual(config.OnBuild, ['RUN x']);
  assert.equal(config.StopSignal, 'SIGINT');
  assert.equal(config.User, 'a:b');
  assert.deepEqual(Object.keys(config.Volumes), ['/a', '/b', '/c d']);
  assert.equal(config.WorkingDir, '/x/y');
  assert.deepEqual(config.Entrypoint, ['/bin/sh', '-c', 'echo hi']);
});

test('old forms and lines that go on', () => {
  assert.deepEqual(applyChanges(['ENV a b c']).Env, ['a=b c']);
  assert.deepEqual(applyChanges(['LABEL a b']).Labels['a'], 'b');
  assert.deepEqual(applyChanges(['# note\nENV a=1 \\\n  b=2']).Env, ['a=1', 'b=2']);
  assert.deepEqual(applyChanges(['CMD']).Cmd, ['/bin/sh', '-c']);
  assert.equal(applyChanges(['ENTRYPOINT']).Entrypoint, null);
  assert.equal(applyChanges(['ENTRYPOINT []']).Entrypoint, null);
  assert.throws(() => applyChanges(['STOPSIGNAL SIGX']), /Invalid signal: SIGX/);
  assert.deepEqual(applyChanges(['USER a b']).User, 'a b');
});

test('health checks', () => {
  const check = applyChanges(['HEALTHCHECK --interval=5s --retries=3 CMD ls -l']).Healthcheck;
  assert.deepEqual(check?.Test, ['CMD-SHELL', 'ls -l']);
  assert.equal(check?.Interval, 5e9);
  assert.equal(check?.Retries, 3);
  assert.deepEqual(applyChanges(['HEALTHCHECK NONE']).Healthcheck?.Test, ['NONE']);
  assert.deepEqual(applyChanges(['HEALTHCHECK CMD ["a","b"]']).Healthcheck?.Test, ['CMD', 'a', 'b']);
});

test('bad instructions fail in the words of Docker', () => {
  const cases: [string, string][] = [
    ['FOO bar', 'foo is not a valid change command'],
    ['RUN ls', 'run is not a valid change command'],
    ['ENV', 'ENV requires at least one argument'],
    ['ENV a', 'ENV must have two arguments'],
    ['ENV =x', 'ENV names can not be blank'],
    ['EXPOSE', 'EXPOSE requires at least one argument'],
    ['EXPOSE x', 'Invalid containerPort: x'],
    ['EXPOSE 80/foo', 'Invalid proto: foo'],
    ['LABEL', 'LABEL requires at least one argument'],
    ['LABEL a', 'LABEL must have two arguments'],
    ['USER', 'USER requires exactly one argument'],
    ['VOLUME', 'VOLUME requires at least one argument'],
    ['VOLUME []', 'VOLUME requires at least one argument'],
    ['WORKDIR', 'WORKDIR requires exactly one argument'],
    ['ONBUILD', 'ONBUILD requires at least one argument'],
    ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
    ['ONBUILD ONBUILD RUN', "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
    ['STOPSIGNAL', 'STOPSIGNAL requires exactly one argument'],
    ['HEALTHCHECK', 'HEALTHCHECK requires at least one argument'],
    ['HEALTHCHECK FOO', 'Unknown type "FOO" in HEALTHCHECK (try CMD)'],
    ['HEALTHCHECK NONE x', 'HEALTHCHECK NONE takes no arguments'],
    ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
    ['HEALTHCHECK --interval=1 CMD x', 'time: missing unit in duration "1"'],
    ['HEALTHCHECK --foo=1 CMD x', 'Unknown flag: foo'],
    ['CMD [1]', 'when using JSON array syntax, arrays must be comprised of strings only'],
    ['', 'file with no instructions'],
    ['# x', 'file with no instructions'],
  ];
  for (const [change, message] of cases) {
    assert.throws(() => applyChanges([change]), { kind: 'invalid', message }, change);
  }
});
