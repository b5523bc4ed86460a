import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goJsonFault } from './go-json-fault.ts';

/** What Go 1.19 and later say of each. */
const FAULTS: Record<string, string> = {
  '{invalid': `invalid character 'i' looking for beginning of object key string`,
  '{"a" 1}': `invalid character '1' after object key`,
  '{"a":1 2}': `invalid character '2' after object key:value pair`,
  '{"a":1,}': `invalid character '}' looking for beginning of object key string`,
  '[1,]': `invalid character ']' looking for beginning of value`,
  '[1 2]': `invalid character '2' after array element`,
  '{} {}': `invalid character '{' after top-level value`,
  nul1: `invalid character '1' in literal null (expecting 'l')`,
  '01': `invalid character '1' after top-level value`,
  '-x': `invalid character 'x' in numeric literal`,
  '1.x': `invalid character 'x' after decimal point in numeric literal`,
  '1ex': `invalid character 'x' in exponent of numeric literal`,
  '"\n"': `invalid character '\\n' in string literal`,
  '"\\x"': `invalid character 'x' in string escape code`,
  '"\\u00g0"': `invalid character 'g' in \\u hexadecimal character escape`,
  "'a'": `invalid character '\\'' looking for beginning of value`,
  '\u0001': `invalid character '\\x01' looking for beginning of value`,
  é: `invalid character 'Ã' looking for beginning of value`,
  '{"a":': 'unexpected EOF',
  '"abc': 'unexpected EOF',
};

test('a text that is not JSON is told in the words of Go’s decoder', () => {
  for (const [text, fault] of Object.entries(FAULTS)) assert.equal(goJsonFault(text), fault, text);
});

test('JSON has no fault', () => {
  for (const text of ['{}', ' [ 1 , -0.5e+3, "\\u00e9\\n" ] ', '{"a":{"b":[true,false,null]}}', '"é"', '0']) {
    assert.equal(goJsonFault(text), undefined, text);
    JSON.parse(text);
  }
});
