import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remapOf } from './remap-owner.ts';

// None of these makes a user: only `default` does.
const REFUSED: [wish: string, says: RegExp][] = [
  ['', /^Invalid user\/group specification in --userns-remap: ""$/],
  ['a:b:c', /^Invalid user\/group specification in --userns-remap: "a:b:c"$/],
  ['root:', /^Invalid user\/group specification/],
  ['no-such-user', /^Error during uid lookup for "no-such-user": no such user$/],
  ['1999999999', /^Uid 1999999999 has no entry in \/etc\/passwd$/],
  ['root:no-such-group', /^Error during gid lookup for "no-such-group": no such group$/],
  ['0:1999999999', /^Gid 1999999999 has no entry in \/etc\/group$/],
  ['root', /^Can't create ID mappings: No subuid ranges found for user "root"$/],
];

test('who does not exist or has no ids to give is refused', async () => {
  for (const [wish, message] of REFUSED) await assert.rejects(remapOf(wish), { kind: 'invalid', message }, wish);
});
