import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Target } from './target.ts';

/** What an engine answered; a container that it made is started, and what that gave stands behind the status of create. */
export interface Answer {
  readonly status: number;
  readonly message: string;
}

/** One call that must be refused. */
export interface Refusal {
  readonly call: readonly [method: string, path: string, body?: unknown];
  /** What dockerd 20.10.24 answers, written down by `scripts/record-refusals.ts`. */
  readonly dockerd: Answer;
  /** Where Gantry answers something else on purpose, and why. */
  readonly gantry?: Answer & { readonly why: string };
}

export const REFUSALS_FILE = join(import.meta.dirname, '..', 'data', 'refusals.json');

export const readRefusals = (): Refusal[] => JSON.parse(readFileSync(REFUSALS_FILE, 'utf8')) as Refusal[];

/** What depends on the host or the moment. */
const MASKS: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{64}/g, '<id>'],
  [/\d+\.00, as there are only \d+ CPUs/, '<n>.00, as there are only <n> CPUs'],
  [/available: [\d,-]+/, 'available: <numbers>'],
];

const masked = (text: string): string => MASKS.reduce((so, [mask, name]) => so.replace(mask, name), text);

function messageOf(body: string): string {
  try {
    return String((JSON.parse(body) as { message?: unknown }).message);
  } catch {
    return body.trim();
  }
}

/** Makes a call and gives its answer, without what depends on the host. A container that came of it is taken away. */
export async function ask(target: Target, [method, path, body]: Refusal['call']): Promise<Answer> {
  const reply = await target.api(method, /^\/v\w|^\/$/.test(path) ? path : `/v1.41${path}`, body);
  if (reply.status !== 201 || !path.startsWith('/containers/create'))
    return { status: reply.status, message: masked(messageOf(reply.text)) };
  const { Id } = reply.json<{ Id: string }>();
  const started = await target.api('POST', `/containers/${Id}/start`);
  await target.api('DELETE', `/containers/${Id}?force=1&v=1`);
  return {
    status: 201,
    message: started.status === 204 ? '' : `start: ${started.status} ${masked(messageOf(started.text))}`,
  };
}

/**
 * What Gantry is to answer, by dockerd's answer: newer dockerds know a mistake of the caller's for one (400) where this one takes the blame
 * (500), and begin their messages with a small letter.
 */
export function expected({ dockerd, gantry }: Refusal): Answer {
  if (gantry !== undefined) return { status: gantry.status, message: gantry.message };
  // What goes wrong in the runtime stays the engine's fault; who has passed it on is not told.
  const message = dockerd.message.includes('OCI runtime')
    ? dockerd.message.replace('failed to create shim task: ', '').replace(/: unknown$/, '')
    : dockerd.message.replace(/^start: 500/, 'start: 400');
  return { status: dockerd.status === 500 ? 400 : dockerd.status, message };
}

/** Equal but for the case of the first letter. */
export const sameAnswer = (a: Answer, b: Answer): boolean =>
  a.status === b.status &&
  a.message.slice(1) === b.message.slice(1) &&
  a.message[0]?.toLowerCase() === b.message[0]?.toLowerCase();
