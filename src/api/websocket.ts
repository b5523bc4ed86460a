import type { IncomingMessage } from 'node:http';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import type { Attachment } from '../engine/engine.ts';
import type { Exchange, Takeover } from './exchange.ts';
import { outputSink } from './output-sink.ts';

const acceptor = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload: 1 << 20 });

function accept(req: IncomingMessage, { socket, head }: Takeover): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    socket.once('close', () => reject(new Error('the websocket was not accepted')));
    acceptor.handleUpgrade(req, socket, head, resolve);
  });
}

/** Attaches a websocket to a process: binary messages both ways, both outputs mixed, as Docker has it. */
export async function joinWebSocket(
  x: Exchange,
  takeover: Takeover,
  attachment: Attachment,
  wants: { stdin: boolean; output: boolean },
): Promise<void> {
  const websocket = await accept(x.req, takeover);
  const duplex = createWebSocketStream(websocket);
  duplex.on('error', (error) => x.log.debug('websocket broke', { error }));
  if (!wants.stdin) duplex.resume();
  try {
    await attachment.connect({
      stdin: wants.stdin ? duplex : undefined,
      sink: wants.output ? outputSink(duplex, false) : undefined,
      signal: x.signal,
    });
  } catch (error) {
    x.log.error('attaching a websocket failed', { error });
  } finally {
    duplex.end();
  }
}
