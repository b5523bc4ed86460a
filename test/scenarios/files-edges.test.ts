import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archiveOf, type Member } from '../../src/util/tar/tar-fixture.ts';
import { onBoth } from '../support/both.ts';
import { create, eventually, type Made, run } from '../support/containers.ts';
import { mountFuse, noFuse } from '../support/fuse.ts';
import { command, type Target } from '../support/target.ts';

/** Puts an archive somewhere and gives the status and what was said. */
async function put(target: Target, c: Made, query: string, ...members: Member[]): Promise<string> {
  const url = ['-X', 'PUT', '--unix-socket', target.socket, `http://x${c.path}/archive?${query}`];
  const args = ['-s', '-w', '%{http_code}', '-H', 'Content-Type: application/x-tar', '--data-binary', '@-', ...url];
  return (await command('curl', args, { input: archiveOf(members) })).stdout;
}

const read = async (target: Target, c: Made, path: string): Promise<string> => {
  const { code, stdout, stderr } = await target.docker(['cp', `${c.id}:${path}`, '-']);
  return code === 0 ? stdout : stderr;
};

/** A container's export of which the client reads nothing after the first bytes. */
async function slowExport(target: Target, c: Made): Promise<ClientRequest> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const sent = request({ socketPath: target.socket, path: `${c.path}/export`, agent: false }, (response) => {
    response
      .on('error', () => {})
      .once('data', () => {
        response.pause();
        resolve();
      });
  });
  sent.on('error', reject).end();
  await promise;
  sent.on('error', () => {});
  return sent;
}

onBoth('files at the edges', {
  'a member of an archive that is called as the directory is skipped': async (target) => {
    await using c = await run(target, 'exec sleep 1000');
    for (const name of ['.', './.', 'tmp/..']) {
      for (const data of ['x'.repeat(2000), 'x'.repeat(600_000)]) {
        assert.match(await put(target, c, 'path=/tmp', { name, data }, { name: 'after', data: name }), /200$/, name);
        assert.ok((await read(target, c, '/tmp/after')).includes(`\0${name}\0`), name);
      }
    }
    const refused = await put(target, c, 'path=/tmp&noOverwriteDirNonDir=1', { name: '.', data: 'x' });
    assert.match(refused, /cannot overwrite directory \\"\/tmp\\" with non-directory \\"\/tmp\\".*500$/s);
  },
  'a stopped container’s mount that cannot be made is an error, not left out': async (target) => {
    const dir = await mkdtemp(join(tmpdir(), 'edges-'));
    try {
      const source = join(dir, 'source');
      const made = async (HostConfig: object, become: () => Promise<unknown>) => {
        await mkdir(source);
        const c = await create(target, 'true', { HostConfig });
        await rm(source, { recursive: true });
        await become();
        return c;
      };
      const none = async () => {};
      await using again = await made({ Binds: [`${source}:/b`] }, none);
      assert.match(await read(target, again, '/etc/passwd'), /root:x:0/);
      assert.ok(existsSync(source), 'made as by a start');
      await rm(source, { recursive: true });
      await using gone = await made({ Mounts: [{ Type: 'bind', Source: source, Target: '/b' }] }, none);
      const why = `Could not find the file /etc/passwd in container ${gone.id}`;
      assert.equal(await read(target, gone, '/etc/passwd'), `Error response from daemon: ${why}\n`);
      assert.match(
        await put(target, gone, 'path=/tmp', { name: 'x', data: 'x' }),
        /Could not find the file \/tmp .*404$/s,
      );
      await using other = await made({ Binds: [`${source}:/etc`] }, () => writeFile(source, 'a file now'));
      assert.match(await read(target, other, '/bin/sh'), /not a directory/);
      assert.match(await put(target, other, 'path=/tmp', { name: 'x', data: 'x' }), /not a directory.*500$/s);
    } finally {
      await rm(dir, { recursive: true });
    }
  },
  'a container can be removed by force while its export is read slowly': async (target) => {
    await using c = await run(target, 'head -c 67108864 /dev/urandom >/large; touch /ready; exec sleep 1000');
    await eventually(
      'the file',
      async () => (await target.api('HEAD', `${c.path}/archive?path=/ready`)).status === 200,
    );
    const sent = await slowExport(target, c);
    try {
      const removed = await target.api('DELETE', `${c.path}?force=1`);
      assert.equal(removed.status, 204, removed.text);
      assert.equal((await target.api('GET', `${c.path}/json`)).status, 404);
    } finally {
      sent.destroy();
    }
  },
  'a file that cannot be read breaks its archive': async (target) => {
    if (noFuse() !== undefined) return;
    const dir = await mkdtemp(join(tmpdir(), 'edges-'));
    try {
      await mkdir(join(dir, 'f'));
      await using _ = await mountFuse(join(dir, 'f'), 'fails');
      await using c = await run(target, 'exec sleep 1000', { HostConfig: { Binds: [`${dir}/f:/f`] } });
      for (const path of ['small', 'large', '']) {
        const { code } = await target.docker(['cp', `${c.id}:/f/${path}`, join(dir, 'out')]);
        assert.notEqual(code, 0, path);
        const got = await readFile(join(dir, 'out')).catch(() => Buffer.alloc(0));
        assert.deepEqual(got, Buffer.alloc(0), 'nothing made up');
      }
    } finally {
      await rm(dir, { recursive: true });
    }
  },
});
