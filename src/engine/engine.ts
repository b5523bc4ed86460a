import type { Readable } from 'node:stream';
import type { ContainerConfig, EndpointConfig, ExecBody, HostConfig, UpdateBody } from '../spec/container.ts';
import type { Platform } from '../spec/image.ts';
import type { Container } from './containers/model.ts';
import type { VolumeFiles } from './files/volume-files.ts';
import type { Distribution, Images } from './image-calls.ts';
import type { StatsSample } from './stats/sample.ts';

export type {
  Distribution,
  DistributionView,
  HistoryEntry,
  Image,
  ImageManifest,
  Images,
  ImagesUsage,
  ImageTarget,
  Progress,
  SearchResult,
} from './image-calls.ts';

/** `filters` of a query: every key with the values it was given. Keys are ANDed, values of a key ORed. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/** Which of a process's two outputs. With a terminal everything is `stdout`. */
export type OutputName = 'stdout' | 'stderr';

/** Where output goes. `write` gives false when the reader lags; then nothing more comes until `drained` resolves. */
export interface OutputSink {
  write(stream: OutputName, data: Buffer): boolean;
  drained(): Promise<void>;
}

/** The client's side of an attached process. */
export interface AttachIo {
  /** The client's input; its end is the process's end of file. */
  stdin?: Readable | undefined;
  sink?: OutputSink | undefined;
  signal: AbortSignal;
}

/** A checked request to attach: nothing has been read or written yet, so errors can still be a status. */
export interface Attachment {
  /** The output is not framed: the process has a terminal, or for an exec, the request to start it says so. */
  readonly tty: boolean;
  /** Joins the streams; resolves when the process's output has ended, the client went, or it detached by its key sequence. */
  connect(io: AttachIo): Promise<void>;
}

export interface CreateRequest {
  /** Empty: a name is made up. */
  name: string;
  config: ContainerConfig;
  hostConfig: HostConfig;
  endpoints: Record<string, EndpointConfig>;
  platform?: Platform;
  /** Whether read-only binds cover what is mounted below them, where nothing else is asked; missing: they do. */
  readOnlyBelow?: boolean;
  /** Whether the client takes it for granted that containers share the host's cgroup namespace on version 1; missing: it does not. */
  oldCgroupns?: boolean;
}

export interface LogQuery {
  stdout: boolean;
  stderr: boolean;
  follow: boolean;
  /** Nanoseconds since the epoch; undefined: no bound. */
  since?: bigint;
  until?: bigint;
  /** Last n lines; undefined: all. */
  tail?: number;
  signal: AbortSignal;
}

export interface LogEntry {
  stream: OutputName;
  /** RFC 3339 with nanoseconds. */
  time: string;
  /** The bytes as written, with the newline unless the line was cut at 16 KiB or ended without one. */
  data: Buffer;
  attrs: Readonly<Record<string, string>>;
}

export interface StatsQuery {
  stream: boolean;
  oneShot: boolean;
  signal: AbortSignal;
}

/** Two looks at one container, about a second apart; undefined while it does not run, or for want of an earlier one. */
export interface ContainerStats {
  id: string;
  /** Without the leading slash. */
  name: string;
  now: StatsSample | undefined;
  before: StatsSample | undefined;
}

export interface Containers {
  create(request: CreateRequest): Promise<{ id: string; warnings: string[] }>;
  /** @throws `not-found`; `invalid` when a prefix is ambiguous. `ref` is an id, a name with or without slash, or an id prefix. */
  get(ref: string): Container;
  list(query: { all: boolean; limit: number; filters: Filters }): Container[];
  /** Bytes written by the container itself, and with its image. */
  size(ref: string): Promise<{ rw: number; rootFs: number }>;
  start(ref: string): Promise<void>;
  /** `seconds`: undefined for the container's own timeout, -1 to wait for ever. */
  stop(ref: string, options: { seconds?: number; signal?: string }): Promise<void>;
  restart(ref: string, options: { seconds?: number; signal?: string }): Promise<void>;
  kill(ref: string, signal: string): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  rename(ref: string, name: string): Promise<void>;
  /** Changes limits, those of a running container at once, and the restart policy. @returns warnings. */
  update(ref: string, changes: UpdateBody): Promise<string[]>;
  remove(ref: string, options: { force: boolean; volumes: boolean; link: boolean }): Promise<void>;
  prune(filters: Filters): Promise<{ deleted: string[]; reclaimed: number }>;
  /** Checks the request, then `exited` settles when the condition is met; the two steps let the reply's head go out at once. */
  wait(
    ref: string,
    condition: 'not-running' | 'next-exit' | 'removed',
    signal: AbortSignal,
  ): { exited: Promise<{ statusCode: number; error?: string }> };
  attach(
    ref: string,
    options: { logs: boolean; stream: boolean; stdin: boolean; stdout: boolean; stderr: boolean; detachKeys: string },
  ): Attachment;
  resize(ref: string, size: { height: number; width: number }): Promise<void>;
  top(ref: string, psArgs: string): Promise<{ titles: string[]; processes: string[][] }>;
  /**
   * What a container uses. A stream goes on until the container is removed or the client leaves; without `stream` there is
   * one element, which without `oneShot` has something to compare with.
   *
   * @throws `not-found` at once.
   */
  stats(ref: string, query: StatsQuery): AsyncIterable<ContainerStats>;
  /** Batches of entries, oldest first. The first `next` has checked everything that can fail with a status. */
  logs(ref: string, query: LogQuery): AsyncIterable<LogEntry[]>;
  /** Empties the log that is kept here. */
  clearLogs(ref: string): Promise<void>;
}

/** What is at a path in a container. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Type and permissions, as `stat` has them. */
  readonly mode: number;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
  /** Where a symbolic link ends, in the container; empty for anything else. */
  readonly linkTarget: string;
}

export interface PathChange {
  readonly path: string;
  readonly kind: 'modified' | 'added' | 'deleted';
}

export interface CommitOptions {
  /** Empty: the image gets no name. */
  readonly repo: string;
  readonly tag: string;
  readonly comment: string;
  readonly author: string;
  /** Freeze the container meanwhile. */
  readonly pause: boolean;
  /** Instructions of a Dockerfile. */
  readonly changes: readonly string[];
  /** Undefined: the container's own. */
  readonly config?: ContainerConfig;
}

/** The files of containers, whether they run or not. What takes long ends when `signal` fires. */
export interface ContainerFiles {
  /** A last symbolic link is not followed. @throws `not-found` */
  stat(ref: string, path: string, signal: AbortSignal): Promise<PathStat>;
  /** An archive of what is there and below it, its names beginning with the last part of the path. @throws `not-found` */
  read(ref: string, path: string, signal: AbortSignal): Promise<{ stat: PathStat; archive: Readable }>;
  /**
   * Unpacks an archive into a directory. `keepKinds`: a directory is not replaced by a file, nor the other way round;
   * `toUser`: everything comes to belong to the container's user.
   *
   * @throws `not-found`, `invalid` for what is no directory, `forbidden` for what is read-only
   */
  write(
    ref: string,
    path: string,
    archive: Readable,
    options: { keepKinds: boolean; toUser: boolean; signal: AbortSignal },
  ): Promise<void>;
  /** What the container changed of its image, by path. */
  changes(ref: string, signal: AbortSignal): Promise<PathChange[]>;
  /** The root file system as an archive, without what is mounted. */
  export(ref: string, signal: AbortSignal): Promise<Readable>;
  /** Makes an image of what it changed; gives the id. */
  commit(ref: string, options: CommitOptions, signal: AbortSignal): Promise<string>;
}

/** One exec. `exitCode` is undefined while it has not ended. */
export interface ExecView {
  readonly id: string;
  readonly containerId: string;
  readonly request: ExecBody;
  readonly running: boolean;
  readonly exitCode: number | undefined;
  readonly pid: number;
}

export interface Execs {
  create(containerRef: string, body: ExecBody): Promise<string>;
  get(id: string): ExecView;
  startDetached(id: string): Promise<void>;
  /** Checked; the process starts on `connect`. A failing start writes its message to the sink's stdout and sets the exit code. */
  startAttached(id: string, options: { tty: boolean; consoleSize?: [number, number] | undefined }): Attachment;
  resize(id: string, size: { height: number; width: number }): Promise<void>;
}

export interface EngineEvent {
  type: 'container' | 'image' | 'network' | 'volume' | 'daemon' | 'builder';
  action: string;
  actor: { id: string; attributes: Readonly<Record<string, string>> };
  /** Nanoseconds since the epoch. */
  timeNano: bigint;
}

export interface Events {
  emit(event: Omit<EngineEvent, 'timeNano'>): void;
  /** Buffered events from `since` on, then live ones until `until` or the signal. A reader that lags loses events, never stalls the engine. */
  subscribe(query: {
    since?: bigint | undefined;
    until?: bigint | undefined;
    filters: Filters;
    signal: AbortSignal;
  }): AsyncIterable<EngineEvent>;
}

export interface NetworkView {
  readonly id: string;
  readonly name: string;
  readonly created: string;
  readonly driver: 'bridge' | 'host' | 'null';
  readonly internal: boolean;
  readonly ipam: readonly { subnet: string; gateway: string }[];
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Networks {
  list(filters: Filters): NetworkView[];
  get(ref: string): NetworkView;
}

/** A volume of the driver `local` or of a plugin. */
export interface VolumeView {
  readonly name: string;
  readonly created: string;
  /** Null when none were given. */
  readonly labels: Readonly<Record<string, string>> | null;
  /** Nobody named it. */
  readonly anonymous: boolean;
  /** `local`, or a plugin's name. */
  readonly driver: string;
  readonly scope: 'local' | 'global';
  /** Where its content is on the host; empty while a plugin has it mounted nowhere. */
  readonly mountpoint: string;
  /** What a plugin likes to show of it. */
  readonly status?: Readonly<Record<string, unknown>>;
  /** What the driver was told; null when nothing. */
  readonly options: Readonly<Record<string, string>> | null;
}

export interface Volumes {
  /** One that exists is given back as it is. An empty name is made up, and the volume is then anonymous. */
  create(request: {
    name: string;
    driver: string;
    labels: Readonly<Record<string, string>> | null;
    options: Readonly<Record<string, string>> | null;
  }): Promise<VolumeView>;
  /** @throws `not-found`; what its plugin says. */
  get(name: string): Promise<VolumeView>;
  /** `warnings` tells which plugins did not answer. */
  list(filters: Filters): Promise<{ volumes: VolumeView[]; warnings: string[] }>;
  /** Bytes in it, and how many containers mount it. */
  usage(name: string): Promise<{ size: number; users: number }>;
  /** `force`: one that does not exist is no error. @throws `conflict` when containers mount it. */
  remove(name: string, force: boolean): Promise<void>;
  /** The names of the drivers in use. */
  drivers(): string[];
  /** `all`: those with a name too. */
  prune(filters: Filters, all: boolean): Promise<{ deleted: string[]; reclaimed: number }>;
}

/** Facts about the host and this engine, for `/info` and `/version`. */
export interface SystemFacts {
  id: string;
  name: string;
  version: string;
  dataRoot: string;
  kernelVersion: string;
  operatingSystem: string;
  osVersion: string;
  arch: string;
  cpus: number;
  memory: number;
  cgroupVersion: '1' | '2';
  cgroupDriver: 'cgroupfs' | 'systemd';
  /** Which limits this kernel can enforce. */
  limits: {
    memory: boolean;
    swap: boolean;
    oomKillDisable: boolean;
    cpuCfsPeriod: boolean;
    cpuCfsQuota: boolean;
    cpuShares: boolean;
    cpuset: boolean;
    pids: boolean;
  };
  storage: { driver: 'overlay2'; backingFilesystem: string };
  loggingDriver: string;
  runtimes: Readonly<Record<string, { path: string }>>;
  defaultRuntime: string;
  /** Versions of the tools below the engine, as they print them; empty when not installed. */
  tools: { containerd: string; runc: string; crun: string; init: string };
  initBinary: string;
  securityOptions: readonly string[];
  ipv4Forwarding: boolean;
  /** Whether the packets of bridges pass the host's packet filter. */
  bridgeNf: { iptables: boolean; ip6tables: boolean };
  debug: boolean;
  openFiles: number;
  eventsListeners: number;
  labels: readonly string[];
  /** Mirrors of the official registry; hosts and networks that may do without a good certificate. */
  registries: { mirrors: readonly string[]; insecure: readonly string[] };
  /** Where CDI specifications are looked for, and the names of the devices that are described there now. */
  cdiSpecDirs: readonly string[];
  cdiDevices: readonly string[];
  warnings: readonly string[];
  proxies: { http: string; https: string; no: string };
}

export interface System {
  facts(): Promise<SystemFacts>;
}

/** Everything the API can ask of the engine. */
export interface Engine {
  readonly containers: Containers;
  readonly files: ContainerFiles;
  readonly execs: Execs;
  readonly images: Images;
  readonly distribution: Distribution;
  readonly networks: Networks;
  readonly volumes: Volumes;
  readonly volumeFiles: VolumeFiles;
  readonly events: Events;
  readonly system: System;
}
