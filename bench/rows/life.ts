import { cli, post, type Row, timed } from '../measure.ts';

const config = { Image: 'busybox', Cmd: ['true'] };

/** Rows about a container's life: what a person waits for. */
export const lifeRows: Row[] = [
  {
    name: 'CLI run --rm busybox true',
    rounds: 15,
    budget: 0.33,
    unit: 'ms',
    measure: (target) => timed(() => cli(target, 'run', '--rm', 'busybox', 'true')),
  },
  {
    name: 'CLI run -d, then rm -f',
    rounds: 10,
    budget: 0.33,
    unit: 'ms',
    measure: (target) =>
      timed(async () => {
        const id = await cli(target, 'run', '-d', 'busybox', 'sleep', '1000');
        await cli(target, 'rm', '-f', id.trim());
      }),
  },
  {
    name: 'API create, start, wait, delete',
    rounds: 15,
    budget: 0.33,
    unit: 'ms',
    measure: (target) =>
      timed(async () => {
        const created = await post(target, 'POST', '/containers/create', config);
        const path = `/containers/${String(created['Id'])}`;
        await post(target, 'POST', `${path}/start`);
        await post(target, 'POST', `${path}/wait`);
        await post(target, 'DELETE', path);
      }),
  },
  {
    name: '20 containers started by 8 clients',
    rounds: 3,
    budget: 0.4,
    unit: 'ms',
    measure: async (target) => {
      const ids: string[] = [];
      for (let i = 0; i < 20; i++) {
        const { Id } = await post(target, 'POST', '/containers/create', { Image: 'busybox', Cmd: ['sleep', '1000'] });
        ids.push(String(Id));
      }
      const queue = [...ids];
      const client = async (): Promise<void> => {
        for (let id = queue.shift(); id !== undefined; id = queue.shift())
          await post(target, 'POST', `/containers/${id}/start`);
      };
      const took = await timed(() => Promise.all(Array.from({ length: 8 }, client)));
      for (const id of ids) await post(target, 'DELETE', `/containers/${id}?force=1`);
      return took;
    },
  },
  {
    name: 'CLI run -d -p -p',
    rounds: 8,
    budget: 0.4,
    unit: 'ms',
    measure: async (target) => {
      let id = '';
      const took = await timed(async () => {
        id = (
          await cli(target, 'run', '-d', '-p', '127.0.0.1::80', '-p', '127.0.0.1::81', 'busybox', 'sleep', '1000')
        ).trim();
      });
      await cli(target, 'rm', '-f', id);
      return took;
    },
  },
];
