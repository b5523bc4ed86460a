import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import * as v from 'valibot';
import { type Container, NEVER } from '../engine/containers/model.ts';
import type {
  AttachIo,
  Attachment,
  ContainerFiles,
  Containers,
  CreateRequest,
  Distribution,
  Engine,
  EngineEvent,
  Events,
  Execs,
  ExecView,
  Image,
  ImageManifest,
  Images,
  LogEntry,
  Networks,
  NetworkView,
  PathChange,
  SystemFacts,
  Volumes,
  VolumeView,
} from '../engine/engine.ts';
import { ContainerConfigSchema, type ExecBody, HostConfigSchema } from '../spec/container.ts';
import { ImageConfigSchema } from '../spec/image.ts';
import { conflict, internal, notFound, notModified, unauthorized } from '../util/errors.ts';
import { randomId } from '../util/id.ts';

export const IMAGE_ID = `sha256:${'a1'.repeat(32)}`;
const NETWORK_ID = 'b2'.repeat(32);

/** A container as the engine would hold it, with `changes` on top. */
export function fakeContainer(changes: Partial<Container> = {}): Container {
  const id = changes.id ?? randomId();
  return {
    id,
    name: `c-${id.slice(0, 6)}`,
    created: '2026-11-23T20:00:00.123456789Z',
    imageId: IMAGE_ID,
    config: v.parse(ContainerConfigSchema, { Image: 'busybox', Cmd: ['sh', '-c', 'echo hi'], Labels: { a: 'b' } }),
    hostConfig: v.parse(HostConfigSchema, { NetworkMode: 'default' }),
    networks: {},
    path: 'sh',
    args: ['-c', 'echo hi'],
    mounts: [],
    state: {
      status: 'running',
      pid: 4242,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: new Date(Date.now() - 5 * 60_000).toISOString(),
      finishedAt: NEVER,
      shim: '',
      stoppedByHand: false,
      pausedForCommit: false,
      restartDelay: 0,
      health: undefined,
    },
    restartCount: 0,
    endpoints: {
      bridge: {
        networkId: NETWORK_ID,
        endpointId: 'c3'.repeat(32),
        gateway: '172.17.0.1',
        ipAddress: '172.17.0.2',
        prefixLength: 16,
        macAddress: '02:42:ac:11:00:02',
      },
    },
    ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }], '90/udp': [] },
    sandboxKey: '/run/netns/abc',
    execIds: [],
    files: { hostname: '/d/hostname', hosts: '/d/hosts', resolvConf: '/d/resolv.conf', log: '/d/x-json.log' },
    graph: { lower: ['/l/a', '/l/b'], upper: '/u', work: '/w', merged: '/m' },
    ...changes,
  };
}

export const fakeImage: Image = {
  id: IMAGE_ID,
  config: v.parse(ImageConfigSchema, {
    architecture: 'amd64',
    os: 'linux',
    created: '2026-11-23T20:54:38Z',
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${'d4'.repeat(32)}`] },
  }),
  chainIds: [],
  repoTags: ['busybox:latest'],
  repoDigests: [],
  size: 1984132,
  taggedAt: '2026-11-23T20:54:38.43Z',
  target: { mediaType: 'application/vnd.oci.image.index.v1+json', digest: `sha256:${'e5'.repeat(32)}`, size: 9 },
};

const network: NetworkView = {
  id: NETWORK_ID,
  name: 'bridge',
  created: '2026-11-23T20:54:33.25Z',
  driver: 'bridge',
  internal: false,
  ipam: [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }],
  options: { 'com.docker.network.bridge.name': 'docker0' },
  labels: {},
};

const facts: SystemFacts = {
  id: 'ABCD',
  name: 'host',
  version: '1.2.3',
  dataRoot: '/var/lib/x',
  kernelVersion: '6.18',
  operatingSystem: 'Debian GNU/Linux 12',
  osVersion: '12',
  arch: 'x86_64',
  cpus: 2,
  memory: 1 << 30,
  cgroupVersion: '1',
  cgroupDriver: 'cgroupfs',
  limits: {
    memory: true,
    swap: true,
    oomKillDisable: true,
    cpuCfsPeriod: true,
    cpuCfsQuota: true,
    cpuShares: true,
    cpuset: true,
    pids: true,
  },
  storage: { driver: 'overlay2', backingFilesystem: 'extfs' },
  loggingDriver: 'json-file',
  runtimes: { runc: { path: 'runc' } },
  defaultRuntime: 'runc',
  tools: { containerd: '1.6.20', runc: 'runc version 1.1.5', crun: '', init: 'tini version 0.19.0' },
  initBinary: 'docker-init',
  securityOptions: ['name=seccomp,profile=builtin'],
  ipv4Forwarding: true,
  bridgeNf: { iptables: true, ip6tables: false },
  debug: false,
  openFiles: 10,
  eventsListeners: 0,
  labels: [],
  registries: { mirrors: [], insecure: [] },
  cdiSpecDirs: ['/etc/cdi', '/var/run/cdi'],
  cdiDevices: ['vendor.com/class=name'],
  warnings: [],
  proxies: { http: '', https: '', no: '' },
};

/** What a test can see and steer. */
export interface FakeEngine extends Engine {
  readonly all: Container[];
  readonly created: CreateRequest[];
  /** Calls by name with their arguments, in order. */
  readonly calls: [string, ...unknown[]][];
  /** The process behind attach and exec; replaced by tests. */
  process: (io: AttachIo) => Promise<void>;
  /** Entries `logs` gives. */
  logEntries: LogEntry[];
  readonly pastEvents: EngineEvent[];
  changes: PathChange[];
  /** Resolves what `wait` waits for. */
  exit: PromiseWithResolvers<{ statusCode: number; error?: string }>;
  /** Aborted clients seen by `process`, `wait` and `events`. */
  readonly listeners: { count: number };
}

/** Prints `hi`, then everything it is told in capitals, until the end of its input. */
export async function shout({ stdin, sink }: AttachIo): Promise<void> {
  sink?.write('stdout', Buffer.from('hi\n'));
  for await (const chunk of stdin ?? Readable.from([])) {
    sink?.write('stderr', Buffer.from(String(chunk).toUpperCase()));
  }
  sink?.write('stdout', Buffer.from('bye\n'));
}

function fakeContainers(fake: () => FakeEngine): Containers {
  const get = (ref: string) => {
    const found = fake().all.find((c) => c.id === ref || c.name === ref);
    if (!found) throw notFound(`No such container: ${ref}`);
    return found;
  };
  const note =
    (name: string) =>
    async (ref: string, ...rest: unknown[]): Promise<void> => {
      fake().calls.push([name, get(ref).name, ...rest]);
    };
  return {
    get,
    list: ({ all, limit }) =>
      fake()
        .all.filter((c) => all || c.state.status === 'running')
        .slice(0, limit || undefined),
    async create(request) {
      fake().created.push(request);
      const c = fakeContainer({ config: request.config, ...(request.name ? { name: request.name } : {}) });
      fake().all.push(c);
      return { id: c.id, warnings: ['careful'] };
    },
    async start(ref) {
      if (get(ref).state.status === 'running') throw notModified('');
      fake().calls.push(['start', ref]);
    },
    stop: note('stop'),
    restart: note('restart'),
    kill: note('kill'),
    unpause: note('unpause'),
    rename: note('rename'),
    async update(ref, changes) {
      fake().calls.push(['update', get(ref).name, changes]);
      return ['careful'];
    },
    stats(ref, { stream }) {
      const { id, name } = get(ref);
      fake().calls.push(['stats', name, stream]);
      return Readable.from([{ id, name, now: undefined, before: undefined }]);
    },
    remove: note('remove'),
    resize: note('resize'),
    async pause(ref) {
      throw conflict(`Container ${get(ref).id} is already paused`);
    },
    size: async () => ({ rw: 10, rootFs: 20 }),
    prune: async (filters) => {
      fake().calls.push(['prune', [...filters]]);
      return { deleted: ['x'], reclaimed: 5 };
    },
    wait(ref, condition) {
      fake().calls.push(['wait', get(ref).name, condition]);
      return { exited: fake().exit.promise };
    },
    attach(ref, options) {
      const c = get(ref);
      fake().calls.push(['attach', c.name, options]);
      return attachment(fake, c.config.Tty);
    },
    top: async (ref, psArgs) => ({ titles: ['PID', psArgs], processes: [['1', get(ref).path]] }),
    clearLogs: async (ref) => void fake().calls.push(['clearLogs', get(ref).name]),
    async *logs(ref, query) {
      get(ref);
      fake().calls.push(['logs', { ...query, signal: undefined }]);
      yield fake().logEntries;
    },
  };
}

function attachment(fake: () => FakeEngine, tty: boolean): Attachment {
  return { tty, connect: (io) => fake().process(io) };
}

function fakeExecs(fake: () => FakeEngine): Execs {
  const execs = new Map<string, ExecView>();
  const get = (id: string) => {
    const found = execs.get(id);
    if (!found) throw notFound(`No such exec instance: ${id}`);
    return found;
  };
  return {
    get,
    async create(ref: string, request: ExecBody) {
      const id = randomId();
      const containerId = fake().containers.get(ref).id;
      execs.set(id, { id, containerId, request, running: false, exitCode: undefined, pid: 0 });
      return id;
    },
    async startDetached(id) {
      fake().calls.push(['startDetached', get(id).id]);
    },
    startAttached(id, options) {
      fake().calls.push(['startAttached', get(id).id, options]);
      return attachment(fake, options.tty);
    },
    async resize(id, size) {
      fake().calls.push(['execResize', get(id).id, size]);
    },
  };
}

const DIGEST = `sha256:${'d'.repeat(64)}`;
const MANIFEST = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: DIGEST, size: 3, annotations: {} };

const fakeManifests: ImageManifest[] = [
  {
    descriptor: { ...MANIFEST, platform: { os: 'linux', architecture: 'amd64' } },
    available: true,
    content: 4,
    kind: 'image',
    platform: { os: 'linux', architecture: 'amd64' },
    image: IMAGE_ID,
    unpacked: 7,
  },
  { descriptor: { ...MANIFEST, platform: undefined }, available: false, content: 0, kind: 'attestation', of: DIGEST },
];

function getImage(ref: string): Image {
  if (!['busybox', 'busybox:latest', 'a/b/busybox', IMAGE_ID].includes(ref)) {
    throw notFound(`No such image: ${ref}:latest`);
  }
  return fakeImage;
}

function fakeImages(fake: () => FakeEngine): Images {
  return {
    get: (ref, platform) => {
      if (platform !== undefined && platform.architecture !== 'amd64') throw notFound('not for this platform');
      return getImage(ref);
    },
    manifests: async () => fakeManifests,
    list: () => [fakeImage],
    history: () => [
      { id: IMAGE_ID, created: fakeImage.config.created, createdBy: 'x', tags: [], size: 3, comment: 'c' },
    ],
    usage: () => ({ layers: 11, shared: new Map([[IMAGE_ID, 5]]) }),
    async tag(ref, repo, tag) {
      fake().calls.push(['tag', getImage(ref).id, repo, tag]);
    },
    remove: async (ref, { platforms }) => {
      fake().calls.push(['remove', ref, platforms]);
      return { untagged: [getImage(ref).repoTags[0] ?? ''], deleted: [IMAGE_ID] };
    },
    prune: async () => ({ untagged: [], deleted: [IMAGE_ID], reclaimed: 7 }),
    async *load(archive, { platform }) {
      fake().calls.push(['load', undefined, platform]);
      const bytes = await buffer(archive);
      if (bytes.length === 0) throw internal('empty archive');
      yield { stream: `Loaded ${bytes.length}\n` };
      if (bytes.includes('broken')) throw internal('unexpected EOF');
    },
    async save({ refs, platform }) {
      fake().calls.push(['save', refs, platform]);
      for (const ref of refs) getImage(ref);
      return Readable.from([Buffer.from(`tar of ${refs.join(' ')}`)]);
    },
    async *pull({ image, tag, platform, credentials }) {
      fake().calls.push(['pull', image, tag, platform, credentials]);
      if (image === 'missing') throw notFound('manifest for missing:latest not found');
      yield { status: `Pulling from ${image}`, id: tag };
    },
    async *push({ image, tag, platform, credentials }) {
      fake().calls.push(['push', image, tag, platform, credentials]);
      yield { status: `The push refers to repository [${image}]` };
    },
    async *check({ repair }) {
      fake().calls.push(['check', repair]);
      yield { aux: { blobs: 1, layers: 1, images: 1, damaged: 0, repaired: 0 } };
    },
    async *import(source, options) {
      fake().calls.push(['import', options.repo, options.tag, options.message, options.changes]);
      yield { status: typeof source === 'string' ? source : String((await buffer(source)).length) };
    },
  };
}

function fakeDistribution(fake: () => FakeEngine): Distribution {
  return {
    async login(address, credentials) {
      fake().calls.push(['login', address, credentials]);
      if (credentials.password === 'wrong') throw unauthorized('unauthorized: incorrect username or password');
      return 'identity';
    },
    async search({ term, limit }) {
      fake().calls.push(['search', term, limit]);
      return [{ name: term, description: 'd', stars: 3, official: true, automated: false }];
    },
    async inspect(image, credentials) {
      fake().calls.push(['distribution', image, credentials]);
      const digest = `sha256:${'d'.repeat(64)}`;
      return {
        mediaType: 'application/vnd.oci.image.index.v1+json',
        digest,
        size: 3,
        platforms: [{ os: 'linux', architecture: 'arm64' }],
      };
    },
  };
}

function fakeFiles(fake: () => FakeEngine): ContainerFiles {
  const stat = { name: 'f', size: 3, mode: 0o104755, mtime: 1_795_469_280_120_000_000n, linkTarget: '' };
  const known = (ref: string, path: string): void => {
    fake().containers.get(ref);
    if (path === '/nope') throw notFound(`Could not find the file ${path} in container ${ref}`);
  };
  return {
    async stat(ref, path) {
      known(ref, path);
      return stat;
    },
    async read(ref, path) {
      known(ref, path);
      return { stat, archive: Readable.from([Buffer.from(`tar of ${path}`)]) };
    },
    async write(ref, path, archive, { keepKinds, toUser }) {
      known(ref, path);
      fake().calls.push(['write', path, (await buffer(archive)).toString(), keepKinds, toUser]);
    },
    async changes(ref) {
      known(ref, '');
      return fake().changes;
    },
    async export(ref) {
      known(ref, '');
      return Readable.from([Buffer.from('tar of all')]);
    },
    async commit(ref, options) {
      known(ref, '');
      fake().calls.push(['commit', options]);
      return IMAGE_ID;
    },
  };
}

const networks: Networks = {
  list: () => [network],
  get(ref) {
    if (ref !== 'bridge') throw notFound(`network ${ref} not found`);
    return network;
  },
};

const volume: VolumeView = {
  name: 'data',
  created: '2026-11-23T20:54:33.25Z',
  labels: { a: 'b' },
  options: null,
  anonymous: false,
  driver: 'local',
  scope: 'local',
  mountpoint: '/v/data/_data',
};

const volumes: Volumes = {
  create: async () => volume,
  async get(name) {
    if (name !== 'data') throw notFound(`get ${name}: no such volume`);
    return volume;
  },
  list: async () => ({ volumes: [volume], warnings: [] }),
  usage: async () => ({ size: 5, users: 1 }),
  drivers: () => ['local'],
  async remove(name, force) {
    if (!force) throw conflict(`remove ${name}: volume is in use - [x]`);
  },
  prune: async () => ({ deleted: ['data'], reclaimed: 5 }),
};

function fakeEvents(fake: () => FakeEngine): Events {
  return {
    emit: (event) => void fake().pastEvents.push({ ...event, timeNano: 1_795_469_280_123_456_789n }),
    async *subscribe({ since, until, signal }) {
      if (since !== undefined) yield* fake().pastEvents;
      if (until !== undefined) return;
      fake().listeners.count++;
      const live = new PassThrough();
      signal.addEventListener('abort', () => live.end());
      for await (const _ of live);
      fake().listeners.count--;
    },
  };
}

/** An engine in memory that does what the API's tests need of one. */
export function fakeEngine(): FakeEngine {
  const self = (): FakeEngine => engine;
  const engine: FakeEngine = {
    all: [],
    created: [],
    calls: [],
    process: shout,
    logEntries: [],
    pastEvents: [],
    changes: [],
    exit: Promise.withResolvers(),
    listeners: { count: 0 },
    containers: fakeContainers(self),
    files: fakeFiles(self),
    execs: fakeExecs(self),
    images: fakeImages(self),
    distribution: fakeDistribution(self),
    networks,
    volumes,
    volumeFiles: {
      read: async (name) => Readable.from([await volumes.get(name).then((it) => it.name)]),
      write: async (name) => void (await volumes.get(name)),
    },
    events: fakeEvents(self),
    system: { facts: async () => facts },
  };
  return engine;
}
