import * as v from 'valibot';
import { emptyObject, flag, int, int64, list, listOrNull, mapOf, orNull, sizeOrNull, text, uint } from './json.ts';

/** A command: Docker accepts a bare string where it means a list of one. */
const command = () =>
  v.optional(
    v.pipe(
      v.nullable(v.union([v.string(), v.array(v.string())])),
      v.transform((value) => (typeof value === 'string' ? [value] : value)),
    ),
    null,
  );

/** Durations are in nanoseconds. */
export const HealthcheckSchema = v.object({
  Test: listOrNull(v.string()),
  Interval: int(),
  Timeout: int(),
  StartPeriod: int(),
  StartInterval: int(),
  Retries: int(),
});
export type Healthcheck = v.InferOutput<typeof HealthcheckSchema>;

/** What a container runs: the portable half, also found in image configs under `config`. */
export const ContainerConfigSchema = v.object({
  Hostname: text(),
  Domainname: text(),
  User: text(),
  AttachStdin: flag(),
  AttachStdout: flag(),
  AttachStderr: flag(),
  ExposedPorts: mapOf(emptyObject()),
  Tty: flag(),
  OpenStdin: flag(),
  StdinOnce: flag(),
  Env: list(v.string()),
  Cmd: command(),
  Healthcheck: orNull(HealthcheckSchema),
  ArgsEscaped: flag(),
  Image: text(),
  Volumes: mapOf(emptyObject()),
  WorkingDir: text(),
  Entrypoint: command(),
  NetworkDisabled: flag(),
  MacAddress: text(),
  OnBuild: listOrNull(v.string()),
  Labels: mapOf(v.string()),
  StopSignal: text(),
  StopTimeout: orNull(int64()),
  Shell: listOrNull(v.string()),
});
export type ContainerConfig = v.InferOutput<typeof ContainerConfigSchema>;

export const PortBindingSchema = v.object({ HostIp: text(), HostPort: text() });
export type PortBinding = v.InferOutput<typeof PortBindingSchema>;

export const RestartPolicySchema = v.object({ Name: text(), MaximumRetryCount: int() });
export type RestartPolicy = v.InferOutput<typeof RestartPolicySchema>;

const restartPolicy = () =>
  v.optional(
    v.pipe(
      v.nullable(RestartPolicySchema),
      v.transform((value) => value ?? { Name: '', MaximumRetryCount: 0 }),
    ),
    { Name: '', MaximumRetryCount: 0 },
  );

export const MountSchema = v.object({
  Type: text(),
  Source: text(),
  Target: text(),
  ReadOnly: flag(),
  Consistency: text(),
  BindOptions: orNull(
    v.object({
      Propagation: text(),
      NonRecursive: flag(),
      CreateMountpoint: flag(),
      ReadOnlyNonRecursive: flag(),
      ReadOnlyForceRecursive: flag(),
    }),
  ),
  VolumeOptions: orNull(
    v.object({
      NoCopy: flag(),
      Labels: mapOf(v.string()),
      DriverConfig: orNull(v.object({ Name: text(), Options: mapOf(v.string()) })),
      Subpath: text(),
    }),
  ),
  ImageOptions: orNull(v.object({ Subpath: text() })),
  TmpfsOptions: orNull(v.object({ SizeBytes: int(), Mode: uint(), Options: listOrNull(v.array(v.string())) })),
});
export type MountPoint = v.InferOutput<typeof MountSchema>;

const WeightDeviceSchema = v.object({ Path: text(), Weight: uint(0xffff) });
const ThrottleDeviceSchema = v.object({ Path: text(), Rate: uint() });

const DeviceMappingSchema = v.object({ PathOnHost: text(), PathInContainer: text(), CgroupPermissions: text() });
export type DeviceMapping = v.InferOutput<typeof DeviceMappingSchema>;

/** -1 is unlimited. */
const UlimitSchema = v.object({ Name: text(), Soft: int(), Hard: int() });
export type Ulimit = v.InferOutput<typeof UlimitSchema>;

/** Limits, also the body of `POST /containers/{id}/update`. Memory in bytes, times in microseconds, `NanoCpus` in 1e-9 CPU. */
export const resourceFields = {
  CpuShares: int(),
  Memory: int(),
  NanoCpus: int(),
  CgroupParent: text(),
  BlkioWeight: uint(0xffff),
  BlkioWeightDevice: listOrNull(WeightDeviceSchema),
  BlkioDeviceReadBps: listOrNull(ThrottleDeviceSchema),
  BlkioDeviceWriteBps: listOrNull(ThrottleDeviceSchema),
  BlkioDeviceReadIOps: listOrNull(ThrottleDeviceSchema),
  BlkioDeviceWriteIOps: listOrNull(ThrottleDeviceSchema),
  CpuPeriod: int(),
  CpuQuota: int(),
  CpuRealtimePeriod: int(),
  CpuRealtimeRuntime: int(),
  CpusetCpus: text(),
  CpusetMems: text(),
  Devices: listOrNull(DeviceMappingSchema),
  DeviceCgroupRules: listOrNull(v.string()),
  DeviceRequests: listOrNull(
    v.object({
      Driver: text(),
      Count: int(),
      DeviceIDs: listOrNull(v.string()),
      Capabilities: listOrNull(v.array(v.string())),
      Options: orNull(mapOf(v.string())),
    }),
  ),
  MemoryReservation: int(),
  MemorySwap: int(),
  MemorySwappiness: orNull(int64()),
  OomKillDisable: orNull(v.boolean()),
  PidsLimit: orNull(int64()),
  Ulimits: listOrNull(UlimitSchema),
  CpuCount: int(),
  CpuPercent: int(),
  IOMaximumIOps: uint(),
  IOMaximumBandwidth: uint(),
};

/** Limits that kernels do not have any more. */
const kernelMemory = { KernelMemory: int(), KernelMemoryTCP: int() };

/** How a container is tied to this host. Its fields are in Docker's order, which `inspect` shows. */
export const HostConfigSchema = v.object({
  Binds: listOrNull(v.string()),
  ContainerIDFile: text(),
  LogConfig: v.optional(
    v.pipe(
      v.nullable(v.object({ Type: text(), Config: mapOf(v.string()) })),
      v.transform((value) => value ?? { Type: '', Config: {} }),
    ),
    { Type: '', Config: {} },
  ),
  NetworkMode: text(),
  PortBindings: mapOf(
    v.pipe(
      v.nullable(v.array(PortBindingSchema)),
      v.transform((bindings) => bindings ?? []),
    ),
  ),
  RestartPolicy: restartPolicy(),
  AutoRemove: flag(),
  VolumeDriver: text(),
  VolumesFrom: listOrNull(v.string()),
  ConsoleSize: v.pipe(
    sizeOrNull(),
    v.transform((size): [number, number] => size ?? [0, 0]),
  ),
  Annotations: mapOf(v.string()),
  CapAdd: listOrNull(v.string()),
  CapDrop: listOrNull(v.string()),
  CgroupnsMode: text(),
  Dns: list(v.string()),
  DnsOptions: list(v.string()),
  DnsSearch: list(v.string()),
  ExtraHosts: listOrNull(v.string()),
  GroupAdd: listOrNull(v.string()),
  IpcMode: text(),
  Cgroup: text(),
  Links: listOrNull(v.string()),
  OomScoreAdj: int(),
  PidMode: text(),
  Privileged: flag(),
  PublishAllPorts: flag(),
  ReadonlyRootfs: flag(),
  SecurityOpt: listOrNull(v.string()),
  StorageOpt: mapOf(v.string()),
  Tmpfs: mapOf(v.string()),
  UTSMode: text(),
  UsernsMode: text(),
  ShmSize: int(),
  Sysctls: mapOf(v.string()),
  Runtime: text(),
  Isolation: text(),
  ...resourceFields,
  ...kernelMemory,
  Mounts: list(MountSchema),
  MaskedPaths: listOrNull(v.string()),
  ReadonlyPaths: listOrNull(v.string()),
  Init: orNull(v.boolean()),
});
export type HostConfig = v.InferOutput<typeof HostConfigSchema>;

/** What a container asks of one network. */
export const EndpointConfigSchema = v.object({
  IPAMConfig: orNull(v.object({ IPv4Address: text(), IPv6Address: text(), LinkLocalIPs: listOrNull(v.string()) })),
  Links: listOrNull(v.string()),
  Aliases: listOrNull(v.string()),
  MacAddress: text(),
  DriverOpts: mapOf(v.string()),
  GwPriority: int(),
});
export type EndpointConfig = v.InferOutput<typeof EndpointConfigSchema>;

/** `POST /containers/create`: the config's fields at the top level with two groups beside them. */
export const CreateBodySchema = v.object({
  ...ContainerConfigSchema.entries,
  HostConfig: orNull(HostConfigSchema),
  NetworkingConfig: orNull(v.object({ EndpointsConfig: mapOf(v.nullable(EndpointConfigSchema)) })),
});

/** `POST /containers/{id}/update`: what is zero, empty or missing stays as it is. */
export const UpdateBodySchema = v.object({ ...resourceFields, ...kernelMemory, RestartPolicy: restartPolicy() });
export type UpdateBody = v.InferOutput<typeof UpdateBodySchema>;

/** `POST /containers/{id}/exec`. */
export const ExecBodySchema = v.object({
  User: text(),
  Privileged: flag(),
  Tty: flag(),
  ConsoleSize: sizeOrNull(),
  AttachStdin: flag(),
  AttachStderr: flag(),
  AttachStdout: flag(),
  DetachKeys: text(),
  Env: list(v.string()),
  WorkingDir: text(),
  Cmd: listOrNull(v.string()),
});
export type ExecBody = v.InferOutput<typeof ExecBodySchema>;
