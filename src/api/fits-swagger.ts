/** A part of Docker's API description (Swagger 2.0). */
export interface Shape {
  $ref?: string;
  type?: string;
  properties?: Record<string, Shape>;
  additionalProperties?: Shape | boolean;
  items?: Shape;
  allOf?: Shape[];
}

export interface Description {
  definitions: Record<string, Shape>;
  paths: Record<string, Record<string, { responses: Record<string, { schema?: Shape }> }>>;
}

/** The same with references followed and `allOf` merged. */
function resolve(api: Description, shape: Shape): Shape {
  const name = shape.$ref?.replace('#/definitions/', '');
  if (name !== undefined) return resolve(api, api.definitions[name] ?? {});
  if (!shape.allOf) return shape;
  const parts = [shape, ...shape.allOf.map((part) => resolve(api, part))];
  return { type: 'object', properties: Object.assign({}, ...parts.map((part) => part.properties ?? {})) };
}

const TYPES: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  integer: (value) => Number.isInteger(value),
  number: (value) => typeof value === 'number',
  array: Array.isArray,
  object: (value) => typeof value === 'object' && !Array.isArray(value),
};

/** Where a value's types differ from the description's, as `path: what`. Null fits everywhere, as Go writes it. */
export function misfits(api: Description, shape: Shape, value: unknown, path = '$'): string[] {
  if (value === null || value === undefined) return [];
  const { type, properties, items, additionalProperties } = resolve(api, shape);
  if (type !== undefined && TYPES[type]?.(value) === false) return [`${path}: not ${type}: ${JSON.stringify(value)}`];
  if (Array.isArray(value)) return value.flatMap((one, i) => (items ? misfits(api, items, one, `${path}[${i}]`) : []));
  if (typeof value !== 'object') return [];
  return Object.entries(value).flatMap(([key, one]) => {
    const rest = typeof additionalProperties === 'object' ? additionalProperties : {};
    return misfits(api, properties?.[key] ?? rest, one, `${path}.${key}`);
  });
}

/** Names of fields the description has and the value lacks, at the top. */
export function missing(api: Description, shape: Shape, value: object): string[] {
  return Object.keys(resolve(api, shape).properties ?? {}).filter((name) => !(name in value));
}
