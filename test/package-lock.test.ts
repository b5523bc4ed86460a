import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

interface Locked {
  version: string;
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

const path = join(import.meta.dirname, '..', 'package-lock.json');
const { packages } = JSON.parse(readFileSync(path, 'utf8')) as { packages: Record<string, Locked> };

/** A registry that lacks the binaries of other platforms makes npm leave them out, and then no other npm accepts the file. */
test('the lock file names the packages of every platform', () => {
  const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
    Object.entries(optionalDependencies),
  );
  assert.ok(wanted.length > 20, `only ${wanted.length} were found`);
  const missing = wanted.filter(([name, version]) => packages[`node_modules/${name}`]?.version !== version);
  assert.deepEqual(missing, []);
});

test('the lock file ties nobody to a registry', () => {
  const tied = Object.entries(packages).filter(([, { resolved }]) => resolved !== undefined);
  assert.deepEqual(tied, []);
});
