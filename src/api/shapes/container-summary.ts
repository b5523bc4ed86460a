import type { Container } from '../../engine/containers/model.ts';
import { networkEndpoints } from './endpoint.ts';
import { mountPoint } from './mount.ts';
import { portSummaries } from './ports.ts';
import { statusText } from './status.ts';

/** The command as one line; arguments with blanks in single quotes. */
export function commandLine(path: string, args: readonly string[]): string {
  return [path, ...args.map((arg) => (arg.includes(' ') ? `'${arg}'` : arg))].join(' ');
}

/** Seconds since the epoch of an RFC 3339 time. */
export const unixSeconds = (time: string): number => Math.floor(Date.parse(time) / 1000);

/** One item of `GET /containers/json`. `image` is the name to show; `now` in milliseconds since the epoch. */
export function containerSummary(c: Container, o: { image: string; now: number; api: number }) {
  const { Annotations } = c.hostConfig;
  return {
    Id: c.id,
    Names: [`/${c.name}`],
    Image: o.image,
    ImageID: c.imageId,
    Command: commandLine(c.path, c.args),
    Created: unixSeconds(c.created),
    Ports: portSummaries(c.ports),
    Labels: c.config.Labels,
    State: c.state.status,
    Status: statusText(c.state, o.now),
    HostConfig: {
      NetworkMode: c.hostConfig.NetworkMode,
      ...(o.api >= 46 && Object.keys(Annotations).length > 0 ? { Annotations } : {}),
    },
    NetworkSettings: { Networks: networkEndpoints(c, o.api) },
    Mounts: c.mounts.map(mountPoint),
  };
}
