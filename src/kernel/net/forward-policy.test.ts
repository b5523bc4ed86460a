import assert from 'node:assert/strict';
import { test } from 'node:test';
import { run } from '../../util/spawn.ts';
import { acceptScript, droppingChains } from './forward-policy.ts';

const root = process.getuid?.() === 0 ? {} : { skip: 'needs root for a network namespace' };

const chain = (family: string, table: string, name: string, hook = '', policy = '') => ({
  chain: { family, table, name, hook, policy },
});

test('dockerd’s own hook is used where it is, else the chain that drops', () => {
  const listing = {
    nftables: [
      chain('ip', 'filter', 'FORWARD', 'forward', 'drop'),
      chain('ip', 'filter', 'DOCKER-USER'),
      chain('inet', 'host', 'passing', 'forward', 'drop'),
      chain('inet', 'open', 'passing', 'forward', 'accept'),
      chain('ip6', 'filter', 'FORWARD', 'forward', 'drop'),
      chain('inet', 'host', 'in', 'input', 'drop'),
    ],
  };
  assert.deepEqual(droppingChains(listing), ['ip filter DOCKER-USER', 'inet host passing']);
});

test('bridges of dockerd stay apart from ours', () => {
  const lines = acceptScript('ip filter DOCKER-USER', 'gtry123456').trim().split('\n');
  assert.equal(lines.length, 4);
  assert.match(lines.at(-1) ?? '', /iifname "gtry123456" oifname "br-\*" counter return/);
  assert.equal(acceptScript('inet host passing', 'gtry123456').trim().split('\n').length, 2);
});

/** Runs in a network namespace of its own, so that no rule of the real host is touched. */
const SCENARIO = `
import { execFileSync } from 'node:child_process';
import { ForwardPolicy } from ${JSON.stringify(new URL('./forward-policy.ts', import.meta.url).href)};
import { silentLog } from ${JSON.stringify(new URL('../../util/log.ts', import.meta.url).href)};
const nft = (...args) => execFileSync('nft', args).toString();
const load = (text) => execFileSync('nft', ['-f', '-'], { input: text });
load('add table inet host\\nadd chain inet host passing { type filter hook forward priority 0; policy drop; }');
const before = nft('list', 'ruleset');
const policy = new ForwardPolicy('gtry123456', silentLog());
await policy.check();
await policy.check();
const first = nft('list', 'ruleset');
load('add table ip filter\\nadd chain ip filter DOCKER-USER\\nadd rule ip filter DOCKER-USER counter return');
load('add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }');
await policy.check(60000);
const cached = nft('list', 'ruleset');
await policy.check();
const second = nft('list', 'ruleset');
await policy.withdraw();
load('delete table ip filter');
console.log(JSON.stringify({ before, first, cached, second, after: nft('list', 'ruleset') }));
`;

const count = (text = ''): number => text.split('gantry gtry123456').length - 1;

test('rules are put in once, also for a dockerd that starts later, and taken back', root, async () => {
  const { stdout } = await run('unshare', ['--net', process.execPath, '--input-type=module', '-e', SCENARIO]);
  const { before, first, cached, second, after }: Record<string, string> = JSON.parse(stdout);
  assert.equal(count(before), 0);
  assert.equal(count(first), 2);
  assert.equal(count(cached), 2, 'looked again too soon');
  assert.equal(count(second), 6);
  const user = second?.slice(second.indexOf('DOCKER-USER {')) ?? '';
  assert.ok(user.indexOf('return comment') < user.indexOf('accept comment'), user);
  assert.equal(after, before);
});
