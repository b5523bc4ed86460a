import { encode, jsonAny, timestampText } from './messages.ts';
import type { ShimCall } from './shim-calls.ts';
import type { ExecOptions, Exit, Process, Task, TaskOptions, TaskState, TaskStatus } from './task-types.ts';

const RUNTIME_OPTIONS = 'containerd.runc.v1.Options';
const PROCESS_SPEC = 'types.containerd.io/opencontainers/runtime-spec/1/Process';
const RESOURCES_SPEC = 'types.containerd.io/opencontainers/runtime-spec/1/LinuxResources';

/** Numbered as in containerd api/types/task/task.proto. */
const STATUSES: readonly TaskStatus[] = ['unknown', 'created', 'running', 'stopped', 'paused', 'pausing'];

/** A shim as its tasks see it. */
export interface TaskShim {
  readonly address: string;
  readonly call: ShimCall;
  /** The container with this id is not in the shim any more. */
  forget(id: string): void;
}

/** Asks a shim to make a container. The caller counts it as the shim's before it calls. */
export async function createTask(shim: TaskShim, options: TaskOptions): Promise<Task> {
  const { id, bundle, rootfs, terminal, stdin, stdout, stderr, runtime, ioOwner } = options;
  const { pid } = await shim.call('Create', {
    id,
    bundle,
    rootfs: rootfs.map(({ type, source, options: mountOptions }) => ({ type, source, options: [...mountOptions] })),
    terminal,
    stdin,
    stdout,
    stderr,
    options: {
      typeUrl: RUNTIME_OPTIONS,
      value: encode('RuncOptions', {
        ioUid: ioOwner?.uid,
        ioGid: ioOwner?.gid,
        binaryName: runtime.binary,
        root: runtime.root,
      }),
    },
  });
  return new ShimTask(shim, id, pid);
}

/** A container the shim holds already. @throws `not-found` when it does not. */
export async function findTask(shim: TaskShim, id: string): Promise<Task> {
  const { pid } = await shim.call('State', { id });
  return new ShimTask(shim, id, pid);
}

class ShimProcess implements Process {
  readonly id: string;
  readonly #execId: string;
  protected readonly call: ShimCall;
  #pid: number;
  #exit: Promise<Exit> | undefined;

  constructor(call: ShimCall, id: string, execId: string, pid: number) {
    this.call = call;
    this.id = id;
    this.#execId = execId;
    this.#pid = pid;
  }

  get pid(): number {
    return this.#pid;
  }

  get #key() {
    return { id: this.id, execId: this.#execId };
  }

  async start(): Promise<number> {
    this.#pid = (await this.call('Start', this.#key)).pid;
    return this.#pid;
  }

  wait(): Promise<Exit> {
    this.#exit ??= this.call('Wait', this.#key).then(exitOf);
    return this.#exit;
  }

  async kill(signal: number): Promise<void> {
    await this.call('Kill', { ...this.#key, signal });
  }

  async resize({ width, height }: { width: number; height: number }): Promise<void> {
    await this.call('ResizePty', { ...this.#key, width, height });
  }

  async closeStdin(): Promise<void> {
    await this.call('CloseIO', { ...this.#key, stdin: true });
  }

  async state(): Promise<TaskState> {
    const state = await this.call('State', this.#key);
    return { status: STATUSES[state.status] ?? 'unknown', pid: state.pid, exit: exitOf(state) };
  }

  async delete(): Promise<Exit> {
    return exitOf(await this.call('Delete', this.#key));
  }
}

class ShimTask extends ShimProcess implements Task {
  readonly #shim: TaskShim;

  constructor(shim: TaskShim, id: string, pid: number) {
    super(shim.call, id, '', pid);
    this.#shim = shim;
  }

  get shim(): string {
    return this.#shim.address;
  }

  override async delete(): Promise<Exit> {
    const exit = await super.delete();
    this.#shim.forget(this.id);
    return exit;
  }

  async pids(): Promise<number[]> {
    const { processes } = await this.call('Pids', { id: this.id });
    return processes.map(({ pid }) => pid ?? 0);
  }

  async pause(): Promise<void> {
    await this.call('Pause', { id: this.id });
  }

  async resume(): Promise<void> {
    await this.call('Resume', { id: this.id });
  }

  async update(resources: object): Promise<void> {
    await this.call('Update', { id: this.id, resources: jsonAny(RESOURCES_SPEC, resources) });
  }

  async exec(execId: string, options: ExecOptions): Promise<Process> {
    const { process, ...stdio } = options;
    await this.call('Exec', { id: this.id, execId, ...stdio, spec: jsonAny(PROCESS_SPEC, process) });
    return new ShimProcess(this.call, this.id, execId, 0);
  }

  adoptExec(execId: string): Process {
    return new ShimProcess(this.call, this.id, execId, 0);
  }

  async killAll(signal: number): Promise<void> {
    await this.call('Kill', { id: this.id, signal, all: true });
  }
}

function exitOf(answer: { exitStatus: number; exitedAt: Parameters<typeof timestampText>[0] }): Exit {
  return { status: answer.exitStatus, at: timestampText(answer.exitedAt) };
}
