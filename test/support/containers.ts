import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Target } from './target.ts';

/** The parts of an inspected container that scenarios look at. */
export interface Inspected {
  Id: string;
  ExecIDs: string[] | null;
  State: {
    Status: string;
    Running: boolean;
    Paused: boolean;
    ExitCode: number;
    Pid: number;
    Error: string;
    StartedAt: string;
  };
  Config: Record<string, unknown>;
  HostConfig: Record<string, unknown>;
}

/** A container made for one scenario; it is removed at the end of its scope. */
export interface Made extends AsyncDisposable {
  readonly id: string;
  /** `/containers/<id>` */
  readonly path: string;
  start(): Promise<void>;
  inspect(): Promise<Inspected>;
  /** Its exit code, once it has ended. */
  wait(): Promise<number>;
}

/** Creates a container of busybox that runs a shell script. `body` adds to or replaces fields of the request. */
export async function create(target: Target, script: string, body: object = {}): Promise<Made> {
  const request = { Image: 'busybox', Cmd: ['sh', '-c', script], ...body };
  const reply = await target.api('POST', '/containers/create', request);
  assert.equal(reply.status, 201, reply.text);
  const id = reply.json<{ Id: string }>().Id;
  const path = `/containers/${id}`;
  return {
    id,
    path,
    start: async () => {
      const started = await target.api('POST', `${path}/start`);
      assert.equal(started.status, 204, started.text);
    },
    inspect: async () => (await target.api('GET', `${path}/json`)).json<Inspected>(),
    wait: async () => {
      const waited = await target.api('POST', `${path}/wait`);
      assert.equal(waited.status, 200, waited.text);
      return waited.json<{ StatusCode: number }>().StatusCode;
    },
    [Symbol.asyncDispose]: async () => {
      const removed = await target.api('DELETE', `${path}?force=1&v=1`);
      assert.ok([204, 404].includes(removed.status), removed.text);
    },
  };
}

/** Creates and starts one. */
export async function run(target: Target, script: string, body: object = {}): Promise<Made> {
  const made = await create(target, script, body);
  await made.start();
  return made;
}

/** Asks again until the answer is something. @throws naming what was waited for after `ms`. */
export async function eventually<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  ms = 20_000,
): Promise<T> {
  for (const deadline = Date.now() + ms; Date.now() < deadline; await sleep(20)) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
  }
  throw new Error(`in vain: ${what}`);
}
