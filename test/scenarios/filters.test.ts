import assert from 'node:assert/strict';
import { onBoth } from '../support/both.ts';
import { create, run } from '../support/containers.ts';

// Which containers each filter of `docker ps` finds, all states included.

const ALL = 'paused hosted made job web';
const STARTED = 'paused hosted job web';

const TABLE: readonly (readonly [filters: object, found: string])[] = [
  [{ ancestor: ['busybox'] }, ALL],
  [{ ancestor: ['busybox:latest'] }, ALL],
  [{ ancestor: ['nosuch'] }, ''],
  [{ ancestor: ['nosuch', 'busybox'] }, ALL],
  [{ before: ['job'] }, 'web'],
  [{ since: ['made'] }, 'paused hosted'],
  [{ since: ['/web'], before: ['hosted'] }, 'made job'],
  [{ exited: ['3'] }, 'job'],
  [{ exited: ['0'] }, ''],
  [{ exited: ['0', '3'] }, 'job'],
  [{ expose: ['90'] }, 'web'],
  [{ expose: ['90/tcp'] }, 'web'],
  [{ expose: ['85-95'] }, 'web'],
  [{ expose: ['90/udp'] }, ''],
  [{ expose: ['80/tcp', '1'] }, 'web'],
  [{ publish: ['80'] }, ''],
  [{ health: ['none'] }, ALL],
  [{ health: ['healthy'] }, ''],
  [{ 'is-task': ['true'] }, ''],
  [{ 'is-task': ['false'] }, ALL],
  [{ isolation: ['hyperv'] }, ALL],
  [{ label: ['tier'] }, 'job web'],
  [{ label: ['tier=front'] }, 'web'],
  [{ label: ['tier='] }, ''],
  [{ label: ['tier', 'x'] }, 'web'],
  [{ label: ['x='] }, 'web'],
  [{ label: ['tier=front', 'tier=back'] }, ''],
  [{ name: ['web'] }, 'web'],
  [{ name: ['/web'] }, 'web'],
  [{ name: ['^/web$'] }, 'web'],
  [{ name: ['^web$'] }, 'web'],
  [{ name: ['e'] }, 'paused hosted made web'],
  [{ name: ['['] }, ''],
  [{ name: ['WEB'] }, ''],
  [{ name: ['(?i)WEB'] }, 'web'],
  [{ name: ['[[:alpha:]]{6}'] }, 'paused hosted'],
  [{ name: [''] }, ALL],
  [{ name: ['web', '^/j'] }, 'job web'],
  [{ network: ['bridge'] }, 'paused job web'],
  [{ network: ['none'] }, 'made'],
  [{ network: ['host'] }, 'hosted'],
  [{ network: ['bri'] }, ''],
  [{ network: ['nosuch'] }, ''],
  [{ status: ['running'] }, 'hosted web'],
  [{ status: ['exited'] }, 'job'],
  [{ status: ['created'] }, 'made'],
  [{ status: ['paused'] }, 'paused'],
  [{ status: ['restarting', 'removing', 'dead'] }, ''],
  [{ status: ['running', 'exited'] }, 'hosted job web'],
  [{ volume: ['/srv'] }, 'web'],
  [{ volume: ['/data'] }, 'web'],
  [{ volume: ['/dat'] }, ''],
  [{ id: ['zz'] }, ''],
  [{ name: { web: true, job: false } }, 'job web'],
  [{ name: [] }, ALL],
  [{ name: null, status: {} }, ALL],
  [{ status: ['running', 'paused', 'exited'] }, STARTED],
  [{ label: ['tier'], status: ['exited'] }, 'job'],
];

onBoth('filters', {
  'each finds what it is to find': async (target) => {
    await using stack = new AsyncDisposableStack();
    const named = async (name: string, made: ReturnType<typeof create>): Promise<void> => {
      const { path } = stack.use(await made);
      assert.equal((await target.api('POST', `${path}/rename?name=${name}`)).status, 204);
    };
    await named(
      'web',
      run(target, 'exec sleep 1000', {
        Labels: { tier: 'front', x: '' },
        ExposedPorts: { '80/tcp': {}, '90/tcp': {} },
        HostConfig: { Binds: ['/srv:/data'] },
      }),
    );
    const job = await run(target, 'exit 3', { Labels: { tier: 'back' } });
    assert.equal(await job.wait(), 3);
    await named('job', Promise.resolve(job));
    await named('made', create(target, 'true', { HostConfig: { NetworkMode: 'none' } }));
    await named('hosted', run(target, 'exec sleep 1000', { HostConfig: { NetworkMode: 'host' } }));
    const paused = await run(target, 'exec sleep 1000');
    assert.equal((await target.api('POST', `${paused.path}/pause`)).status, 204);
    await named('paused', Promise.resolve(paused));
    const answers: [object, string][] = [];
    for (const [filters] of TABLE) {
      const query = encodeURIComponent(JSON.stringify(filters));
      const reply = await target.api('GET', `/v1.41/containers/json?all=1&filters=${query}`);
      const found = reply.status === 200 ? reply.json<{ Names: string[] }[]>() : [{ Names: [reply.text] }];
      answers.push([filters, found.map(({ Names }) => Names[0]?.replace('/', '')).join(' ')]);
    }
    assert.deepEqual(answers, TABLE);
  },
});
