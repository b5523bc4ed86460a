/** Something that takes any bytes. */
export interface FuzzTarget {
  readonly name: string;
  /** Paths of the source files whose coverage guides the search. */
  readonly files: RegExp;
  readonly seeds: readonly Buffer[];
  /** A variation of an input. @param other another input, to take parts from. */
  mutate(input: Buffer, other: Buffer, below: (limit: number) => number): Buffer;
  /** @throws when the bytes make it misbehave; what it refuses as it should is no error. */
  run(input: Buffer): Promise<void>;
}
