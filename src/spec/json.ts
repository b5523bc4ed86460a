import * as v from 'valibot';

// Docker's bodies are decoded by Go: a missing field, `null` and the zero value mean the same. These builders give every
// field its zero value, so that the inside of the engine never meets `undefined` or `null` where Docker has none.

/** A string; missing or null is `""`. */
export const text = () =>
  v.optional(
    v.pipe(
      v.nullable(v.string()),
      v.transform((s) => s ?? ''),
    ),
    '',
  );

/** A boolean; missing or null is `false`. */
export const flag = () =>
  v.optional(
    v.pipe(
      v.nullable(v.boolean()),
      v.transform((b) => b ?? false),
    ),
    false,
  );

/** A whole number of 64 bits; JavaScript's have but 53, so the last digits of large ones are not kept. */
export const int64 = () => v.pipe(v.number(), v.integer(), v.gtValue(-(2 ** 63)), v.ltValue(2 ** 63));

/** As `int64`; missing or null is `0`. */
export const int = () =>
  v.optional(
    v.pipe(
      v.nullable(int64()),
      v.transform((n) => n ?? 0),
    ),
    0,
  );

/** As `int`, but never below zero: what Go holds as an unsigned number, of 16 bits where `max` says so. */
export const uint = (max: number = 2 ** 63) =>
  v.optional(
    v.pipe(
      v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max))),
      v.transform((n) => n ?? 0),
    ),
    0,
  );

/** Height and width of a terminal in characters; missing is `null`. As in Go too few numbers are filled up with zeros, and too many cut off. */
export const sizeOrNull = () => {
  const length = v.pipe(v.number(), v.integer(), v.minValue(0));
  return v.optional(
    v.pipe(
      v.nullable(v.array(length)),
      v.transform((size): [number, number] | null => size && [size[0] ?? 0, size[1] ?? 0]),
    ),
    null,
  );
};

/** A list; missing or null is `[]`. */
export const list = <S extends v.GenericSchema>(item: S) =>
  v.optional(
    v.pipe(
      v.nullable(v.array(item)),
      v.transform((items) => items ?? []),
    ),
    [],
  );

/** A list for which "not given" differs from "given and empty"; missing is `null`. */
export const listOrNull = <S extends v.GenericSchema>(item: S) => v.optional(v.nullable(v.array(item)), null);

/** A map from names; missing or null is `{}`. */
export const mapOf = <S extends v.GenericSchema>(item: S) =>
  v.optional(
    v.pipe(
      v.nullable(v.record(v.string(), item)),
      v.transform((map): Record<string, v.InferOutput<S>> => map ?? {}),
    ),
    {},
  );

/** A value for which "not given" differs from the zero value; missing is `null`. */
export const orNull = <S extends v.GenericSchema>(item: S) => v.optional(v.nullable(item), null);

/** The `{}` that Docker uses as the value of a set. */
export const emptyObject = () =>
  v.pipe(
    v.nullable(v.object({})),
    v.transform(() => ({})),
  );
