import * as v from 'valibot';
import { ExecBodySchema } from '../../spec/container.ts';
import { flag, sizeOrNull } from '../../spec/json.ts';
import { invalid } from '../../util/errors.ts';
import type { Exchange, Takeover } from '../exchange.ts';
import { answerRaw, joinProcess } from '../hijack.ts';
import { readJson } from '../json-body.ts';
import { hijackRoute, type Route, route } from '../router.ts';
import { execInspect } from '../shapes/exec.ts';

type Headers = readonly (readonly [string, string])[];

const StartBodySchema = v.object({
  Detach: flag(),
  Tty: flag(),
  ConsoleSize: sizeOrNull(),
});

async function start(x: Exchange, takeover: Takeover, headers: Headers): Promise<void> {
  const body = await readJson(x.req, StartBodySchema, { root: 'ExecStartOptions' });
  const id = x.param('id');
  if (body.Detach) {
    await x.engine.execs.startDetached(id);
    return answerRaw(takeover.socket, 200, headers, '');
  }
  const { AttachStdin, AttachStdout, AttachStderr } = x.engine.execs.get(id).request;
  const consoleSize = (body.Tty && x.api >= 42 && body.ConsoleSize) || undefined;
  const attachment = x.engine.execs.startAttached(id, { tty: body.Tty, consoleSize });
  await joinProcess(x, takeover, attachment, { stdin: AttachStdin, output: AttachStdout || AttachStderr }, headers);
}

/** Processes that are started inside running containers. `headers` are repeated in the head of a taken-over answer. */
export const execRoutes = (headers: Headers): readonly Route[] => [
  route('POST', '/containers/:id/exec', async (x, reply) => {
    const body = await readJson(x.req, ExecBodySchema, { root: 'ExecOptions' });
    if (!body.Cmd?.length) throw invalid('No exec command specified');
    if (x.api < 42) body.ConsoleSize = null;
    reply.json({ Id: await x.engine.execs.create(x.param('id'), body) }, 201);
  }),
  hijackRoute('POST', '/exec/:id/start', (x, takeover) => start(x, takeover, headers)),
  route('POST', '/exec/:id/resize', async (x, reply) => {
    const size = { height: x.query.requiredInt('h'), width: x.query.requiredInt('w') };
    await x.engine.execs.resize(x.param('id'), size);
    reply.empty(200);
  }),
  route('GET', '/exec/:id/json', (x, reply) => reply.json(execInspect(x.engine.execs.get(x.param('id'))))),
];
