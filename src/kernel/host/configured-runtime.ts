import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from '../../util/errors.ts';
import { writeFileAtomic } from '../../util/files.ts';
import type { RuntimeBinary } from '../shim/task-types.ts';
import { findProgram } from './find-program.ts';

/** A runtime as `daemon.json` describes it: a program with arguments, or containerd's shim for runc with options. */
export interface RuntimeWish {
  readonly path?: string | undefined;
  readonly runtimeArgs?: readonly string[] | undefined;
  readonly runtimeType?: string | undefined;
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

export interface RuntimeDirs {
  /** Where runtimes keep the state of containers, a directory each. */
  readonly state: string;
  /** On a file system whose programs may be run, which that of the exec root need not be. */
  readonly scripts: string;
}

/** The shim the engine has; another one would be another engine's. */
const SHIM = 'io.containerd.runc.v2';

/**
 * Makes a runtime out of its description. Arguments go into a script that stands for the program, since the shim hands on
 * none.
 *
 * @throws `invalid` in dockerd's words for a description that makes no sense, or a program that is not there.
 */
export async function configuredRuntime(name: string, wish: RuntimeWish, dirs: RuntimeDirs): Promise<RuntimeBinary> {
  const { path = '', runtimeArgs = [], runtimeType = '', options = {} } = wish;
  const fail = (why: string) => invalid(`runtime ${name}: ${why}`);
  if (name === 'runc') throw invalid("runtime name 'runc' is reserved");
  if (path === '' && runtimeType === '') throw fail('either a runtimeType or a path must be configured');
  if (path !== '' && runtimeType !== '') throw fail('cannot configure both path and runtimeType for the same runtime');
  if (path !== '' && Object.keys(options).length > 0) throw fail('options cannot be used with a path runtime');
  if (path === '' && runtimeArgs.length > 0) throw fail('args cannot be used with a runtimeType runtime');
  if (path === '') return ofShim(runtimeType, options, join(dirs.state, name), fail);
  const found = program(path, fail);
  const binary = runtimeArgs.length === 0 ? found : await script(dirs.scripts, name, [found, ...runtimeArgs]);
  return { binary, root: join(dirs.state, name) };
}

function ofShim(
  type: string,
  options: Readonly<Record<string, unknown>>,
  root: string,
  fail: (why: string) => Error,
): RuntimeBinary {
  if (type !== SHIM) throw fail(`runtimeType ${type} is not supported, only ${SHIM}`);
  const { BinaryName = 'runc', Root = root, ...others } = options;
  const [other] = Object.keys(others);
  if (other !== undefined) throw fail(`option ${other} is not supported, only BinaryName and Root`);
  if (typeof BinaryName !== 'string' || typeof Root !== 'string') throw fail('BinaryName and Root must be strings');
  return { binary: program(BinaryName, fail), root: Root };
}

function program(path: string, fail: (why: string) => Error): string {
  const binary = findProgram(path);
  if (binary === '') throw fail(`"${path}" is not an executable file`);
  return binary;
}

async function script(dir: string, name: string, command: readonly string[]): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, name);
  const words = command.map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  await writeFileAtomic(path, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, 0o700);
  return path;
}
