import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seeded } from '../../src/util/tar/tar-fixture.ts';
import { corpusOf, targets, varied } from './corpus.ts';

// What `scripts/fuzz` found once, and some inputs that are the same each time.

const VARIATIONS = 1000;

for (const target of targets) {
  test(`no input makes it misbehave: ${target.name}`, async () => {
    const inputs = [...target.seeds, ...corpusOf(target)];
    assert.ok(inputs.length >= 3);
    for (const input of inputs) await target.run(input);
    const below = seeded(1);
    const pick = (): Buffer => inputs[below(inputs.length)] as Buffer;
    for (let i = 0; i < VARIATIONS; i++) await target.run(varied(target, pick(), pick(), below));
  });
}
