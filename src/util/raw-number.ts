/** A number that JSON can carry and JavaScript cannot hold: `JSON.stringify` writes its digits as they are. */
export interface RawNumber {
  readonly rawJSON: string;
}

/** The types of the language do not know this function yet. Source: ECMAScript proposal "JSON.parse source text access". */
const json = JSON as unknown as { rawJSON(text: string): RawNumber };

/** Takes the digits of a whole number. */
export function rawNumber(digits: string): RawNumber {
  return json.rawJSON(digits);
}
