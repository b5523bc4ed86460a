import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onBoth, type Scenario } from '../support/both.ts';
import { create, eventually, run } from '../support/containers.ts';
import { PROGRAM } from '../support/gantry.ts';
import type { Target } from '../support/target.ts';
import { openTerminal, PROMPT, type Terminal } from '../support/terminal.ts';

const IDLE = 'trap "exit 0" TERM; while :; do sleep 1000 & wait; done';
const BOX = /^\/ #$/mu;

/** The command lines that drive an engine: the official one, and for Gantry its own too. */
function commandLines(target: Target): string[][] {
  const host = ['-H', `unix://${target.socket}`];
  const official = ['docker', ...host];
  return target.name === 'dockerd' ? [official] : [official, [process.execPath, PROGRAM, ...host]];
}

/** One scenario for every command line of a target. */
const withEach =
  (scenario: (target: Target, cli: string[]) => Promise<void>): Scenario =>
  async (target) => {
    for (const cli of commandLines(target)) await scenario(target, cli);
  };

/** A terminal, checked to be left as it was found. */
async function atTerminal(visit: (terminal: Terminal) => Promise<void>): Promise<void> {
  await using terminal = await openTerminal({ width: 100, height: 30 });
  const before = await terminal.settings();
  await visit(terminal);
  await terminal.see(new RegExp(`^ *${PROMPT}$`, 'mu'));
  assert.equal(await terminal.settings(), before, 'the terminal is left as it was found');
}

/** Asks the shell of the host for the exit code of what just ended. */
async function expectCode(terminal: Terminal, code: number): Promise<void> {
  await terminal.see(new RegExp(`^ *${PROMPT}$`, 'mu'));
  await terminal.type('echo code $?');
  await terminal.see(new RegExp(`^code ${code}$`, 'mu'));
}

/** Attaches to a shell that waits at its prompt, and gets it to show the prompt again. */
async function attach(terminal: Terminal, cli: string[]): Promise<void> {
  await terminal.type('clear; echo here');
  await terminal.see(/^here$/mu);
  await eventually('no prompt of before is left', async () => !BOX.test(await terminal.screen()));
  await terminal.type(cli.join(' '));
  await eventually('attached', async () => {
    await terminal.press('Enter');
    await terminal.settled();
    return BOX.test(await terminal.screen());
  });
}

interface Running extends Disposable {
  child: ChildProcess;
  output: () => string;
  code: Promise<number | null>;
}

function spawnCli([program = '', ...args]: string[]): Running {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = once(child, 'close').then(([status]) => status as number | null);
  return { child, output: () => output, code, [Symbol.dispose]: () => void child.kill('SIGKILL') };
}

onBoth('terminal', {
  'a shell with job control, ctrl-c, a window that changes and ctrl-d': withEach((_target, cli) =>
    atTerminal(async (terminal) => {
      await terminal.type(`${cli.join(' ')} run -it --rm busybox sh`);
      await terminal.see(BOX);
      await terminal.type('clear; stty size; tty; echo $TERM $((6*7))');
      await terminal.see(/^30 100\n\/dev\/(console|pts\/0)\nxterm 42$/mu);
      await terminal.resize({ width: 91, height: 27 });
      await terminal.type('until [ "$(stty size)" = "27 91" ]; do usleep 20000; done; echo resized');
      await terminal.see(/^resized$/mu);
      await terminal.type('clear; sh -c "echo up; exec sleep 1000"');
      await terminal.see(/^up$/mu);
      await terminal.press('C-z');
      await terminal.see(/Stopped/u);
      await terminal.type('clear; jobs; bg; jobs');
      await terminal.see(/Stopped[^]*Running/u);
      await terminal.type('clear; fg');
      await terminal.see(/^sh -c/mu);
      await terminal.press('C-c');
      await terminal.see(BOX);
      await terminal.type('echo then $?');
      await terminal.see(/^then 130$/mu);
      await terminal.press('C-d');
      await expectCode(terminal, 0);
    }),
  ),

  'detach with ctrl-p ctrl-q, and attach again': withEach((target, cli) =>
    atTerminal(async (terminal) => {
      await using c = await create(target, '', { Cmd: ['sh'], Tty: true, OpenStdin: true, StdinOnce: false });
      await terminal.type(`${cli.join(' ')} start -ai ${c.id}`);
      await terminal.see(BOX);
      await terminal.type('kept=it; clear');
      await terminal.see(BOX);
      await terminal.press('C-p', 'C-q');
      await terminal.see(new RegExp(`^(.*# )?(read escape sequence)?\\s*${PROMPT}`, 'mu'));
      assert.equal((await c.inspect()).State.Running, true);
      await attach(terminal, [...cli, 'attach', '--detach-keys', 'ctrl-a,d', c.id]);
      await terminal.type('clear; stty size; echo $kept');
      await terminal.see(/^30 100\nit$/mu);
      await terminal.press('C-a', 'd');
      await terminal.see(new RegExp(PROMPT, 'u'));
      assert.equal((await c.inspect()).State.Running, true);
      await attach(terminal, [...cli, 'attach', c.id]);
      await terminal.type('clear; exit 3');
      await expectCode(terminal, 3);
    }),
  ),

  'keys of one’s own detach start and exec, too, and what is no key is refused': withEach((target, cli) =>
    atTerminal(async (terminal) => {
      await using c = await create(target, '', { Cmd: ['sh'], Tty: true, OpenStdin: true });
      await terminal.type(`${cli.join(' ')} start -ai --detach-keys ctrl-x,x ${c.id}`);
      await terminal.see(BOX);
      await terminal.press('C-x', 'x');
      await terminal.see(new RegExp(`^(.*# )?(read escape sequence)?\\s*${PROMPT}`, 'mu'));
      await terminal.type(`clear; ${cli.join(' ')} exec -it --detach-keys DEL ${c.id} sh`);
      await terminal.see(BOX);
      await terminal.press('BSpace');
      await terminal.see(new RegExp(`^(.*# )?(read escape sequence)?\\s*${PROMPT}`, 'mu'));
      assert.equal((await c.inspect()).State.Running, true);
      for (const verb of ['attach', 'exec -it', 'start -ai']) {
        const what = verb.startsWith('exec') ? `${c.id} sh` : c.id;
        await terminal.type(`clear; ${cli.join(' ')} ${verb} --detach-keys ctrl-! ${what}; echo "($?)"`);
        await terminal.see(/^\(1\)$/mu);
        assert.match(
          await terminal.screen(),
          /invalid (detach|escape) keys \(ctrl-!\) provided|unknown character: 'ctrl-!'|received 400/iu,
        );
      }
    }),
  ),

  'exec -it opens a terminal of its own': withEach((target, cli) =>
    atTerminal(async (terminal) => {
      await using c = await run(target, IDLE);
      await terminal.type(`${cli.join(' ')} exec -it -e A=b -w /tmp ${c.id} sh`);
      await terminal.see(/^\/tmp #$/mu);
      await terminal.type('clear; until [ "$(stty size)" = "30 100" ]; do usleep 20000; done; tty; echo $A');
      await terminal.see(/^\/dev\/pts\/\d+\nb$/mu);
      await terminal.resize({ width: 80, height: 24 });
      await terminal.type('until [ "$(stty size)" = "24 80" ]; do usleep 20000; done; clear; echo resized');
      await terminal.see(/^resized$/mu);
      await terminal.type('clear; sh -c "echo up; exec sleep 1000"');
      await terminal.see(/^up$/mu);
      await terminal.press('C-c');
      await terminal.see(/^\/tmp #$/mu);
      await terminal.type('exit 4');
      await expectCode(terminal, 4);
      assert.equal((await c.inspect()).State.Running, true);
    }),
  ),

  'a command that ends by itself leaves the terminal as it was': withEach((_target, cli) =>
    atTerminal(async (terminal) => {
      await terminal.type(`${cli.join(' ')} run -it --rm busybox sh -c "stty raw -echo; echo gone; exit 6"`);
      await terminal.see(/gone/u);
      await expectCode(terminal, 6);
      await terminal.type(`clear; ${cli.join(' ')} run -it --rm busybox nothing`);
      await terminal.see(/"nothing": executable file not found in \$PATH/u);
      await expectCode(terminal, 127);
    }),
  ),

  '-t refuses an input that is no terminal': withEach(async (_target, cli) => {
    const cases = [['run', '--rm', '-it', 'busybox', 'true']];
    for (const args of cases) {
      using process = spawnCli([...cli, ...args]);
      assert.equal(await process.code, 1);
      assert.match(process.output(), /the input device is not a TTY|cannot attach stdin to a TTY-enabled container/u);
    }
  }),

  'signals sent to the command line reach the command': withEach(async (target, cli) => {
    for (const signal of ['TERM', 'INT', 'HUP', 'USR1'] as const) {
      const script = `trap "echo got ${signal}; exit 5" ${signal}; echo ready; while :; do usleep 20000; done`;
      using process = spawnCli([...cli, 'run', '--rm', 'busybox', 'sh', '-c', script]);
      await eventually('it is ready', () => process.output().includes('ready\n'));
      process.child.kill(`SIG${signal}`);
      assert.equal(await process.code, 5, signal);
      assert.equal(process.output(), `ready\ngot ${signal}\n`);
    }
    await using c = await run(target, 'trap "echo got TERM; exit 5" TERM; while :; do echo tick; usleep 20000; done');
    using attached = spawnCli([...cli, 'attach', c.id]);
    await eventually('it is attached', () => attached.output().includes('tick\n'));
    attached.child.kill('SIGTERM');
    assert.equal(await attached.code, 5);
    assert.match(attached.output(), /got TERM\n$/u);
  }),

  'with --sig-proxy=false they stay with the command line': withEach(async (target, cli) => {
    await using c = await run(target, 'trap "echo got TERM" TERM; while :; do echo tick; usleep 20000; done');
    using attached = spawnCli([...cli, 'attach', '--sig-proxy=false', c.id]);
    await eventually('it is attached', () => attached.output().includes('tick\n'));
    // Docker's own goes at the third.
    await eventually('it ends', () => {
      attached.child.kill('SIGTERM');
      return attached.child.exitCode !== null || attached.child.signalCode !== null;
    });
    assert.equal((await c.inspect()).State.Running, true);
    assert.doesNotMatch((await target.docker(['logs', c.id])).stdout, /got TERM/u);
  }),
});
