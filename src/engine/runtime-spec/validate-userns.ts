import type { HostConfig } from '../../spec/container.ts';
import { invalid } from '../../util/errors.ts';

/** Checks what a container in a user namespace of its own may have of the host. @throws `invalid` in Docker's words. */
export function validateUserns({ Privileged, NetworkMode, PidMode }: HostConfig): void {
  if (Privileged) {
    throw invalid(
      'privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode',
    );
  }
  if (NetworkMode === 'host') {
    throw invalid("cannot share the host's network namespace when user namespaces are enabled");
  }
  if (PidMode === 'host') throw invalid('cannot share the host PID namespace when user namespaces are enabled');
}
