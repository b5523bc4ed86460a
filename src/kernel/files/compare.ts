import { FileWorker } from './file-worker.ts';
import type { BodyReader } from './frames.ts';
import type { FileView } from './view.ts';

/** What is compared of a file. `mode` has its type. */
export interface ComparedFile {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: { readonly seconds: number; readonly nanos: number };
  readonly devMajor: number;
  readonly devMinor: number;
  readonly capability: string;
}

/** A path that the upper directory says something about: what is there, and what is below; without both it was removed. */
export interface Compared {
  /** From the root. */
  readonly path: string;
  readonly file: ComparedFile | undefined;
  readonly before: ComparedFile | undefined;
}

/** Everything in an upper directory beside what it stands on; a directory comes before what is in it. */
export async function* compareFiles(
  view: Extract<FileView, { kind: 'pair' }>,
  signal: AbortSignal,
): AsyncGenerator<Compared> {
  await using worker = new FileWorker(view, 'compare', [], signal);
  for (let head = await worker.next(); head !== undefined; head = await worker.next()) {
    const body = await worker.body(head.length);
    body.letter();
    yield { path: body.text(), file: readCompared(body), before: readCompared(body) };
  }
}

function readCompared(body: BodyReader): ComparedFile | undefined {
  const length = body.uint();
  if (length === 0) return undefined;
  const [mode, uid, gid] = [body.uint(), body.uint(), body.uint()];
  const [size, seconds] = [body.long(), body.long()];
  const [nanos, devMajor, devMinor] = [body.uint(), body.uint(), body.uint()];
  return { mode, uid, gid, size, mtime: { seconds, nanos }, devMajor, devMinor, capability: body.text() };
}
