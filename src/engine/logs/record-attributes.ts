import { extraAttributes } from './extra-attributes.ts';
import type { LogConfig } from './log-config.ts';
import type { LogSubject } from './log-subject.ts';
import { tagOf } from './log-tag.ts';

/**
 * What each record that is kept carries beside its text: the labels and variables that the options choose, and the tag. Only a `json-file` has room
 * for that.
 *
 * @throws `invalid` in Docker's words.
 */
export function recordAttributes({ Type, Config }: LogConfig, subject: LogSubject): Record<string, string> {
  if (Type !== 'json-file') return {};
  const attrs = extraAttributes(Config, subject);
  return (Config['tag'] ?? '') === '' ? attrs : { ...attrs, tag: tagOf(Config, subject) };
}
