/** The fields of one CSV line: `a,"b,c",d`. @throws when a quote is not closed. */
export function csvFields(line: string): string[] {
  const fields: string[] = [];
  let at = 0;
  do {
    const quoted = /^"((?:[^"]|"")*)"(?=,|$)/.exec(line.slice(at));
    if (quoted !== null) {
      fields.push((quoted[1] ?? '').replaceAll('""', '"'));
      at += quoted[0].length + 1;
      continue;
    }
    const end = line.indexOf(',', at);
    const field = line.slice(at, end < 0 ? undefined : end);
    if (field.includes('"'))
      throw new Error(`parse error on line 1, column ${at + field.indexOf('"') + 1}: bare " in non-quoted-field`);
    fields.push(field);
    at = end < 0 ? line.length + 1 : end + 1;
  } while (at <= line.length);
  return fields;
}
