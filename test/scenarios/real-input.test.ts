import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { eventually, type Inspected } from '../support/containers.ts';
import { startGantry, type TestEngine } from '../support/gantry.ts';
import { command } from '../support/target.ts';

/** What people do with containers, on a real distribution. Two hundred containers are to run at once. */
const CROWD = 200;
const CLIENTS = 16;
/** Generous: two cores shared with other tests start about ten containers a second. */
const CROWD_MS = 120_000;
const ROOT_MS = 300_000;

const debianRoot = join(import.meta.dirname, '..', '..', 'scripts', 'debian-root');
const stack = new AsyncDisposableStack();
let engine: TestEngine;

/** Why the parts that need a package mirror cannot run, if so. */
let unreachable = 'the mirror was not tried';

/** Runs docker and expects it to succeed. @returns what it printed. */
async function docker(args: readonly string[], timeout = 60_000): Promise<string> {
  const { code, stdout, stderr } = await engine.docker(args, { timeout });
  assert.equal(code, 0, `docker ${args.join(' ')}\n${stdout.slice(-2000)}\n${stderr.slice(-2000)}`);
  return stdout;
}

async function inspect(id: string): Promise<Inspected & { NetworkSettings: NetworkSettings }> {
  return (await engine.api('GET', `/containers/${id}/json`)).json();
}

interface NetworkSettings {
  IPAddress: string;
  SandboxKey: string;
  Ports: Record<string, { HostIp: string; HostPort: string }[]>;
}

describe('Debian 12 as it is', { timeout: 900_000 }, () => {
  before(async () => {
    const made = await command(debianRoot, [], { timeout: ROOT_MS });
    engine = stack.use(await startGantry());
    assert.equal(made.code, 0, made.stderr);
    await docker(['import', '--change', 'CMD ["bash"]', made.stdout.trim(), 'debian:12'], 120_000);
    await docker(['run', '-d', '--name', 'web', '-p', '127.0.0.1::80', 'debian:12', 'sleep', 'infinity']);
    const update = await engine.docker(['exec', 'web', 'apt-get', 'update'], { timeout: 180_000 });
    unreachable = update.code === 0 ? '' : await whyUnreachable(`${update.stdout}${update.stderr}`);
  });
  after(() => stack.disposeAsync());

  test('the image is the distribution', async () => {
    assert.match(await docker(['run', '--rm', 'debian:12', 'cat', '/etc/os-release']), /VERSION_CODENAME=bookworm/);
    const owned = await docker(['run', '--rm', 'debian:12', 'stat', '-c', '%U:%G %a', '/etc/shadow', '/tmp']);
    assert.equal(owned, 'root:shadow 640\nroot:root 1777\n');
  });

  test('nginx is installed from the mirror and serves a page to the host', async (t) => {
    if (unreachable !== '') return t.skip(unreachable);
    const page = `served at ${new Date().toISOString()}\n`;
    const install = 'DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nginx';
    await docker(['exec', 'web', 'sh', '-c', install], 300_000);
    await docker(['exec', 'web', 'sh', '-c', `printf '${page}' >/var/www/html/index.html && nginx`]);
    const { NetworkSettings: network } = await inspect('web');
    const port = network.Ports['80/tcp']?.[0];
    assert.equal(port?.HostIp, '127.0.0.1');
    for (const where of [network.IPAddress, `127.0.0.1:${port.HostPort}`]) {
      assert.equal(await (await fetch(`http://${where}/`)).text(), page, where);
    }
    // Every worker of nginx is there, and each of the two requests is in its log.
    assert.match(await docker(['top', 'web']), /nginx: master process[\s\S]*nginx: worker process/);
    assert.equal((await docker(['exec', 'web', 'cat', '/var/log/nginx/access.log'])).match(/"GET \/ HTTP/g)?.length, 2);
  });

  test('what was installed is still there after a restart, and can be reached', async (t) => {
    if (unreachable !== '') return t.skip(unreachable);
    await docker(['restart', '-t', '0', 'web']);
    await docker(['exec', 'web', 'nginx']);
    const { NetworkSettings: network } = await inspect('web');
    const reply = await fetch(`http://127.0.0.1:${network.Ports['80/tcp']?.[0]?.HostPort}/`);
    assert.match(await reply.text(), /^served at/);
  });

  test('a Node program from a read-only bind mount computes', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'gantry-program-'));
    try {
      await writeFile(join(dir, 'chain.mjs'), PROGRAM);
      const mounts = [`${dir}:/app:ro`, ...nodeFiles().map((path) => `${path}:${path}:ro`)];
      const volumes = mounts.flatMap((mount) => ['-v', mount]);
      const run = ['run', '--rm', ...volumes, '-w', '/app', 'debian:12', process.execPath, 'chain.mjs', '20000'];
      assert.equal(await docker(run), `${chain(20_000)} EROFS\n`);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test('two hundred containers run at once and go away without a trace', { timeout: 2 * CROWD_MS }, async () => {
    await docker(['rm', '-f', 'web']);
    const started = Date.now();
    const ids = await crowd(async (n) => {
      const created = await engine.api('POST', `/containers/create?name=crowd-${n}`, {
        Image: 'debian:12',
        Cmd: ['sh', '-c', `echo number ${n}; exec sleep infinity`],
      });
      const id = created.json<{ Id: string }>().Id;
      const reply = await engine.api('POST', `/containers/${id}/start`);
      assert.equal(reply.status, 204, reply.text);
      return id;
    });
    const containers = await crowd((n) => inspect(ids[n] ?? ''));
    assert.equal(containers.filter(({ State }) => State.Running).length, CROWD);
    const unique = (values: readonly unknown[]): number => new Set(values).size;
    assert.equal(unique(containers.map(({ NetworkSettings }) => NetworkSettings.IPAddress)), CROWD);
    assert.equal(await docker(['logs', 'crowd-137']), 'number 137\n');
    const traces = containers.flatMap(tracesOf);
    const missing = traces.filter((path) => !existsSync(path));
    assert.deepEqual(missing, [], 'every trace that is looked for afterwards is there now');
    assert.equal(mounted(), CROWD);
    await crowd(async (n) => {
      const reply = await engine.api('DELETE', `/containers/${ids[n]}?force=1&v=1`);
      assert.equal(reply.status, 204, reply.text);
    });
    const took = Date.now() - started;
    await eventually('everything of them is gone', () => mounted() === 0 && !traces.some((path) => existsSync(path)));
    assert.ok(took < CROWD_MS, `it took ${took} ms`);
  });

  test('an engine without containers leaves nothing on the host when it ends', async () => {
    const bridge = (await engine.api('GET', '/networks/bridge')).json<{ Options: Record<string, string> }>();
    const device = bridge.Options['com.docker.network.bridge.name'] ?? '';
    const tag = device.slice(-6);
    assert.ok(existsSync(`/sys/class/net/${device}`));
    await engine.terminate();
    const names = [...readdirSync('/sys/class/net'), ...readdirSync('/run/netns')];
    assert.deepEqual(
      names.filter((name) => name.includes(tag)),
      [],
    );
    assert.doesNotMatch((await command('nft', ['list', 'tables'])).stdout, new RegExp(tag));
    assert.deepEqual(processesNaming(engine.execRoot), []);
    for (const dir of ['bundles', 'io', 'shims', 'network'])
      assert.deepEqual(readdirSync(join(engine.execRoot, dir)), []);
    assert.deepEqual(readdirSync(join(engine.dataRoot, 'containers')), []);
  });
});

/** @returns why no package came; empty when the host itself reaches the mirror, so that the engine is to blame. */
async function whyUnreachable(output: string): Promise<string> {
  const sources = await docker(['exec', 'web', 'sh', '-c', 'cat /etc/apt/sources.list /etc/apt/sources.list.d/*']);
  const mirror = /https?:\/\/[^\s]+/.exec(sources.replaceAll(/#.*/g, ''))?.[0] ?? '';
  const reply = await fetch(mirror, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
  assert.equal(reply, undefined, `the host reaches the package mirror and the container does not:\n${output}`);
  return `the package mirror of this host's apt cannot be reached: ${mirror}`;
}

/** A chain of hashes: too long to guess, quick to check. Prints it, and how writing beside itself fails. */
const PROGRAM = `import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
let value = 'gantry';
for (let n = 0; n < Number(process.argv[2]); n += 1) value = createHash('sha256').update(value).digest('hex');
let failure = 'written';
try { writeFileSync('/app/made', ''); } catch (error) { failure = error.code; }
console.log(value, failure);
`;

function chain(length: number): string {
  let value = 'gantry';
  for (let n = 0; n < length; n += 1) value = createHash('sha256').update(value).digest('hex');
  return value;
}

/** The Node that runs this, and the one library it needs that a minimal Debian lacks. */
function nodeFiles(): string[] {
  const report = process.report.getReport() as { sharedObjects: string[] };
  return [process.execPath, ...report.sharedObjects.filter((path) => path.includes('/libatomic.so'))];
}

/** Runs something for every member of the crowd, some at a time. */
async function crowd<T>(work: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let n = next++; n < CROWD; n = next++) results[n] = await work(n);
  };
  await Promise.all(Array.from({ length: CLIENTS }, worker));
  return results;
}

/** Paths that exist as long as a container runs: namespace, directories, and cgroups, which go only after the processes. */
function tracesOf({ Id, State, NetworkSettings }: Awaited<ReturnType<typeof inspect>>): string[] {
  const { dataRoot, execRoot } = engine;
  const cgroups = readFileSync(`/proc/${State.Pid}/cgroup`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, controllers = '', path = ''] = line.split(':');
      const mount = controllers === '' ? '' : controllers.replace(/^name=/, '');
      const found = [`/sys/fs/cgroup/${mount}${path}`, `/sys/fs/cgroup/unified${path}`].filter((dir) =>
        existsSync(dir),
      );
      return path.includes(Id) ? found : [];
    });
  assert.ok(cgroups.length > 0, 'a container has a cgroup of its own');
  const dirs = [join(dataRoot, 'containers', Id), join(execRoot, 'bundles', Id)];
  return [NetworkSettings.SandboxKey, ...dirs, ...cgroups];
}

/** How many overlays of the engine are mounted on the host. */
function mounted(): number {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.filter((line) => line.includes(engine.dataRoot) && line.includes('overlay')).length;
}

/** Processes with a path in their command line. */
function processesNaming(path: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
        return line.includes(path) ? [line.replaceAll('\0', ' ')] : [];
      } catch {
        return [];
      }
    });
}
