import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, type Frame, FrameReader, REQUEST, RESPONSE } from './ttrpc-frames.ts';

const frames: Frame[] = [
  { stream: 1, type: REQUEST, payload: Buffer.from('hello') },
  { stream: 3, type: RESPONSE, payload: Buffer.alloc(0) },
  { stream: 0x7fffffff, type: RESPONSE, payload: Buffer.alloc(70_000, 7) },
];

test('a frame is ten bytes of header, then the payload', () => {
  const bytes = encodeFrame({ stream: 5, type: REQUEST, payload: Buffer.from('ab') });
  assert.equal(bytes.toString('hex'), '000000020000000501006162');
});

test('frames glued together come apart', () => {
  const read = new FrameReader().push(Buffer.concat(frames.map(encodeFrame)));
  assert.deepEqual(read, frames);
});

test('frames split anywhere come together', () => {
  const bytes = Buffer.concat(frames.map(encodeFrame));
  for (const size of [1, 3, 9, 10, 11, 4096]) {
    const reader = new FrameReader();
    const read: Frame[] = [];
    for (let at = 0; at < bytes.length; at += size) read.push(...reader.push(bytes.subarray(at, at + size)));
    assert.deepEqual(read, frames, `in pieces of ${size}`);
  }
});

test('a length beyond the protocol is refused, read or written', () => {
  const header = Buffer.from('00400001000000010100', 'hex');
  assert.throws(() => new FrameReader().push(header), /4194305 bytes is longer than/);
  assert.throws(() => encodeFrame({ stream: 1, type: REQUEST, payload: Buffer.alloc((4 << 20) + 1) }), /longer than/);
});
