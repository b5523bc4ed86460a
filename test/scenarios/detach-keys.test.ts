import assert from 'node:assert/strict';
import { onBoth } from '../support/both.ts';
import { create, eventually, type Made, run } from '../support/containers.ts';
import { actionsOf } from '../support/events-of.ts';
import { type Hijacked, hijack } from '../support/hijack.ts';
import type { ApiReply, Target } from '../support/target.ts';

/** Sequences as they are asked for, and what is then typed. */
const FORMS: readonly (readonly [asked: string, typed: string])[] = [
  ['', '\x10\x11'],
  ['ctrl-x', '\x18'],
  ['ctrl-[', '\x1b'],
  ['ctrl-\\', '\x1c'],
  ['ctrl-]', '\x1d'],
  ['ctrl-^', '\x1e'],
  ['ctrl-_', '\x1f'],
  ['ctrl-@', '\x00'],
  ['DEL', '\x7f'],
  ['Q', 'Q'],
  [' ', ' '],
  ['~', '~'],
  ['\x01', '\x01'],
  ['a,b,c', 'abc'],
  ['ctrl-x,ctrl-x', '\x18\x18'],
  ['ctrl-a,d', '\x01d'],
  ['DEL,DEL,a', '\x7f\x7fa'],
];

/** What is no sequence. A letter after `ctrl-` is a small one, and keys are parted by commas alone. */
const BAD =
  'ctrl|ctrl-|ctrl-X|CTRL-x|ctrl-1|ctrl-?|ctrl--|ctrl-,|ctrl-ab|del|esc|aa|a b|é|,|a,|,a|ctrl-p,|ctrl-p, ctrl-q'.split(
    '|',
  );

const ECHO = 'stty -echo; while read line; do echo "<$line>"; done';
const TTY = { Tty: true, OpenStdin: true };
const ALL = 'stream=1&stdin=1&stdout=1';

const messageOf = ({ text }: ApiReply): string => (JSON.parse(text) as { message: string }).message;

/** Shows that what is typed is heard, then types the keys one by one, and waits for the end. */
async function detach(stream: Hijacked, typed: string): Promise<void> {
  stream.socket.write('x\n');
  await stream.until((bytes) => bytes.includes('<x>'));
  for (const key of typed) stream.socket.write(key);
  await stream.ended();
}

async function createExec(target: Target, { path }: Made, body: object): Promise<ApiReply> {
  const request = { Cmd: ['sh', '-c', ECHO], AttachStdin: true, AttachStdout: true, Tty: true, ...body };
  return target.api('POST', `${path}/exec`, request);
}

onBoth('detach keys', {
  'every form ends an attachment, and the command runs on': async (target) => {
    await using c = await run(target, ECHO, TTY);
    for (const [asked, typed] of FORMS) {
      using attached = await hijack(target, `${c.path}/attach?${ALL}&detachKeys=${encodeURIComponent(asked)}`);
      await detach(attached, typed);
    }
    assert.equal((await c.inspect()).State.Running, true);
    await eventually('each is told of', async () => {
      const actions = await actionsOf(target, c.id);
      return actions.filter((action) => action === 'detach').length === FORMS.length;
    });
  },

  'every form ends the connection of an exec': async (target) => {
    await using c = await run(target, 'while :; do sleep 1000; done');
    for (const [asked, typed] of FORMS) {
      const created = await createExec(target, c, { DetachKeys: asked });
      assert.equal(created.status, 201, created.text);
      const { Id } = created.json<{ Id: string }>();
      using stream = await hijack(target, `/exec/${Id}/start`, { body: { Tty: true } });
      await detach(stream, typed);
    }
    // dockerd 20.10 takes it for a failure: it hangs the terminal up, says that the command ended with 126, and has no event.
    if (target.name === 'dockerd') return;
    await eventually('each is told of', async () => {
      const actions = await actionsOf(target, c.id);
      return actions.filter((action) => action === 'exec_detach').length === FORMS.length;
    });
    const { stdout } = await target.docker(['exec', c.id, 'ps']);
    assert.equal(stdout.split('\n').filter((line) => line.includes('while read line')).length, FORMS.length, stdout);
  },

  'what only begins like a sequence is passed on': async (target) => {
    await using c = await run(target, ECHO, TTY);
    using attached = await hijack(target, `${c.path}/attach?${ALL}&detachKeys=a,b,c`);
    for (const piece of ['x', 'ab', 'x', '\n']) attached.socket.write(piece);
    await attached.until((bytes) => bytes.includes('<xabx>'));
    await detach(attached, 'abc');
    assert.equal((await c.inspect()).State.Running, true);
  },

  'a sequence that is none is refused, by attach before and by exec at its create': async (target) => {
    await using c = await run(target, ECHO, TTY);
    for (const keys of BAD) {
      const attached = await target.api('POST', `${c.path}/attach?${ALL}&detachKeys=${encodeURIComponent(keys)}`);
      assert.equal(attached.status, 400, keys);
      assert.ok(attached.text.includes(`Invalid detach keys (${keys}) provided`), attached.text);
      const created = await createExec(target, c, { DetachKeys: keys });
      // A mistake of the caller is no failure of the engine, as it is for dockerd 20.10.
      assert.equal(created.status, target.name === 'dockerd' ? 500 : 400, keys);
      assert.equal(messageOf(created), `Invalid escape keys (${keys}) provided`);
    }
    assert.equal((await c.inspect()).ExecIDs, null);
  },

  'start knows no keys: who starts a container says them when attaching': async (target) => {
    for (const keys of ['ctrl-x', 'no-keys']) {
      await using c = await create(target, 'exec sleep 1000');
      assert.equal((await target.api('POST', `${c.path}/start?detachKeys=${keys}`)).status, 204);
      assert.equal((await c.inspect()).State.Running, true);
    }
  },
});
