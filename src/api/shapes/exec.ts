import type { ExecView } from '../../engine/engine.ts';

/** `GET /exec/{id}/json`. */
export function execInspect(exec: ExecView) {
  const { request } = exec;
  const [entrypoint = '', ...args] = request.Cmd ?? [];
  return {
    ID: exec.id,
    Running: exec.running,
    ExitCode: exec.exitCode ?? null,
    ProcessConfig: {
      tty: request.Tty,
      entrypoint,
      arguments: args,
      privileged: request.Privileged,
      ...(request.User === '' ? {} : { user: request.User }),
    },
    OpenStdin: request.AttachStdin,
    OpenStderr: request.AttachStderr,
    OpenStdout: request.AttachStdout,
    CanRemove: false,
    ContainerID: exec.containerId,
    DetachKeys: request.DetachKeys,
    Pid: exec.pid,
  };
}
