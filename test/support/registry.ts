import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { command } from './target.ts';

/** A real registry (the distribution project's) of a test's own, on this host. */
export interface RealRegistry extends AsyncDisposable {
  /** `localhost:port` */
  readonly host: string;
  /** PEM file of the authority that signed its certificate, with TLS. */
  readonly ca: string;
}

/** `ann` with the password `secret`, as bcrypt has it: the registry reads nothing else. */
const HTPASSWD = 'ann:$2y$04$AlKcIVgpQswqF6belaDJbubuNmq.S5lcNHLwzA7vytxtcFK55S9r.\n';

export interface RegistryOptions {
  /** Only `ann` may use it. */
  readonly users?: boolean;
  readonly tls?: boolean;
}

export async function startRegistry({ users = false, tls = false }: RegistryOptions = {}): Promise<RealRegistry> {
  await using undo = new AsyncDisposableStack();
  const dir = await mkdtemp(join(tmpdir(), 'gantry-registry-'));
  undo.defer(() => rm(dir, { recursive: true, force: true }));
  const port = await freePort();
  const [ca, cert, key] = ['ca.crt', 'cert.pem', 'key.pem'].map((name) => join(dir, name)) as [string, string, string];
  if (tls) await makeCertificates(dir);
  await writeFile(join(dir, 'htpasswd'), HTPASSWD);
  const config = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(dir, 'data') } },
    http: { addr: `127.0.0.1:${port}`, ...(tls ? { tls: { certificate: cert, key } } : {}) },
    ...(users ? { auth: { htpasswd: { realm: 'test', path: join(dir, 'htpasswd') } } } : {}),
  };
  // YAML takes JSON as it is.
  await writeFile(join(dir, 'config.yml'), JSON.stringify(config));
  const server = spawn('docker-registry', ['serve', join(dir, 'config.yml')], { stdio: 'ignore' });
  undo.defer(async () => {
    if (server.exitCode !== null) return;
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  });
  for (let i = 0; !(await answers(`${tls ? 'https' : 'http'}://localhost:${port}/v2/`)); i++) {
    if (server.exitCode !== null || i > 100) throw new Error('the registry did not start');
    await sleep(100);
  }
  const stack = undo.move();
  return { host: `localhost:${port}`, ca, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function answers(url: string): Promise<boolean> {
  return (await command('curl', ['-sk', '-o', '/dev/null', url])).code === 0;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function makeCertificates(dir: string): Promise<void> {
  const script = `set -e
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Test authority' -keyout ca.key -out ca.crt
    openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' -keyout key.pem -out request.pem
    printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' >names
    openssl x509 -req -in request.pem -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem`;
  const { code, stderr } = await command('sh', ['-c', `cd ${dir} && ${script}`]);
  if (code !== 0) throw new Error(`openssl: ${stderr}`);
}
