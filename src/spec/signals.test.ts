import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { kindOf } from '../util/errors.ts';
import { parseSignal, signalNumber } from './signals.ts';

test('every signal of this host has its number', { skip: process.platform !== 'linux' }, () => {
  for (const [name, number] of Object.entries(constants.signals)) {
    if (name === 'SIGUNUSED') continue;
    assert.equal(parseSignal(name), number, name);
  }
});

test('names in any case, with and without SIG, and numbers', () => {
  assert.equal(parseSignal('kill'), 9);
  assert.equal(parseSignal('sigTerm'), 15);
  assert.equal(parseSignal('9'), 9);
  assert.equal(parseSignal('64'), 64);
});

test('real-time signals', () => {
  assert.equal(parseSignal('RTMIN'), 34);
  assert.equal(parseSignal('SIGRTMIN+3'), 37);
  assert.equal(parseSignal('RTMAX-14'), 50);
  assert.equal(parseSignal('SIGRTMAX'), 64);
  assert.throws(() => parseSignal('RTMIN+16'), { message: 'Invalid signal: RTMIN+16' });
});

test('what is no signal is refused in words of Docker', () => {
  for (const bad of ['FOO', '0', '', '-1', 'SIG', '1.5', 'toString']) {
    assert.throws(
      () => parseSignal(bad),
      (error: Error) => error.message === `Invalid signal: ${bad}` && kindOf(error) === 'invalid',
    );
  }
  assert.throws(() => parseSignal('65'), { message: 'The linux daemon does not support signal 65' });
});

test('an unknown stop signal is SIGTERM', () => {
  assert.equal(signalNumber('FOO'), 15);
  assert.equal(signalNumber('SIGUSR1'), 10);
});
