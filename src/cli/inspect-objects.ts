import { parseExact } from '../client/json-stream.ts';
import { messageOf } from '../util/errors.ts';
import { compileTemplate, type Template } from '../util/template/template.ts';
import { type CommandContext, ExitError } from './command.ts';
import { indentJson } from './format/indent-json.ts';

/**
 * Prints objects as one JSON list, as the engine wrote them, or each by a template. What cannot be found is reported
 * after the rest has been printed.
 *
 * @throws `ExitError` with all problems.
 */
export async function inspectObjects(
  context: CommandContext,
  names: readonly string[],
  format: string,
  fetch: (name: string) => Promise<string>,
): Promise<number> {
  const template = format === '' || format === 'json' ? undefined : compile(format);
  const found: string[] = [];
  const problems: string[] = [];
  for (const name of names) {
    try {
      found.push(await fetch(name));
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  try {
    if (template !== undefined) context.out(found.map((raw) => `${template.execute(parseExact(raw))}\n`).join(''));
    else if (format === 'json') context.out(`[${found.map((raw) => raw.trim()).join(',')}]\n`);
    else context.out(`${indentJson(`[${found.join(',')}]`)}\n`);
  } catch (error) {
    context.out('\n');
    throw new ExitError(1, `template parsing error: ${messageOf(error)}`);
  }
  if (problems.length > 0) throw new ExitError(1, problems.join('\n'));
  return 0;
}

function compile(format: string): Template {
  try {
    return compileTemplate(format, { missingKey: 'error' });
  } catch (error) {
    throw new ExitError(64, `template parsing error: ${messageOf(error)}`);
  }
}
