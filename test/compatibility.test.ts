import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { official, PAGE, page, states } from '../scripts/compatibility.ts';

test('docs/compatibility.md says what the code does', () => {
  assert.equal(readFileSync(PAGE, 'utf8'), page(), 'run: npm run compatibility');
});

test('every endpoint and field of Docker is answered, acted on or refused', () => {
  const all = states();
  assert.ok((all['endpoints'] ?? []).length > 100);
  const open = Object.values(all)
    .flat()
    .filter(([, state]) => state === 'not answered' || state === 'not known');
  assert.deepEqual(open, []);
});

interface Shape {
  $ref?: string;
  type?: string;
  allOf?: Shape[];
  items?: Shape;
  properties?: Record<string, Shape>;
}

interface Description {
  definitions: Record<string, Shape>;
  paths: Record<string, Record<string, { parameters?: { in: string; schema?: Shape }[] }>>;
}

const file = process.env['GANTRY_SWAGGER'];
const skip = file === undefined && 'GANTRY_SWAGGER does not name a description of the API';

test('the names are those of the official description', { skip }, () => {
  const description = parse(readFileSync(file ?? '', 'utf8')) as Description;
  const resolve = (shape: Shape): Shape =>
    shape.$ref === undefined ? shape : (description.definitions[shape.$ref.split('/').at(-1) ?? ''] ?? {});
  const properties = (shape: Shape): Record<string, Shape> => {
    const { allOf = [], properties: own = {} } = resolve(shape);
    return Object.assign({}, ...allOf.map(properties), own) as Record<string, Shape>;
  };
  const names = (shape: Shape, prefix = ''): string[] =>
    Object.entries(properties(shape)).flatMap(([name, field]) => {
      const full = resolve(field);
      const inside = full.type === 'array' && full.items !== undefined ? full.items : full;
      return [`${prefix}${name}`, ...names(inside, `${prefix}${name}.`)];
    });
  const endpoints = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => method !== 'parameters')
      .map((method) => `${method.toUpperCase()} ${path}`),
  );
  const exec = description.paths['/containers/{id}/exec']?.['post']?.parameters?.find((one) => one.in === 'body');
  assert.deepEqual(
    {
      endpoints,
      Config: names({ $ref: '#/definitions/ContainerConfig' }),
      HostConfig: names({ $ref: '#/definitions/HostConfig' }),
      EndpointSettings: names({ $ref: '#/definitions/EndpointSettings' }),
      Exec: names(exec?.schema ?? {}),
    },
    official,
  );
});
