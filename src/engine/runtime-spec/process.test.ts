import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerProcess, execProcess } from './process.ts';
import { ROOT, testContainer, testExec, testHost } from './test-container.ts';

const host = testHost();
const first = (asked: object) => containerProcess({ container: testContainer(asked as never), host, user: ROOT });
const exec = (body: object, asked: object = {}, user = ROOT) =>
  execProcess({ container: testContainer(asked as never), body: testExec(body), host, user });

test('a terminal has a size once somebody knows it', () => {
  assert.deepEqual([first({}).terminal, first({}).consoleSize], [undefined, undefined]);
  assert.equal(first({ Tty: true }).terminal, true);
  assert.equal(first({ Tty: true }).consoleSize, undefined);
  const sized = first({ Tty: true, HostConfig: { ConsoleSize: [24, 80] } });
  assert.deepEqual(sized.consoleSize, { height: 24, width: 80 });
});

test('an init comes before the command, but not into the processes of others', () => {
  assert.deepEqual(first({ HostConfig: { Init: true } }).args, ['/sbin/docker-init', '--', 'sleep', '100']);
  assert.deepEqual(first({ HostConfig: { Init: true, PidMode: 'host' } }).args, ['sleep', '100']);
});

test('an exec has what the container has, and what it asks for', () => {
  const asked = { Env: ['A=1', 'B=1'], WorkingDir: '/srv', HostConfig: { SecurityOpt: ['no-new-privileges'] } };
  const process = exec({ Cmd: ['id', '-u'], Env: ['A=2'], Tty: true, ConsoleSize: [10, 20] }, asked);
  assert.deepEqual(process.args, ['id', '-u']);
  assert.deepEqual(process.env.slice(1), ['HOSTNAME=box', 'TERM=xterm', 'A=2', 'B=1']);
  assert.equal(process.cwd, '/srv');
  assert.equal(process.noNewPrivileges, true);
  assert.deepEqual(process.consoleSize, { height: 10, width: 20 });
  assert.equal(exec({ Cmd: ['x'], WorkingDir: '/w' }, asked).cwd, '/w');
  assert.equal(exec({ Cmd: ['x'] }).cwd, '/');
});

test('an exec has the capabilities of the container, all when it is privileged, none at once when it is not root', () => {
  const dropped = { HostConfig: { CapDrop: ['ALL'] } };
  assert.deepEqual(exec({ Cmd: ['x'] }, dropped).capabilities.bounding, []);
  assert.deepEqual(exec({ Cmd: ['x'], Privileged: true }, dropped).capabilities.bounding, host.capabilities);
  const user = { uid: 5, gid: 6, additionalGids: [6], home: '' };
  assert.equal(exec({ Cmd: ['x'] }, {}, user).capabilities.effective, undefined);
  assert.deepEqual(exec({ Cmd: ['x'] }, {}, user).user, { uid: 5, gid: 6, additionalGids: [6] });
});

test('a privileged exec stays in the AppArmor profile of its container', () => {
  const armed = testHost({ apparmor: true, apparmorProfile: 'docker-default' });
  const profileOf = (asked: object) =>
    execProcess({
      container: testContainer({ HostConfig: asked }),
      body: testExec({ Cmd: ['x'], Privileged: true }),
      host: armed,
      user: ROOT,
    }).apparmorProfile;
  assert.equal(profileOf({}), 'docker-default');
  assert.equal(profileOf({ SecurityOpt: ['apparmor=mine'] }), 'mine');
  assert.equal(profileOf({ Privileged: true }), 'unconfined');
});

test('limits hold for an exec too', () => {
  const limited = { HostConfig: { Ulimits: [{ Name: 'core', Soft: 0, Hard: 0 }], OomScoreAdj: 7 } };
  assert.equal(exec({ Cmd: ['x'] }, limited).rlimits?.length, 1);
  assert.equal(exec({ Cmd: ['x'] }, limited).oomScoreAdj, 7);
});

test('an OOM score below the own one takes a capability', () => {
  const poor = testHost({ capabilities: [], oomScoreAdj: 0 });
  const container = testContainer({ HostConfig: { OomScoreAdj: -500 } });
  assert.throws(() => containerProcess({ container, host: poor, user: ROOT }), {
    kind: 'invalid',
    message: 'cannot set the OOM score adjustment to -500: the engine runs with 0 and lacks CAP_SYS_RESOURCE',
  });
  assert.equal(containerProcess({ container, host, user: ROOT }).oomScoreAdj, -500);
});

test('what the daemon is configured to give to those that do not say it', () => {
  const defaults = { seccomp: 'builtin', noNewPrivileges: true, init: true, ulimits: [] };
  const of = (HostConfig: object) =>
    containerProcess({ container: testContainer({ HostConfig }), host: testHost(), user: ROOT, defaults });
  assert.deepEqual([of({}).args[0], of({}).noNewPrivileges], ['/sbin/docker-init', true]);
  const own = of({ Init: false, SecurityOpt: ['no-new-privileges=false'] });
  assert.deepEqual([own.args[0], own.noNewPrivileges], ['sleep', undefined]);
  assert.equal(of({ PidMode: 'host' }).args[0], 'sleep');
});
