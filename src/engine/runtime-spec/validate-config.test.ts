import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testContainer } from './test-container.ts';
import { validateConfig } from './validate-config.ts';

const check = (asked: Record<string, unknown>) => validateConfig(testContainer(asked).config);
const refused = (asked: Record<string, unknown>, message: string) =>
  assert.throws(() => check(asked), { kind: 'invalid', message });

test('what a container is', () => {
  assert.doesNotThrow(() =>
    check({ WorkingDir: '/a', Env: ['A', 'B=', 'C=1'], StopSignal: 'SIGINT', Hostname: 'a.b' }),
  );
  refused({ WorkingDir: 'rel' }, "the working directory 'rel' is invalid, it needs to be an absolute path");
  refused({ Env: ['=x'] }, 'invalid environment variable: =x');
  refused({ Env: ['A=1', ''] }, 'invalid environment variable: ');
  refused({ StopSignal: 'foo' }, 'Invalid signal: foo');
  refused({ Hostname: 'ä'.repeat(33) }, `invalid hostname: "${'ä'.repeat(33)}" is longer than 64 bytes`);
  assert.doesNotThrow(() => check({ Hostname: 'a'.repeat(64) }));
});

test('times of a health check are at least a millisecond', () => {
  const health = (over: object) => ({ Healthcheck: { Test: ['CMD', 'true'], ...over } });
  refused(health({ Interval: 5 }), 'Interval in Healthcheck cannot be less than 1ms');
  refused(health({ Timeout: -1 }), 'Timeout in Healthcheck cannot be less than 1ms');
  refused(health({ StartPeriod: 999_999 }), 'StartPeriod in Healthcheck cannot be less than 1ms');
  refused(health({ Retries: -5 }), 'Retries in Healthcheck cannot be negative');
  assert.doesNotThrow(() => check(health({ Interval: 1_000_000 })));
});
