import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventLine } from './event.ts';

const actor = { id: 'abc', attributes: { image: 'busybox', name: 'web' } };

test('a container event keeps its nanoseconds and repeats the old fields', () => {
  const line = eventLine({ type: 'container', action: 'start', actor, timeNano: 1_795_469_280_123_456_789n });
  assert.match(line, /"timeNano":1795469280123456789}\n$/);
  const { timeNano, ...rest } = JSON.parse(line);
  assert.equal(typeof timeNano, 'number');
  assert.deepEqual(rest, {
    status: 'start',
    id: 'abc',
    from: 'busybox',
    Type: 'container',
    Action: 'start',
    Actor: { ID: 'abc', Attributes: actor.attributes },
    scope: 'local',
    time: 1795469280,
  });
});

test('network events have none of the old fields, images no origin', () => {
  const network = JSON.parse(eventLine({ type: 'network', action: 'connect', actor, timeNano: 1n }));
  assert.equal('status' in network || 'id' in network || 'from' in network, false);
  const image = JSON.parse(eventLine({ type: 'image', action: 'tag', actor, timeNano: 1n }));
  assert.deepEqual([image.status, image.id, image.from], ['tag', 'abc', undefined]);
});
