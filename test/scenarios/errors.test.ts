import assert from 'node:assert/strict';
import { request } from 'node:http';
import { cpus } from 'node:os';
import { onBoth } from '../support/both.ts';
import { create, run } from '../support/containers.ts';
import type { Target } from '../support/target.ts';

/** A call that must be refused, and how. */
interface Refusal {
  call: readonly [method: string, path: string, body?: unknown];
  status: number;
  message: string | RegExp;
  /** Where the dockerd of the test says something else than today's: its own status or text; `accepts`: it does not mind yet. */
  old?: { status?: number; message?: string | RegExp } | 'accepts';
}

const CREATE = '/v1.41/containers/create';
const query = (filters: unknown): string => encodeURIComponent(JSON.stringify(filters));
/** What dockerd 20.10 answers to a caller's mistake that it does not know for one; newer ones say 400. */
const WAS_500 = { status: 500 };

/** Runs every call and compares all answers at once, so that one run shows everything that is wrong. */
async function allRefused(target: Target, cases: readonly Refusal[]): Promise<void> {
  const answers: string[] = [];
  const expected: string[] = [];
  for (const { call, status, message, old } of cases) {
    if (target.name === 'dockerd' && old === 'accepts') continue;
    const reply = await target.api(...call);
    const wanted = { status, message, ...(target.name === 'dockerd' && typeof old === 'object' ? old : {}) };
    const text = messageOf(reply.text);
    const fits = typeof wanted.message === 'string' ? text === wanted.message : wanted.message.test(text);
    const what = `${call[0]} ${decodeURIComponent(call[1])} ${JSON.stringify(call[2])}`;
    answers.push(`${what}: ${reply.status} ${text}`);
    expected.push(`${what}: ${wanted.status} ${fits ? text : wanted.message}`);
    if (reply.status === 201 && call[1] === CREATE)
      await target.api('DELETE', `/containers/${reply.json<{ Id: string }>().Id}`);
  }
  assert.deepEqual(answers, expected);
}

function messageOf(body: string): string {
  try {
    return String((JSON.parse(body) as { message?: unknown }).message);
  } catch {
    return body;
  }
}

const make = (config: object, status: number, message: string | RegExp, old?: Refusal['old']): Refusal => ({
  call: ['POST', CREATE, { Image: 'busybox', Cmd: ['true'], ...config }],
  status,
  message,
  ...(old === undefined ? {} : { old }),
});
const host = (hostConfig: object, message: string | RegExp, old?: Refusal['old']): Refusal =>
  make({ HostConfig: hostConfig }, 400, message, old);
const bind = (spec: string, message: string): Refusal => host({ Binds: [spec] }, message, WAS_500);
const mount = (fields: object, message: string): Refusal => host({ Mounts: [fields] }, message);
const log = (type: string, config: object, message: string, old?: Refusal['old']): Refusal =>
  host({ LogConfig: { Type: type, Config: config } }, message, old);

const RANGE_OF_CPUS = `Range of CPUs is from 0.01 to ${cpus().length}.00, as there are only ${cpus().length} CPUs available`;
const ROOT_IS_NO_TARGET = "invalid specification: destination can't be '/'";

const RESOURCES: readonly Refusal[] = [
  host({ Memory: -1 }, 'Minimum memory limit allowed is 6MB'),
  host({ Memory: 6291455 }, 'Minimum memory limit allowed is 6MB'),
  host({ Memory: 8e6, MemorySwap: 7e6 }, 'Minimum memoryswap limit should be larger than memory limit, see usage'),
  host({ MemorySwap: 8e6 }, 'You should always set the Memory limit when using Memoryswap limit, see usage'),
  host(
    { Memory: 8e6, MemoryReservation: 9e6 },
    'Minimum memory limit can not be less than memory reservation limit, see usage',
  ),
  host({ MemoryReservation: 1000 }, 'Minimum memory reservation allowed is 6MB'),
  host({ MemorySwappiness: 101 }, 'Invalid value: 101, valid memory swappiness range is 0-100'),
  host({ NanoCpus: -1 }, RANGE_OF_CPUS),
  host({ NanoCpus: 1e15 }, RANGE_OF_CPUS),
  host({ NanoCpus: 1e9, CpuPeriod: 1000 }, 'Conflicting options: Nano CPUs and CPU Period cannot both be set'),
  host({ NanoCpus: 1e9, CpuQuota: 1000 }, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'),
  host({ CpuPeriod: 5 }, 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)'),
  host({ CpuQuota: 5 }, 'CPU cfs quota can not be less than 1ms (i.e. 1000)'),
  host({ CpusetCpus: '4095' }, /^Requested CPUs are not available - requested 4095, available: /),
  host({ CpusetCpus: 'a-b' }, 'Invalid value a-b for cpuset cpus: invalid format: a-b'),
  host({ CpusetMems: '500' }, /^Requested memory nodes are not available - requested 500, available: /),
  host({ OomScoreAdj: 2000 }, 'Invalid value 2000, range for oom score adj is [-1000, 1000]'),
  host({ ShmSize: -1 }, 'SHM size can not be less than 0'),
];

const MOUNTS: readonly Refusal[] = [
  bind(
    'a',
    `invalid volume specification: 'a': invalid mount config for type "volume": invalid mount path: 'a' mount path must be absolute`,
  ),
  bind(
    '/a:b',
    `invalid volume specification: '/a:b': invalid mount config for type "bind": invalid mount path: 'b' mount path must be absolute`,
  ),
  bind('/a:/', `invalid volume specification: '/a:/': invalid mount config for type "bind": ${ROOT_IS_NO_TARGET}`),
  bind('/a:/b:wrong', 'invalid mode: wrong'),
  bind('/a:/b:ro,rw', 'invalid mode: ro,rw'),
  bind('/a:/b:ro:x', "invalid volume specification: '/a:/b:ro:x'"),
  bind('', "invalid volume specification: ''"),
  bind(':/b', "invalid volume specification: ':/b'"),
  host({ Binds: ['/a:/b', '/c:/b'] }, 'Duplicate mount point: /b'),
  host({ Binds: ['/tmp:/x'], Tmpfs: { '/x': '' } }, 'Duplicate mount point: /x'),
  host({ Tmpfs: { rel: '' } }, "invalid mount path: 'rel' mount path must be absolute"),
  host({ Tmpfs: { '/': '' } }, ROOT_IS_NO_TARGET),
  host({ Tmpfs: { '/x': 'wrong=1' } }, 'invalid tmpfs option ["wrong" "1"]', 'accepts'),
  mount(
    { Type: 'bind', Source: '/nosuch', Target: '/b' },
    'invalid mount config for type "bind": bind source path does not exist: /nosuch',
  ),
  mount({ Type: 'wrong', Target: '/b' }, 'invalid mount config for type "wrong": mount type unknown'),
  mount({ Type: 'bind', Target: '/b' }, 'invalid mount config for type "bind": field Source must not be empty'),
  mount({ Type: 'bind', Source: '/tmp' }, 'invalid mount config for type "bind": field Target must not be empty'),
  mount(
    { Type: 'bind', Source: '/tmp', Target: 'b' },
    `invalid mount config for type "bind": invalid mount path: 'b' mount path must be absolute`,
  ),
  mount(
    { Type: 'bind', Source: 'rel', Target: '/b' },
    `invalid mount config for type "bind": invalid mount path: 'rel' mount path must be absolute`,
  ),
  mount({ Type: 'bind', Source: '/tmp', Target: '/' }, `invalid mount config for type "bind": ${ROOT_IS_NO_TARGET}`),
  mount(
    { Type: 'tmpfs', Source: '/tmp', Target: '/b' },
    'invalid mount config for type "tmpfs": field Source must not be specified',
  ),
  host(
    {
      Mounts: [
        { Type: 'tmpfs', Target: '/b' },
        { Type: 'tmpfs', Target: '/b' },
      ],
    },
    'Duplicate mount point: /b',
  ),
];

const OTHERS: readonly Refusal[] = [
  make({ StopSignal: 'WRONG' }, 400, 'Invalid signal: WRONG'),
  make({ Env: ['=x'] }, 400, 'invalid environment variable: =x'),
  make({ Env: [''] }, 400, 'invalid environment variable: '),
  make({ WorkingDir: 'rel' }, 400, "the working directory 'rel' is invalid, it needs to be an absolute path"),
  make({ Cmd: [], Entrypoint: [''] }, 400, 'No command specified'),
  host({ RestartPolicy: { Name: 'wrong' } }, /^invalid restart policy/),
  host(
    { AutoRemove: true, RestartPolicy: { Name: 'always' } },
    "can't create 'AutoRemove' container with restart policy",
  ),
  host({ PortBindings: { '80/tcp': [{ HostPort: 'x' }] } }, 'invalid port specification: "x"'),
  host({ PortBindings: { '80/tcp': [{ HostPort: '70000' }] } }, 'invalid port specification: "70000"'),
  host({ PortBindings: { 'x/tcp': [{ HostPort: '80' }] } }, 'invalid port specification: "x"'),
  host({ CapAdd: ['WRONG'] }, 'invalid CapAdd: unknown capability: "CAP_WRONG"'),
  host({ CapDrop: ['NET_ADMINS'] }, 'invalid CapDrop: unknown capability: "CAP_NET_ADMINS"'),
  host({ SecurityOpt: ['wrong'] }, 'invalid --security-opt 1: "wrong"', WAS_500),
  host({ SecurityOpt: ['wrong=1'] }, 'invalid --security-opt 2: "wrong=1"', WAS_500),
  host({ SecurityOpt: ['no-new-privileges=maybe'] }, 'invalid --security-opt 2: "no-new-privileges=maybe"', WAS_500),
  host({ NetworkMode: 'container:' }, /invalid container format container:<name\|id>$/),
  make({ Hostname: 'x', HostConfig: { UTSMode: 'host' } }, 400, 'conflicting options: hostname and the UTS mode'),
  host({ CgroupnsMode: 'wrong' }, 'invalid cgroup namespace mode: wrong'),
  host({ ExtraHosts: ['x'] }, 'bad format for add-host: "x"'),
  host({ ExtraHosts: ['a:b'] }, 'invalid IP address in add-host: "b"'),
  host({ Runtime: 'nosuch' }, /^(?:U|u)nknown.* runtime specified nosuch$|^unknown or invalid runtime name: nosuch$/),
  host({ Isolation: 'hyperv' }, /^(?:I|i)nvalid isolation/, WAS_500),
];

const LOGGING: readonly Refusal[] = [
  log('json-file', { wrong: '1' }, "unknown log opt 'wrong' for json-file log driver"),
  log('local', { wrong: '1' }, "unknown log opt 'wrong' for log driver local"),
  log('json-file', { mode: 'wrong' }, 'logger: logging mode not supported: wrong'),
  log(
    'json-file',
    { 'max-buffer-size': '1m' },
    "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
  ),
];

const filter = (filters: object, status: number, message: string | RegExp, old?: Refusal['old']): Refusal => ({
  call: ['GET', `/v1.41/containers/json?all=1&filters=${query(filters)}`],
  status,
  message,
  ...(old === undefined ? {} : { old }),
});

const FILTERS: readonly Refusal[] = [
  filter({ nosuch: ['x'] }, 400, /^[Ii]nvalid filter 'nosuch'$/),
  filter({ status: ['wrong'] }, 400, /^[Ii]nvalid filter 'status=wrong'$/),
  filter({ 'is-task': ['maybe'] }, 400, /^[Ii]nvalid filter 'is-task=\[maybe\]'$/),
  filter({ health: ['wrong'] }, 400, 'Unrecognised filter value for health: wrong'),
  filter({ exited: ['x'] }, 400, 'strconv.Atoi: parsing "x": invalid syntax', WAS_500),
  filter({ before: ['nosuch'] }, 404, 'no such container nosuch', WAS_500),
  filter({ publish: ['x'] }, 400, /^error while looking up for publish x: /, WAS_500),
  filter({ expose: ['99999'] }, 400, /^error while looking up for expose 99999: .*value out of range$/, WAS_500),
  ...['{bad', '[]', '5', '"x"', '{"status":"exited"}', '{"status":[5]}'].map(
    (text): Refusal => ({
      call: ['GET', `/v1.41/containers/json?filters=${encodeURIComponent(text)}`],
      status: 400,
      message: /^invalid filter/,
      old: { status: 500, message: /^json: |^invalid character/ },
    }),
  ),
  {
    call: ['GET', '/v1.41/containers/json?limit=x'],
    status: 400,
    message: 'strconv.Atoi: parsing "x": invalid syntax',
    old: WAS_500,
  },
  {
    call: ['POST', `/v1.41/containers/prune?filters=${query({ status: ['x'] })}`],
    status: 400,
    message: /^[Ii]nvalid filter 'status'$/,
  },
  {
    call: ['POST', `/v1.41/containers/prune?filters=${query({ until: ['x'] })}`],
    status: 400,
    message: 'failed to parse value as time or duration: "x"',
    old: WAS_500,
  },
  {
    call: ['POST', `/v1.41/containers/prune?filters=${query({ until: ['1', '2'] })}`],
    status: 400,
    message: 'more than one until filter specified',
    old: WAS_500,
  },
  {
    call: ['GET', '/v1.41/events?since=5&until=1'],
    status: 400,
    message: '`since` time (5) cannot be after `until` time (1)',
  },
  {
    call: ['GET', '/v1.41/events?until=x'],
    status: 400,
    message: /^failed to parse value as time or duration: "x"$/,
    old: { status: 500, message: /^strconv/ },
  },
];

/** Calls on a container that is not there. */
const MISSING: readonly Refusal[] = [
  ...['start', 'stop', 'restart', 'pause', 'unpause', 'rename?name=other', 'wait', 'resize?h=1&w=1'].map(
    (verb): Refusal => ({
      call: ['POST', `/v1.41/containers/nosuch/${verb}`],
      status: 404,
      message: 'No such container: nosuch',
    }),
  ),
  ...['json', 'top', 'logs?stdout=1'].map(
    (noun): Refusal => ({
      call: ['GET', `/v1.41/containers/nosuch/${noun}`],
      status: 404,
      message: 'No such container: nosuch',
    }),
  ),
  { call: ['DELETE', '/v1.41/containers/nosuch'], status: 404, message: 'No such container: nosuch' },
  {
    call: ['POST', '/v1.41/containers/nosuch/kill'],
    status: 404,
    message: 'Cannot kill container: nosuch: No such container: nosuch',
  },
  {
    call: ['POST', '/v1.41/containers/nosuch/exec', { Cmd: ['x'] }],
    status: 404,
    message: 'No such container: nosuch',
  },
  // As plain text on the stream there, as JSON here and in newer ones.
  {
    call: ['POST', '/v1.41/containers/nosuch/attach?stream=1&stdout=1'],
    status: 404,
    message: /^No such container: nosuch\s*$/,
  },
  { call: ['GET', '/v1.41/exec/nosuch/json'], status: 404, message: 'No such exec instance: nosuch' },
  { call: ['POST', '/v1.41/exec/nosuch/start', {}], status: 404, message: 'No such exec instance: nosuch' },
  { call: ['POST', '/v1.41/exec/nosuch/resize?h=1&w=1'], status: 404, message: 'No such exec instance: nosuch' },
  { call: ['GET', '/v1.41/images/nosuch/json'], status: 404, message: /No such image: nosuch:latest$/ },
];

/** What a body of create is told that is no request; sent as it stands, with this content type. */
const BODIES: readonly [text: string, type: string, message: RegExp, old?: RegExp][] = [
  ['', 'application/json', /^invalid JSON: got EOF while reading request body$/, /^EOF$/],
  ['{', 'application/json', /^invalid JSON: /, /^unexpected EOF$/],
  [
    '[]',
    'application/json',
    /^invalid JSON: json: cannot unmarshal array into Go value/,
    /^json: cannot unmarshal array/,
  ],
  ['{}', 'application/json', /^[Cc]onfig cannot be empty in order to create a container$/],
  ['null', 'application/json', /^[Cc]onfig cannot be empty in order to create a container$/],
  ['{"Image":5}', 'application/json', /json: cannot unmarshal number into Go struct field .*Image of type string$/],
  [
    '{"Image":"busybox","Tty":"yes"}',
    'application/json',
    /cannot unmarshal string into Go struct field .*Tty of type bool$/,
  ],
  [
    '{"Image":"busybox","HostConfig":{"Memory":"5"}}',
    'application/json',
    /cannot unmarshal string into Go struct field .*HostConfig\.Memory of type int64$/,
  ],
  ['{"Image":"busybox"}', 'text/plain', /^Content-Type specified \(text\/plain\) must be 'application\/json'$/],
  ['{"Image":"busybox"}', '', /^Content-Type specified \(\) must be 'application\/json'$/],
];

async function send(socketPath: string, path: string, text: string, type: string): Promise<[number, string]> {
  const { promise, resolve, reject } = Promise.withResolvers<[number, string]>();
  const headers = { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) };
  request({ socketPath, method: 'POST', path, headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => resolve([response.statusCode ?? 0, messageOf(Buffer.concat(chunks).toString())]));
  })
    .on('error', reject)
    .end(text);
  return promise;
}

onBoth('refusals', {
  'of bodies that are no request': async (target) => {
    for (const [text, type, message, old] of BODIES) {
      const [status, said] = await send(target.socket, CREATE, text, type);
      assert.match(said, target.name === 'dockerd' ? (old ?? message) : message, text);
      // The dockerd of the test takes what it cannot decode for its own fault.
      assert.equal(status, target.name === 'dockerd' && /EOF|unmarshal/.test(said) ? 500 : 400, text);
    }
  },
  'of images and names': async (target) => {
    await using holder = await create(target, 'true');
    await target.api('POST', `${holder.path}/rename?name=held`);
    const named = (name: string, status: number, message: string): Refusal => ({
      call: ['POST', `${CREATE}?name=${encodeURIComponent(name)}`, { Image: 'busybox' }],
      status,
      message,
    });
    const taken = `Conflict. The container name "/held" is already in use by container "${holder.id}". You have to remove (or rename) that container to be able to reuse that name.`;
    const characters = 'only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed';
    await allRefused(target, [
      make({ Image: 'nosuch' }, 404, 'No such image: nosuch:latest'),
      make({ Image: 'nosuch:tag' }, 404, 'No such image: nosuch:tag'),
      make({ Image: 'UPPER' }, 400, 'invalid reference format: repository name must be lowercase'),
      named('held', 409, taken),
      named('/held', 409, taken),
      ...['bad/name', '-x', 'x'].map((name) => named(name, 400, `Invalid container name (${name}), ${characters}`)),
    ]);
  },
  'of limits': (target) => allRefused(target, RESOURCES),
  'but what can be done without is a warning': async (target) => {
    const HostConfig = { NetworkMode: 'host', PortBindings: { '80/tcp': [{ HostPort: '80' }] } };
    const made = await target.api('POST', CREATE, { Image: 'busybox', Cmd: ['true'], HostConfig });
    const { Id, Warnings } = made.json<{ Id: string; Warnings: string[] }>();
    assert.deepEqual(Warnings, ['Published ports are discarded when using host network mode']);
    assert.equal((await target.api('DELETE', `/containers/${Id}`)).status, 204);
  },
  'of mounts': (target) => allRefused(target, MOUNTS),
  'of other settings': (target) => allRefused(target, OTHERS),
  'of logging options': (target) => allRefused(target, LOGGING),
  'of filters': (target) => allRefused(target, FILTERS),
  'of what is not there': (target) => allRefused(target, MISSING),
  'by a container that does not run': async (target) => {
    await using c = await create(target, 'true');
    const idle = `Container ${c.id} is not running`;
    const post = (verb: string, status: number, message: string, old?: Refusal['old'], body?: unknown): Refusal => ({
      call: ['POST', `/v1.41${c.path}/${verb}`, body],
      status,
      message,
      ...(old === undefined ? {} : { old }),
    });
    await allRefused(target, [
      post('kill', 409, `Cannot kill container: ${c.id}: ${idle}`),
      post('pause', 409, idle),
      post('unpause', 409, `Container ${c.id} is not paused`, WAS_500),
      post('resize?h=1&w=1', 409, idle),
      post('exec', 409, idle, undefined, { Cmd: ['x'] }),
      post('stop', 304, ''),
      { call: ['GET', `/v1.41${c.path}/top`], status: 409, message: idle },
    ]);
  },
  'by a running container': async (target) => {
    await using other = await create(target, 'true');
    await target.api('POST', `${other.path}/rename?name=other`);
    await using c = await run(target, 'exec sleep 1000');
    await target.api('POST', `${c.path}/rename?name=running`);
    const post = (
      verb: string,
      status: number,
      message: string | RegExp,
      old?: Refusal['old'],
      body?: unknown,
    ): Refusal => ({
      call: ['POST', `/v1.41/containers/running/${verb}`, body],
      status,
      message,
      ...(old === undefined ? {} : { old }),
    });
    const get = (noun: string, status: number, message: string | RegExp, old?: Refusal['old']): Refusal => ({
      call: ['GET', `/v1.41/containers/running/${noun}`],
      status,
      message,
      ...(old === undefined ? {} : { old }),
    });
    const number = 'strconv.Atoi: parsing "x": invalid syntax';
    const time = { status: 500, message: /^strconv.ParseInt: parsing/ };
    await allRefused(target, [
      post('start', 304, ''),
      post('start', 400, /^starting container with non-empty request body was deprecated/, undefined, {
        Binds: ['/a:/b'],
      }),
      post('unpause', 409, `Container ${c.id} is not paused`, WAS_500),
      post('stop?t=x', 400, number, WAS_500),
      post('stop?t=1.5', 400, 'strconv.Atoi: parsing "1.5": invalid syntax', WAS_500),
      post('restart?t=x', 400, number, WAS_500),
      post('kill?signal=WRONG', 400, 'Invalid signal: WRONG'),
      post('kill?signal=0', 400, 'Invalid signal: 0'),
      post('kill?signal=999', 400, /The linux daemon does not support signal 999$/, WAS_500),
      post('resize?h=x&w=1', 400, number),
      post('rename?name=', 400, 'Neither old nor new names may be empty'),
      post('rename?name=running', 400, 'Renaming a container with the same name as its current name'),
      post(
        'rename?name=other',
        409,
        /^Error when allocating new name: Conflict. The container name "\/other" is already in use by container "/,
      ),
      post('rename?name=x', 400, /^Error when allocating new name: Invalid container name \(\/?x\), only /),
      post('attach?stream=1&detachKeys=wrong-key', 400, /^Invalid detach keys \(wrong-key\) provided\s*$/),
      post('wait?condition=wrong', 400, 'invalid condition: "wrong"', 'accepts'),
      post('exec', 400, /got EOF while reading request body$/),
      post('exec', 400, 'No exec command specified', undefined, {}),
      post('exec', 400, 'No exec command specified', undefined, { Cmd: [] }),
      post('exec', 400, 'Invalid escape keys (wrong-key) provided', WAS_500, { Cmd: ['x'], DetachKeys: 'wrong-key' }),
      get('logs', 400, 'Bad parameters: you must choose at least one stream'),
      get('logs?stdout=1&since=x', 400, 'failed to parse value as time or duration: "x"', time),
      get('logs?stdout=1&until=1.2.3', 400, 'failed to parse value as time or duration: "1.2.3"', time),
      get('top?ps_args=-o%20comm', 400, "Couldn't find PID field in ps output", WAS_500),
      {
        call: ['DELETE', '/v1.41/containers/running?link=1'],
        status: 409,
        message: 'Conflict, cannot remove the default link name of the container',
        old: WAS_500,
      },
      {
        call: ['DELETE', '/v1.41/containers/running'],
        status: 409,
        message: `You cannot remove a running container ${c.id}. Stop the container before attempting removal or force remove`,
      },
    ]);
  },
  'at start leave the container created, with its exit code': async (target) => {
    const cases: [body: Record<string, unknown>, status: number, message: RegExp, code: number][] = [
      [{ Cmd: ['nosuch'] }, 400, /exec: "nosuch": executable file not found in \$PATH/, 127],
      [{ Cmd: ['/nosuch'] }, 400, /\/nosuch.*no such file or directory/, 127],
      [{ Cmd: ['/etc/passwd'] }, 400, /\/etc\/passwd.*permission denied/, 126],
      [
        { User: 'nosuch' },
        target.name === 'dockerd' ? 500 : 400,
        /unable to find user nosuch: no matching entries in passwd file/,
        0,
      ],
      [{ HostConfig: { NetworkMode: 'nosuch' } }, 404, /network nosuch not found/, 0],
    ];
    for (const [body, status, message, code] of cases) {
      await using c = await create(target, 'true', body);
      const reply = await target.api('POST', `${c.path}/start`);
      assert.match(messageOf(reply.text), message);
      const { State } = await c.inspect();
      assert.deepEqual({ status: reply.status, state: State.Status }, { status, state: 'created' }, reply.text);
      assert.match(State.Error, message);
      if (code > 0) assert.equal(State.ExitCode, code);
    }
  },
});
