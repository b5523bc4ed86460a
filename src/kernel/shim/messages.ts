import protobuf from 'protobufjs/light.js';

/** A field: its number, its type, and whether it repeats. */
type FieldRow = readonly [id: number, type: string, rule?: 'repeated'];

const PROCESS_KEY = { id: [1, 'string'], execId: [2, 'string'] } as const;

/**
 * The messages we exchange with a shim. Sources, all in github.com/containerd: ttrpc request.proto, containerd
 * api/runtime/task/v2/shim.proto, api/types/mount.proto, api/types/runc/options/oci.proto,
 * api/services/ttrpc/events/v1/events.proto, api/events/task.proto; google.rpc.Status; google.protobuf well-known types.
 */
const TABLE = {
  TtrpcRequest: {
    service: [1, 'string'],
    method: [2, 'string'],
    payload: [3, 'bytes'],
    timeoutNano: [4, 'int64'],
  },
  TtrpcResponse: { status: [1, 'RpcStatus'], payload: [2, 'bytes'] },
  RpcStatus: { code: [1, 'int32'], message: [2, 'string'] },
  Any: { typeUrl: [1, 'string'], value: [2, 'bytes'] },
  Timestamp: { seconds: [1, 'int64'], nanos: [2, 'int32'] },
  Empty: {},
  Mount: { type: [1, 'string'], source: [2, 'string'], target: [3, 'string'], options: [4, 'string', 'repeated'] },
  RuncOptions: { ioUid: [4, 'uint32'], ioGid: [5, 'uint32'], binaryName: [6, 'string'], root: [7, 'string'] },
  CreateTaskRequest: {
    id: [1, 'string'],
    bundle: [2, 'string'],
    rootfs: [3, 'Mount', 'repeated'],
    terminal: [4, 'bool'],
    stdin: [5, 'string'],
    stdout: [6, 'string'],
    stderr: [7, 'string'],
    options: [10, 'Any'],
  },
  CreateTaskResponse: { pid: [1, 'uint32'] },
  ExecProcessRequest: {
    ...PROCESS_KEY,
    terminal: [3, 'bool'],
    stdin: [4, 'string'],
    stdout: [5, 'string'],
    stderr: [6, 'string'],
    spec: [7, 'Any'],
  },
  ProcessRequest: PROCESS_KEY,
  StartResponse: { pid: [1, 'uint32'] },
  DeleteResponse: { pid: [1, 'uint32'], exitStatus: [2, 'uint32'], exitedAt: [3, 'Timestamp'] },
  WaitResponse: { exitStatus: [1, 'uint32'], exitedAt: [2, 'Timestamp'] },
  ResizePtyRequest: { ...PROCESS_KEY, width: [3, 'uint32'], height: [4, 'uint32'] },
  StateResponse: {
    id: [1, 'string'],
    bundle: [2, 'string'],
    pid: [3, 'uint32'],
    status: [4, 'int32'],
    exitStatus: [9, 'uint32'],
    exitedAt: [10, 'Timestamp'],
    execId: [11, 'string'],
  },
  KillRequest: { ...PROCESS_KEY, signal: [3, 'uint32'], all: [4, 'bool'] },
  CloseIoRequest: { ...PROCESS_KEY, stdin: [3, 'bool'] },
  TaskRequest: { id: [1, 'string'] },
  PidsResponse: { processes: [1, 'ProcessInfo', 'repeated'] },
  ProcessInfo: { pid: [1, 'uint32'] },
  UpdateTaskRequest: { id: [1, 'string'], resources: [2, 'Any'] },
  ConnectResponse: { shimPid: [1, 'uint32'], taskPid: [2, 'uint32'], version: [3, 'string'] },
  ShutdownRequest: { id: [1, 'string'], now: [2, 'bool'] },
  ForwardRequest: { envelope: [1, 'Envelope'] },
  Envelope: { timestamp: [1, 'Timestamp'], namespace: [2, 'string'], topic: [3, 'string'], event: [4, 'Any'] },
  TaskOom: { containerId: [1, 'string'] },
} as const satisfies Record<string, Record<string, FieldRow>>;

type Table = typeof TABLE;
export type MessageName = keyof Table;

interface Scalars {
  string: string;
  bytes: Uint8Array;
  bool: boolean;
  int32: number;
  uint32: number;
  int64: number;
}
type ValueOf<T> = T extends keyof Scalars ? Scalars[T] : T extends MessageName ? Message<T> : never;
type FieldOf<R> = R extends readonly [number, infer T, 'repeated']
  ? ValueOf<T>[]
  : R extends readonly [number, infer T]
    ? ValueOf<T>
    : never;

/** A message of the table; every field may be left out. */
export type Message<N extends MessageName> = { -readonly [F in keyof Table[N]]?: FieldOf<Table[N][F]> | undefined };

/** A message as read: scalars that were not sent have their zero value, messages that were not sent are null. */
export type Decoded<N extends MessageName> = { -readonly [F in keyof Table[N]]-?: Read<FieldOf<Table[N][F]>> };
type Read<T> = T extends Scalars[keyof Scalars] | readonly unknown[] ? T : T | null;

const types = buildTypes();

function buildTypes(): ReadonlyMap<string, protobuf.Type> {
  const root = new protobuf.Root();
  const built = new Map<string, protobuf.Type>();
  const rows: Record<string, Record<string, FieldRow>> = TABLE;
  for (const [name, fields] of Object.entries(rows)) {
    const type = new protobuf.Type(name);
    for (const [field, [id, kind, rule]] of Object.entries(fields)) type.add(new protobuf.Field(field, id, kind, rule));
    root.add(type);
    built.set(name, type);
  }
  return built;
}

function typeOf(name: MessageName): protobuf.Type {
  const type = types.get(name);
  if (type === undefined) throw new Error(`no message type ${name}`);
  return type;
}

export function encode<N extends MessageName>(name: N, message: Message<N>): Uint8Array {
  return typeOf(name).encode(message).finish();
}

/** @throws `Error` when the bytes are not such a message. Unknown fields are skipped. */
export function decode<N extends MessageName>(name: N, bytes: Uint8Array): Decoded<N> {
  const type = typeOf(name);
  // The table is the single source of both the runtime type and the static one.
  return type.toObject(type.decode(bytes), { longs: Number, defaults: true, arrays: true }) as Decoded<N>;
}

/** A value in JSON, marked with the name of its type, as the shim takes runtime-spec objects. */
export function jsonAny(typeUrl: string, value: object): Message<'Any'> {
  return { typeUrl, value: Buffer.from(JSON.stringify(value)) };
}

/** RFC 3339 in UTC with nanoseconds; an absent time is the zero time. */
export function timestampText(time: Message<'Timestamp'> | null | undefined): string {
  if (time === null || time === undefined) return '0001-01-01T00:00:00Z';
  const seconds = new Date((time.seconds ?? 0) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(time.nanos ?? 0).padStart(9, '0')}Z`;
}
