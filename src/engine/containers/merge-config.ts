import { posix } from 'node:path';
import type { ContainerConfig, Healthcheck } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';

/**
 * Completes what the user asked for with what the image says, by Docker's rules: the user wins field by field, the
 * image's command counts only when the user gave neither command nor entrypoint, maps and environments are united.
 *
 * @throws `invalid` when neither names a command.
 */
export function mergeConfig(user: ContainerConfig, image: ContainerConfig): ContainerConfig {
  const { entrypoint, cmd } = mergeCommand(user, image);
  if (entrypoint === null && (cmd ?? []).length === 0) throw invalid('No command specified');
  return {
    ...user,
    Entrypoint: entrypoint,
    Cmd: cmd,
    User: user.User || image.User,
    WorkingDir: cleanPath(user.WorkingDir || image.WorkingDir),
    StopSignal: user.StopSignal || image.StopSignal,
    StopTimeout: user.StopTimeout ?? image.StopTimeout,
    Shell: user.Shell ?? image.Shell,
    OnBuild: user.OnBuild,
    Env: mergeEnv(user.Env, image.Env),
    Labels: { ...image.Labels, ...user.Labels },
    ExposedPorts: { ...image.ExposedPorts, ...user.ExposedPorts },
    Volumes: { ...image.Volumes, ...user.Volumes },
    Healthcheck: mergeHealthcheck(user.Healthcheck, image.Healthcheck),
  };
}

/** One that is not absolute is refused later, as it was written. */
const cleanPath = (path: string): string => (path.startsWith('/') ? posix.resolve(path) : path);

function mergeCommand(user: ContainerConfig, image: ContainerConfig) {
  const cmd = [...(user.Cmd ?? [])];
  if ((user.Entrypoint ?? []).length > 0) {
    // [""] is how a client says "no entrypoint, whatever the image has".
    const cleared = user.Entrypoint?.length === 1 && user.Entrypoint[0] === '';
    return { entrypoint: cleared ? null : user.Entrypoint, cmd: user.Cmd === null ? null : cmd };
  }
  return {
    entrypoint: user.Entrypoint === null && (image.Entrypoint ?? []).length > 0 ? image.Entrypoint : null,
    cmd: cmd.length > 0 ? cmd : image.Cmd,
  };
}

/** The user's variables first, then those of the image whose name the user did not give. */
function mergeEnv(user: readonly string[], image: readonly string[]): string[] {
  const name = (entry: string) => entry.split('=', 1)[0] ?? '';
  const given = new Set(user.map(name));
  return [...user, ...image.filter((entry) => !given.has(name(entry)))];
}

function mergeHealthcheck(user: Healthcheck | null, image: Healthcheck | null): Healthcheck | null {
  if (user === null || image === null) return user ?? image;
  return {
    Test: (user.Test ?? []).length > 0 ? user.Test : image.Test,
    Interval: user.Interval || image.Interval,
    Timeout: user.Timeout || image.Timeout,
    StartPeriod: user.StartPeriod || image.StartPeriod,
    StartInterval: user.StartInterval || image.StartInterval,
    Retries: user.Retries || image.Retries,
  };
}

/** The program and its arguments, as `inspect` shows them under Path and Args. */
export function commandLine(config: ContainerConfig): { path: string; args: string[] } {
  const [path = '', ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  return { path, args };
}
