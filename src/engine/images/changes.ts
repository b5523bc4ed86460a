import { posix } from 'node:path';
import * as v from 'valibot';
import { type ContainerConfig, ContainerConfigSchema } from '../../spec/container.ts';
import { parseSignal } from '../../spec/signals.ts';
import { invalid } from '../../util/errors.ts';
import { exposedPorts } from './exposed-ports.ts';
import { parseHealthcheck } from './healthcheck.ts';
import { expandWord, jsonStrings, nameValues, splitWords } from './instruction-words.ts';

/** A config being changed and what its instructions see. */
interface Change {
  readonly config: ContainerConfig;
  readonly env: ReadonlyMap<string, string>;
  /** One of the instructions before gave the command. */
  readonly commanded: boolean;
}

type Apply = (text: string, change: Change) => void;

const needs = (command: string, text: string): void => {
  if (text === '') throw invalid(`${command} requires at least one argument`);
};

const exactlyOne = (command: string, text: string): void => {
  if (text === '') throw invalid(`${command} requires exactly one argument`);
};

/** As the shell's words unless it is JSON; without any word it is the shell alone. */
const shellOrJson = (text: string): string[] => jsonStrings(text) ?? ['/bin/sh', '-c', ...(text === '' ? [] : [text])];

const instructions: Record<string, Apply> = {
  CMD: (text, { config }) => {
    config.Cmd = shellOrJson(text);
  },
  ENTRYPOINT: (text, { config, commanded }) => {
    // The arguments of what ran before are none of what runs now.
    if (!commanded) config.Cmd = null;
    const words = text === '' ? [] : shellOrJson(text);
    config.Entrypoint = words.length === 0 ? null : words;
  },
  ENV: (text, { config, env }) => {
    needs('ENV', text);
    for (const [name, value] of nameValues('ENV', text, env)) {
      const entry = `${name}=${value}`;
      const at = config.Env.findIndex((old) => old.startsWith(`${name}=`));
      config.Env = at < 0 ? [...config.Env, entry] : config.Env.with(at, entry);
    }
  },
  EXPOSE: (text, { config, env }) => {
    needs('EXPOSE', text);
    const ports = splitWords(text).flatMap((word) => exposedPorts(expandWord(word, env)));
    for (const port of ports) config.ExposedPorts[port] = {};
  },
  HEALTHCHECK: (text, { config }) => {
    needs('HEALTHCHECK', text);
    config.Healthcheck = parseHealthcheck(text);
  },
  LABEL: (text, { config, env }) => {
    needs('LABEL', text);
    for (const [name, value] of nameValues('LABEL', text, env)) config.Labels[name] = value;
  },
  ONBUILD: (text, { config }) => {
    needs('ONBUILD', text);
    const trigger = (/^\S+/.exec(text)?.[0] ?? '').toUpperCase();
    if (trigger === 'ONBUILD') throw invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
    if (trigger === 'FROM' || trigger === 'MAINTAINER') throw invalid(`${trigger} isn't allowed as an ONBUILD trigger`);
    config.OnBuild = [...(config.OnBuild ?? []), text];
  },
  STOPSIGNAL: (text, { config, env }) => {
    exactlyOne('STOPSIGNAL', text);
    const signal = expandWord(text, env);
    parseSignal(signal);
    config.StopSignal = signal;
  },
  USER: (text, { config, env }) => {
    exactlyOne('USER', text);
    config.User = expandWord(text, env);
  },
  VOLUME: (text, { config, env }) => {
    const volumes = jsonStrings(text) ?? splitWords(text).map((word) => expandWord(word, env));
    if (volumes.length === 0) throw invalid('VOLUME requires at least one argument');
    for (const volume of volumes) {
      if (volume.trim() === '') throw invalid('VOLUME specified can not be an empty string');
      config.Volumes[volume.trim()] = {};
    }
  },
  WORKDIR: (text, { config, env }) => {
    exactlyOne('WORKDIR', text);
    config.WorkingDir = posix.resolve('/', config.WorkingDir, expandWord(text, env));
  },
};

/** Instructions, continuation lines joined, comments and empty lines left out. */
function linesOf(changes: readonly string[]): string[] {
  const lines = changes
    .join('\n')
    .split('\n')
    .filter((line) => !/^\s*#/.test(line));
  const joined = lines.join('\n').replace(/\\[ \t]*\n/g, '');
  return joined
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/**
 * The config that the instructions of `--change` make of another, an empty one if none is given.
 *
 * @throws `invalid` in Docker's words, e.g. `run is not a valid change command`.
 */
export function applyChanges(changes: readonly string[], base?: ContainerConfig): ContainerConfig {
  const config = base === undefined ? v.parse(ContainerConfigSchema, {}) : structuredClone(base);
  const lines = linesOf(changes);
  if (changes.length > 0 && lines.length === 0) throw invalid('file with no instructions');
  const parsed = lines.map((line) => {
    const name = /^\S+/.exec(line)?.[0] ?? '';
    const apply = instructions[name.toUpperCase()];
    if (apply === undefined) throw invalid(`${name.toLowerCase()} is not a valid change command`);
    return { name: name.toUpperCase(), apply, text: line.slice(name.length).trim() };
  });
  for (const [i, { apply, text }] of parsed.entries()) {
    const commanded = parsed.slice(0, i).some((before) => before.name === 'CMD');
    apply(text, { config, env: environment(config), commanded });
  }
  return config;
}

function environment(config: ContainerConfig): Map<string, string> {
  return new Map(config.Env.map((entry) => [entry.split('=')[0] ?? '', entry.slice(entry.indexOf('=') + 1)]));
}
