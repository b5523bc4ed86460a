import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';

/** What a plugin is told and asked. */
interface Asked {
  readonly Name?: string;
  readonly ID?: string;
  readonly Opts?: Readonly<Record<string, string>>;
}

/** A volume plugin of a test's own: directories, and a note of every call. */
export interface TestPlugin extends AsyncDisposable {
  /** `Create data`, `Mount data`, in order; what only asks is left out. */
  readonly calls: string[];
  /** Who has what mounted, `volume user`. */
  readonly mounted: Set<string>;
  readonly options: Map<string, Readonly<Record<string, string>>>;
  /** Makes a volume of which nobody told the engine. */
  make(name: string): void;
  /** Breaks off what is being answered. */
  cut(): void;
  /** Answers calls of a method otherwise: with what this sends; undefined: as always. */
  readonly instead: Map<string, (response: ServerResponse, asked: Asked) => void>;
}

const ASKS = new Set(['Activate', 'Capabilities', 'Get', 'List', 'Path']);

/** @param dir where its volumes have their content. @param scope as `Capabilities` tells it. */
export async function startVolumePlugin(socket: string, dir: string, scope = 'local'): Promise<TestPlugin> {
  const calls: string[] = [];
  const mounted = new Set<string>();
  const options = new Map<string, Readonly<Record<string, string>>>();
  const instead: TestPlugin['instead'] = new Map();
  const pathOf = (name: string) => join(dir, name);
  const usersOf = (name: string) => [...mounted].filter((it) => it.startsWith(`${name} `));
  const shown = (Name: string) => ({
    Name,
    Mountpoint: usersOf(Name).length > 0 ? pathOf(Name) : '',
    CreatedAt: '2020-01-02T03:04:05Z',
    Status: { users: usersOf(Name).length },
  });
  const answers: Readonly<Record<string, (asked: Asked) => object>> = {
    Activate: () => ({ Implements: ['VolumeDriver'] }),
    Capabilities: () => ({ Capabilities: { Scope: scope } }),
    Create: ({ Name = '', Opts = {} }) => {
      options.set(Name, Opts);
      mkdirSync(pathOf(Name), { recursive: true });
      return {};
    },
    Remove: ({ Name = '' }) => {
      options.delete(Name);
      rmSync(pathOf(Name), { recursive: true, force: true });
      return {};
    },
    Mount: ({ Name = '', ID = '' }) => {
      mounted.add(`${Name} ${ID}`);
      return { Mountpoint: pathOf(Name) };
    },
    Unmount: ({ Name = '', ID = '' }) => {
      mounted.delete(`${Name} ${ID}`);
      return {};
    },
    Path: ({ Name = '' }) => ({ Mountpoint: shown(Name).Mountpoint }),
    Get: ({ Name = '' }) => (options.has(Name) ? { Volume: shown(Name) } : { Err: 'no such volume here' }),
    List: () => ({ Volumes: [...options.keys()].map((name) => shown(name)) }),
  };
  const server = createServer((request, response) => {
    const method = (request.url ?? '').split('.').at(-1) ?? '';
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const asked = (text.trim() === '' ? {} : JSON.parse(text)) as Asked;
      if (!ASKS.has(method)) calls.push(`${method} ${asked.Name}`);
      const other = instead.get(method);
      if (other !== undefined) other(response, asked);
      else response.end(JSON.stringify(answers[method]?.(asked) ?? { Err: `unknown ${method}` }));
    });
  });
  mkdirSync(dirname(socket), { recursive: true });
  rmSync(socket, { force: true });
  server.listen(socket);
  await once(server, 'listening');
  return {
    calls,
    mounted,
    options,
    instead,
    cut: () => server.closeAllConnections(),
    make: (Name) => void answers['Create']?.({ Name }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      rmSync(socket, { force: true });
    },
  };
}
