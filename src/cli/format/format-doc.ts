const END = `Refer to https://docs.docker.com/go/formatting/ for more information about formatting output with templates`;

const OBJECT = `'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template.
${END}`;

/** The text of `--format` for commands that print objects. */
export const OBJECT_FORMAT_DOC = `Format output using a custom template:
${OBJECT}`;

/** The text of `--format` for commands that print tables. */
export const TABLE_FORMAT_DOC = `Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
${OBJECT}`;
