import type { ContainerConfig } from '../../spec/container.ts';
import type { Platform } from '../../spec/image.ts';

/** What a new image config says. */
export interface NewConfig {
  readonly config: ContainerConfig;
  readonly platform: Platform;
  /** RFC 3339. */
  readonly created: string;
  readonly comment: string;
  readonly createdBy?: string;
  readonly diffIds: readonly string[];
}

/** The bytes of an image config with the fields dockerd writes, in its order. */
export function dockerConfig(image: NewConfig): Buffer {
  const { platform, created, comment, createdBy } = image;
  return Buffer.from(
    JSON.stringify({
      architecture: platform.architecture,
      ...(comment === '' ? {} : { comment }),
      config: configFields(image.config),
      created,
      history: [
        {
          created,
          ...(createdBy === undefined ? {} : { created_by: createdBy }),
          ...(comment === '' ? {} : { comment }),
        },
      ],
      os: platform.os,
      rootfs: { type: 'layers', diff_ids: image.diffIds },
      ...(platform.variant === undefined || platform.variant === '' ? {} : { variant: platform.variant }),
    }),
  );
}

const orNull = <T extends object>(map: T): T | null => (Object.keys(map).length === 0 ? null : map);

/** A config with the fields dockerd writes, in its order. */
export function configFields(config: ContainerConfig): Record<string, unknown> {
  const { Healthcheck: check } = config;
  return {
    Hostname: config.Hostname,
    Domainname: config.Domainname,
    User: config.User,
    AttachStdin: config.AttachStdin,
    AttachStdout: config.AttachStdout,
    AttachStderr: config.AttachStderr,
    ...(orNull(config.ExposedPorts) === null ? {} : { ExposedPorts: sorted(config.ExposedPorts) }),
    Tty: config.Tty,
    OpenStdin: config.OpenStdin,
    StdinOnce: config.StdinOnce,
    Env: orNull(config.Env),
    Cmd: config.Cmd,
    ...(check === null
      ? {}
      : { Healthcheck: Object.fromEntries(Object.entries(check).filter(([, value]) => value !== 0)) }),
    Image: config.Image,
    Volumes: orNull(sorted(config.Volumes)),
    WorkingDir: config.WorkingDir,
    Entrypoint: config.Entrypoint,
    OnBuild: config.OnBuild,
    Labels: orNull(sorted(config.Labels)),
    ...(config.StopSignal === '' ? {} : { StopSignal: config.StopSignal }),
    ...(config.StopTimeout === null ? {} : { StopTimeout: config.StopTimeout }),
    ...(config.Shell === null ? {} : { Shell: config.Shell }),
  };
}

/** Go writes the keys of a map in order. */
function sorted<T>(map: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => Number(a > b) - Number(a < b)));
}
