import type { HostDevice } from '../../kernel/host/host-devices.ts';
import type { HostFacts } from '../../kernel/host/host-facts.ts';
import type { DeviceMapping, HostConfig } from '../../spec/container.ts';
import type { OciDevice, OciDeviceRule } from '../../spec/oci.ts';
import { invalid } from '../../util/errors.ts';

interface ContainerDevices {
  /** Made in the container's /dev beside those the runtime always makes. */
  readonly devices: OciDevice[];
  /** What the device cgroup lets through; later rules win. */
  readonly rules: OciDeviceRule[];
}

type Wanted = Pick<HostConfig, 'Privileged' | 'Devices' | 'DeviceCgroupRules'>;

const allow = (major: number, minor: number): OciDeviceRule => ({
  allow: true,
  type: 'c',
  major,
  minor,
  access: 'rwm',
});

/** zero, null, urandom, random, tty, console; and no FUSE, whose mounts would outlive their server. */
const DEFAULT_RULES: readonly OciDeviceRule[] = [
  { allow: false, access: 'rwm' },
  allow(1, 5),
  allow(1, 3),
  allow(1, 9),
  allow(1, 8),
  allow(5, 0),
  allow(5, 1),
  { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' },
];

/**
 * The devices of a container: those it maps, all of the host's when it is privileged.
 *
 * @throws `invalid` in Docker's words for a path without a device, or a rule that cannot be read.
 */
export function containerDevices(wanted: Wanted, host: Pick<HostFacts, 'devicesAt'>): ContainerDevices {
  if (wanted.Privileged) return privileged(wanted, host);
  const mapped = (wanted.Devices ?? []).flatMap((mapping) => mapDevice(mapping, host));
  const rules = mapped.map(({ device, access }) => ({
    allow: true,
    type: device.type === 'b' ? ('b' as const) : ('c' as const),
    major: device.major,
    minor: device.minor,
    access,
  }));
  return {
    devices: mapped.map(({ device }) => device),
    rules: [...DEFAULT_RULES, ...rules, ...(wanted.DeviceCgroupRules ?? []).map(parseDeviceRule)],
  };
}

/** A privileged container finds the host's devices where the host has them, and a mapped one also at its other path. */
function privileged({ Devices }: Wanted, host: Pick<HostFacts, 'devicesAt'>): ContainerDevices {
  const all = host.devicesAt('/dev');
  const own = all.kind === 'directory' ? all.devices.map((device) => toOci(device, device.path)) : [];
  const moved = (Devices ?? []).filter(({ PathOnHost, PathInContainer }) => PathOnHost !== PathInContainer);
  return {
    devices: [...own, ...moved.flatMap((mapping) => mapDevice(mapping, host).map(({ device }) => device))],
    rules: [{ allow: true, access: 'rwm' }],
  };
}

function mapDevice(
  mapping: DeviceMapping,
  host: Pick<HostFacts, 'devicesAt'>,
): { device: OciDevice; access: string }[] {
  const { PathOnHost: from, PathInContainer } = mapping;
  const to = PathInContainer || from;
  const access = mapping.CgroupPermissions || 'rwm';
  const found = host.devicesAt(from);
  const failed = (why: string) =>
    invalid(`error gathering device information while adding custom device "${from}": ${why}`);
  if (found.kind === 'missing') throw failed('no such file or directory');
  if (found.kind === 'device') return [{ device: toOci(found.device, to), access }];
  if (found.kind === 'other' || found.devices.length === 0) throw failed('not a device node');
  return found.devices.map((device) => ({
    device: toOci(
      device,
      device.path.replace(from, () => to),
    ),
    access,
  }));
}

function toOci({ type, major, minor, mode, uid, gid }: HostDevice, path: string): OciDevice {
  return { path, type, major, minor, fileMode: mode, uid, gid };
}

const RULE = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/;

/** `c 1:3 rwm`, `*` standing for any number. @throws `invalid` in Docker's words. */
export function parseDeviceRule(rule: string): OciDeviceRule {
  const [, type, major, minor, access = ''] = RULE.exec(rule) ?? [];
  const wrong = (what: string) => invalid(`invalid ${what}device cgroup rule format: '${rule}'`);
  if (type !== 'a' && type !== 'b' && type !== 'c') throw wrong('');
  const number = (name: string, text: string | undefined): number => {
    const value = text === '*' ? -1 : Number(text);
    if (!Number.isSafeInteger(value)) throw wrong(`${name} value in `);
    return value;
  };
  return { allow: true, type, major: number('major', major), minor: number('minor', minor), access };
}
