#!/usr/bin/env node
import { type ConnectOptions, runCli } from '../cli/run-cli.ts';
import type { Client } from '../client/client.ts';
import type { TlsOptions } from '../client/transport.ts';
import type { ServiceHost } from './service/service.ts';
import { VERSION } from './version.ts';

/** Where this program's own engine listens when no host is named. */
const DEFAULT_SOCKET = '/run/gantry/gantry.sock';

async function connect({ host, tls }: ConnectOptions): Promise<Client> {
  const [{ parseEndpoint }, { openTransport }, { openClient }] = await Promise.all([
    import('../client/endpoint.ts'),
    import('../client/transport.ts'),
    import('../client/client.ts'),
  ]);
  if (host === undefined) {
    const { ensureEngine } = await import('./ensure-engine.ts');
    await ensureEngine({ socket: DEFAULT_SOCKET, startService: startOwnService });
  }
  const endpoint = parseEndpoint(host ?? `unix://${DEFAULT_SOCKET}`);
  const secrets = tls.enabled && endpoint.kind === 'tcp' ? await readTls(tls) : undefined;
  const pinned = process.env['DOCKER_API_VERSION'];
  return openClient(openTransport(endpoint, secrets), pinned === '' ? undefined : pinned);
}

/** Reads the PEM files that exist; which of them are needed is for the server to say. */
async function readTls({ verify, ca, cert, key }: ConnectOptions['tls']): Promise<TlsOptions> {
  const [{ readFile }, { ifExists }] = await Promise.all([import('node:fs/promises'), import('../util/files.ts')]);
  const read = async (name: 'ca' | 'cert' | 'key', path: string) => {
    const text = await ifExists(() => readFile(path, 'utf8'));
    return text === undefined ? {} : { [name]: text };
  };
  const [caText, certText, keyText] = await Promise.all([read('ca', ca), read('cert', cert), read('key', key)]);
  return { verify, ...caText, ...certText, ...keyText };
}

async function daemon(words: readonly string[]): Promise<number> {
  const { runDaemon } = await import('./daemon.ts');
  return runDaemon(words);
}

async function service(words: readonly string[]): Promise<number> {
  const { runService } = await import('./service/service.ts');
  const line = (to: NodeJS.WriteStream) => (text: string) => void to.write(`${text}\n`);
  return runService(words, await serviceHost(), line(process.stdout), line(process.stderr));
}

async function startOwnService(): Promise<boolean> {
  const { startService } = await import('./service/service.ts');
  return startService(await serviceHost());
}

async function serviceHost(): Promise<ServiceHost> {
  const [{ thisHost }, { answers, programCommand }] = await Promise.all([
    import('./service/service.ts'),
    import('./ensure-engine.ts'),
  ]);
  return thisHost([...programCommand(), 'daemon'], () => answers(DEFAULT_SOCKET));
}

// A reader that went away, as `head` does, is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

async function main(): Promise<number> {
  return runCli(process.argv.slice(2), {
    program: 'gantry',
    version: VERSION,
    // Opened when first used: most commands read no input.
    get stdin() {
      return process.stdin;
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    connect,
    daemon,
    service,
  });
}

/** Resolves when what was written last has gone into the pipe, which may be full. */
async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0) await new Promise<void>((resolve) => void stream.write('', () => resolve()));
}

// Exits at once then: an open standard input would otherwise keep the program until its writer closes it.
void main().then(async (status) => {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(status);
});
