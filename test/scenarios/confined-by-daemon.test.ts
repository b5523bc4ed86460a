import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { importBusybox } from '../support/both.ts';
import { startDockerd } from '../support/dockerd.ts';
import { startGantry } from '../support/gantry.ts';
import { LOOK_AROUND, topicsOf } from '../support/inside.ts';
import type { Target } from '../support/target.ts';

/** Allows everything but a call that every test can try. */
const PROFILE = {
  defaultAction: 'SCMP_ACT_ALLOW',
  syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
};

describe('containers of a daemon that is configured to confine them', () => {
  const stack = new AsyncDisposableStack();
  let gantry: Target;
  let dockerd: Target;

  before(async () => {
    const dir = await mkdtemp(join(tmpdir(), 'gantry-confined-'));
    stack.defer(() => rm(dir, { recursive: true }));
    const profile = join(dir, 'profile.json');
    await writeFile(profile, JSON.stringify(PROFILE));
    const flags = ['--seccomp-profile', profile, '--no-new-privileges', '--init', '--default-ipc-mode', 'shareable'];
    const start = async (engine: Promise<Target & AsyncDisposable>): Promise<Target> => {
      const target = stack.use(await engine);
      await importBusybox(target);
      return target;
    };
    [gantry, dockerd] = await Promise.all([
      start(startGantry([...flags, '--add-runtime', 'mine=runc'])),
      start(startDockerd({ extra: [...flags, '--add-runtime', 'mine=runc'] })),
    ]);
  });
  after(() => stack.disposeAsync());

  const look = async (target: Target, args: readonly string[]) => {
    const script = `${LOOK_AROUND}\necho; echo '@@ mkdir'; mkdir /made 2>&1`;
    const { stdout, stderr } = await target.docker(['run', '--rm', ...args, 'busybox', 'sh', '-c', script]);
    const topics = topicsOf(stdout.replaceAll('\r', ''));
    assert.ok('mkdir' in topics, stderr);
    return topics;
  };

  const ROWS: Record<string, readonly string[]> = {
    'that say nothing': [],
    'that say otherwise': ['--init=false', '--security-opt', 'no-new-privileges=false', '--ipc', 'private'],
    'that are not confined': ['--security-opt', 'seccomp=unconfined'],
    'of another runtime': ['--runtime', 'mine'],
  };

  for (const [name, args] of Object.entries(ROWS)) {
    test(`${name} see what they see under dockerd`, async () => {
      const [ours, theirs] = await Promise.all([look(gantry, args), look(dockerd, args)]);
      assert.deepEqual(ours, theirs);
    });
  }

  test('the profile, the flag and the init are there', async () => {
    const { mkdir, status, init } = await look(gantry, []);
    assert.match(mkdir?.join('\n') ?? '', /Operation not permitted/u);
    assert.ok(status?.includes('NoNewPrivs:\t1'));
    assert.match(init?.join('\n') ?? '', /^\/sbin\/docker-init/u);
    const builtin = await look(gantry, ['--security-opt', 'seccomp=builtin']);
    assert.deepEqual(builtin['mkdir'], []);
  });

  test('the engine tells how it confines', async () => {
    const { SecurityOptions, Runtimes } = (await gantry.api('GET', '/info')).json<{
      SecurityOptions: string[];
      Runtimes: Record<string, { path: string }>;
    }>();
    assert.match(SecurityOptions.join(' '), /name=seccomp,profile=\/\S+profile\.json.* name=no-new-privileges/u);
    assert.ok(Runtimes['mine']);
  });
});
