import assert from 'node:assert/strict';
import type { Target } from './target.ts';

/** Prints to both outputs, in this order, a line that is longer than a record, and an empty one. */
export const SCRIPT =
  'echo out; sleep 0.1; echo err >&2; sleep 0.1; head -c 20000 /dev/zero | tr "\\0" x; echo; echo; echo last';

/** What `SCRIPT` says, as `plain` shows it. */
export const TEXTS = ['out', 'err', '<16384>', '<3616>', '', 'last'];

/** What arrives of it where an empty line is no message. */
export const NOT_EMPTY = TEXTS.filter((text) => text !== '');

/** Log options as flags of the command line. */
export const logOptions = (given: Record<string, string>): string[] =>
  Object.entries(given).flatMap(([name, value]) => ['--log-opt', `${name}=${value}`]);

/** A container whose output goes somewhere. It is removed when disposed of. */
export interface Logged extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
}

/** Runs a script with a log driver, a label `a=1` and a variable `E=2` that its messages carry. */
export async function logged(
  target: Target,
  driver: string,
  given: Record<string, string>,
  script = SCRIPT,
): Promise<Logged> {
  const name = `logged-${Math.random().toString(36).slice(2)}`;
  const meant = ['--label', 'a=1', '--env', 'E=2', ...logOptions({ labels: 'a', env: 'E', ...given })];
  const args = ['run', '-d', '--name', name, '--log-driver', driver, ...meant, 'busybox', 'sh', '-c', script];
  const { code, stdout, stderr } = await target.docker(args);
  assert.equal(code, 0, stderr);
  return { id: stdout.trim(), name, [Symbol.asyncDispose]: async () => void (await target.docker(['rm', '-f', name])) };
}

/** Text in which process ids, times, and the x of the long line are the same every time. */
export const plain = (text: string): string =>
  text
    .replace(/x{100,}/g, (run) => `<${run.length}>`)
    .replace(/[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d/g, 'STAMP')
    .replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')
    .replace(/\d{4}-\d\d-\d\dT[\d:]+\.\d{6}Z/g, 'MICROS')
    .replace(/\[\d+\]/g, '[PID]')
    .replace(/(MICROS|TIME) \S+ (\S+) \d+ /g, '$1 HOST $2 PID ')
    .replace(/STAMP (?!tag)\S+ tag/g, 'STAMP HOST tag');
