import type { Log } from '../../util/log.ts';
import { decode, encode } from './messages.ts';
import { serveTtrpc } from './ttrpc-server.ts';

const FORWARD = 'containerd.services.events.ttrpc.v1.Events/Forward';
const OOM_TOPIC = '/tasks/oom';

/**
 * Listens for what shims report. Exits are learnt from `Wait`; of the events only "out of memory" is told nowhere else.
 * Source: github.com/containerd/containerd api/services/ttrpc/events/v1/events.proto.
 */
export function serveShimEvents(
  path: string,
  { log, onOom }: { log: Log; onOom: (containerId: string) => void },
): Promise<AsyncDisposable> {
  const forward = (payload: Uint8Array): Uint8Array => {
    const { envelope } = decode('ForwardRequest', payload);
    log.debug('shim event', { topic: envelope?.topic });
    if (envelope?.topic === OOM_TOPIC) onOom(decode('TaskOom', envelope.event?.value ?? new Uint8Array()).containerId);
    return encode('Empty', {});
  };
  return serveTtrpc(path, new Map([[FORWARD, forward]]));
}
