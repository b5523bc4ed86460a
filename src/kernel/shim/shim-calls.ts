import { type Decoded, decode, encode, type Message, type MessageName } from './messages.ts';
import type { TtrpcClient } from './ttrpc-client.ts';

/** How long a shim may take for a call that changes something: the runtime's own work is tens of milliseconds. */
const TIMEOUT_MS = 120_000;

/** Every method of the task service we use: what it takes and what it gives. Source: containerd api/runtime/task/v2/shim.proto. */
const METHODS = {
  Create: ['CreateTaskRequest', 'CreateTaskResponse'],
  Start: ['ProcessRequest', 'StartResponse'],
  Wait: ['ProcessRequest', 'WaitResponse'],
  Kill: ['KillRequest', 'Empty'],
  Delete: ['ProcessRequest', 'DeleteResponse'],
  Exec: ['ExecProcessRequest', 'Empty'],
  ResizePty: ['ResizePtyRequest', 'Empty'],
  CloseIO: ['CloseIoRequest', 'Empty'],
  State: ['ProcessRequest', 'StateResponse'],
  Pids: ['TaskRequest', 'PidsResponse'],
  Pause: ['TaskRequest', 'Empty'],
  Resume: ['TaskRequest', 'Empty'],
  Update: ['UpdateTaskRequest', 'Empty'],
  Connect: ['TaskRequest', 'ConnectResponse'],
  Shutdown: ['ShutdownRequest', 'Empty'],
} as const satisfies Record<string, readonly [MessageName, MessageName]>;

export type ShimMethod = keyof typeof METHODS;

type Takes<M extends ShimMethod> = (typeof METHODS)[M][0];
type Gives<M extends ShimMethod> = (typeof METHODS)[M][1];

/** Calls one method of a shim's task service. Only `Wait` has no time limit. */
export type ShimCall = <M extends ShimMethod>(method: M, request: Message<Takes<M>>) => Promise<Decoded<Gives<M>>>;

/** `version` is that of the task API, as the shim announced it at its start. */
export function shimCalls(client: TtrpcClient, version: number): ShimCall {
  const service = `containerd.task.v${version}.Task`;
  return async <M extends ShimMethod>(method: M, request: Message<Takes<M>>) => {
    const takes: Takes<M> = METHODS[method][0];
    const gives: Gives<M> = METHODS[method][1];
    const options = method === 'Wait' ? {} : { timeout: TIMEOUT_MS };
    return decode(gives, await client.call(service, method, encode(takes, request), options));
  };
}
