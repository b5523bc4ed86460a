import type { Attachment, LogQuery } from '../../engine/engine.ts';
import { invalid } from '../../util/errors.ts';
import type { Exchange, Handler, Takeover } from '../exchange.ts';
import { framed, outputType } from '../frames.ts';
import { joinProcess } from '../hijack.ts';
import { hijackRoute, type Route, route } from '../router.ts';
import { logLine } from '../shapes/log-line.ts';
import { joinWebSocket } from '../websocket.ts';

function logQuery({ query, signal }: Exchange): LogQuery {
  const stdout = query.flag('stdout');
  const stderr = query.flag('stderr');
  if (!stdout && !stderr) throw invalid('Bad parameters: you must choose at least one stream');
  const tail = /^\d+$/.test(query.text('tail')) ? Number(query.text('tail')) : undefined;
  const since = query.instant('since');
  const until = query.instant('until');
  return {
    stdout,
    stderr,
    follow: query.flag('follow'),
    signal,
    // Zero means no bound here, as it does for Docker.
    ...(since ? { since } : {}),
    ...(until ? { until } : {}),
    ...(tail === undefined ? {} : { tail }),
  };
}

/** How long a follower without anything to read may wait for the head of its answer, in milliseconds. */
const HEAD_DELAY = 100;

/** Waits for a first batch, so that an error can be a status; a follower's may be hours away, so not for long. */
async function settleFirst(first: Promise<unknown>, follow: boolean): Promise<void> {
  if (!follow) return void (await first);
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, HEAD_DELAY);
  try {
    await Promise.race([first, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

const logs: Handler = async (x, reply) => {
  const ref = x.param('id');
  const query = logQuery(x);
  const tty = x.engine.containers.get(ref).config.Tty;
  const shape = { timestamps: x.query.flag('timestamps'), details: x.query.flag('details') };
  const batches = x.engine.containers.logs(ref, query)[Symbol.asyncIterator]();
  const first = batches.next();
  await settleFirst(first, query.follow);
  const body = reply.stream(outputType(tty, x.api));
  for (let batch = await first; !batch.done; batch = await batches.next()) {
    const lines = batch.value.map((entry) => ({ stream: entry.stream, data: logLine(entry, shape) }));
    // One piece of the reply a batch, not two a line: each is a chunk of its own on the wire.
    await body.write(tty ? Buffer.concat(lines.map(({ data }) => data)) : framed(lines));
  }
  body.end();
};

/** Of our own: Docker has no way to empty a log. */
const clearLogs: Handler = async (x, reply) => {
  await x.engine.containers.clearLogs(x.param('id'));
  reply.empty(204);
};

interface Wants {
  stdin: boolean;
  output: boolean;
}

function checkAttach(x: Exchange): { attachment: Attachment; wants: Wants } {
  const { engine, query } = x;
  const stdin = query.flag('stdin');
  const stdout = query.flag('stdout');
  const stderr = query.flag('stderr');
  const attachment = engine.containers.attach(x.param('id'), {
    logs: query.flag('logs'),
    stream: query.flag('stream'),
    stdin,
    stdout,
    stderr,
    detachKeys: query.text('detachKeys'),
  });
  return { attachment, wants: { stdin: stdin && query.flag('stream'), output: stdout || stderr } };
}

async function attach(x: Exchange, takeover: Takeover): Promise<void> {
  const { attachment, wants } = checkAttach(x);
  await joinProcess(x, takeover, attachment, wants);
}

async function attachWebSocket(x: Exchange, takeover: Takeover): Promise<void> {
  const { attachment, wants } = checkAttach(x);
  if (!takeover.upgraded) throw invalid('bad handshake: the request does not ask for a websocket');
  await joinWebSocket(x, takeover, attachment, wants);
}

/** What containers print, and what they are told. */
export const containerStreamRoutes: readonly Route[] = [
  route('GET', '/containers/:id/logs', logs),
  route('DELETE', '/containers/:id/logs', clearLogs),
  hijackRoute('POST', '/containers/:id/attach', attach),
  hijackRoute('GET', '/containers/:id/attach/ws', attachWebSocket),
];
