const WORDS = new Map<string, boolean>([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false] as const),
]);

/** A boolean as Go's strconv.ParseBool reads it; undefined for anything else. */
export function goBool(text: string): boolean | undefined {
  return WORDS.get(text);
}
