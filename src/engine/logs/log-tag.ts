import { hostname } from 'node:os';
import { invalid } from '../../util/errors.ts';
import { shortId } from '../../util/id.ts';

/** What a log's tag and attributes can be made of. */
export interface LogSubject {
  id: string;
  /** Without slash. */
  name: string;
  imageId: string;
  imageName: string;
  /** RFC 3339. */
  created: string;
  /** The process and its arguments. */
  command: readonly string[];
  labels: Readonly<Record<string, string>>;
  /** `NAME=value`. */
  env: readonly string[];
}

const FIELDS: Readonly<Record<string, (subject: LogSubject) => string>> = {
  ID: ({ id }) => shortId(id),
  FullID: ({ id }) => id,
  Name: ({ name }) => name,
  ImageID: ({ imageId }) => shortId(imageId),
  ImageFullID: ({ imageId }) => imageId,
  ImageName: ({ imageName }) => imageName,
  Command: ({ command }) => command.join(' '),
  DaemonName: () => 'docker',
  Hostname: () => hostname(),
  ContainerID: ({ id }) => id,
  ContainerName: ({ name }) => `/${name}`,
  ContainerImageID: ({ imageId }) => imageId,
  ContainerImageName: ({ imageName }) => imageName,
};

type Part = string | ((subject: LogSubject) => string);

/**
 * Parses the `tag` option: text with fields such as `{{.Name}}`, the part of Go's templates that log tags use.
 *
 * @throws `invalid` for anything else.
 */
export function parseTag(template: string): Part[] {
  const parts: Part[] = [];
  for (let at = 0; at < template.length; ) {
    const open = template.indexOf('{{', at);
    if (open === -1) return [...parts, template.slice(at)];
    const close = template.indexOf('}}', open);
    if (close === -1) throw invalid('template: log-tag:1: unclosed action');
    parts.push(template.slice(at, open), parseField(template.slice(open + 2, close).trim()));
    at = close + 2;
  }
  return parts;
}

function parseField(action: string): Part {
  const name = /^\.(\w+)$/.exec(action)?.[1];
  if (name === undefined)
    throw invalid(`template: log-tag:1: only fields such as {{.Name}} are supported: {{${action}}}`);
  if (name === 'ExtraAttributes') {
    throw invalid(
      'template: log-tag:1:2: executing "log-tag" at <.ExtraAttributes>: wrong number of args for ExtraAttributes: want 1 got 0',
    );
  }
  const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  if (field === undefined) {
    throw invalid(
      `template: log-tag:1:2: executing "log-tag" at <.${name}>: can't evaluate field ${name} in type *logger.Info`,
    );
  }
  return field;
}

/** What the options `labels` and `env` and their patterns choose of a container. */
export function extraAttributes(config: Readonly<Record<string, string>>, subject: LogSubject): Record<string, string> {
  const env = Object.fromEntries(subject.env.filter((entry) => entry.includes('=')).map(splitEnv));
  return {
    ...pick(subject.labels, config['labels'], config['labels-regex']),
    ...pick(env, config['env'], config['env-regex']),
  };
}

/** The tag of a container's messages; its short id when no other was asked for. */
export function tagOf(config: Readonly<Record<string, string>>, subject: LogSubject): string {
  const parts = parseTag(config['tag'] || '{{.ID}}');
  return parts.map((part) => (typeof part === 'string' ? part : part(subject))).join('');
}

/** What the options `labels`, `env`, their patterns and `tag` add to each record of a container's log. */
export function logAttributes(config: Readonly<Record<string, string>>, subject: LogSubject): Record<string, string> {
  const attrs = extraAttributes(config, subject);
  return (config['tag'] ?? '') === '' ? attrs : { ...attrs, tag: tagOf(config, subject) };
}

function splitEnv(entry: string): [string, string] {
  const at = entry.indexOf('=');
  return [entry.slice(0, at), entry.slice(at + 1)];
}

function pick(values: Readonly<Record<string, string>>, names = '', pattern = ''): Record<string, string> {
  const listed = names.split(',');
  const matches = pattern === '' ? () => false : (name: string) => new RegExp(pattern).test(name);
  return Object.fromEntries(Object.entries(values).filter(([name]) => listed.includes(name) || matches(name)));
}
