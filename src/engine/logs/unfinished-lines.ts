import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { hasCode } from '../../util/errors.ts';

/** The starts of lines that have not ended, one for each stream. */
export interface Unfinished {
  stdout: Buffer;
  stderr: Buffer;
}

/**
 * Keeps unfinished lines in a small file beside the log, so that a daemon that is killed in the middle of a line does not lose
 * what was read of it. The file is overwritten in place and names the state of the log it belongs to: once the log has
 * grown by the finished line, the file is stale by itself and costs no second write.
 */
export class UnfinishedFile {
  readonly #path: string;
  #fd = -1;

  constructor(logPath: string) {
    this.#path = `${logPath}.unfinished`;
  }

  /** What an earlier daemon had read, if the log is still as that daemon left it. */
  read(mark: string): Unfinished | undefined {
    try {
      const bytes = readFileSync(this.#path);
      const head = bytes.indexOf(0x0a);
      const [wroteMark, out, err] = bytes.toString('latin1', 0, head).split(' ');
      const [first, second] = [head + 1 + Number(out), head + 1 + Number(out) + Number(err)];
      if (wroteMark !== mark || !(second <= bytes.length)) return undefined;
      return { stdout: bytes.subarray(head + 1, first), stderr: bytes.subarray(first, second) };
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }
  }

  /** @throws system errors such as ENOSPC. */
  write(mark: string, { stdout, stderr }: Unfinished): void {
    if (this.#fd === -1) this.#fd = openSync(this.#path, 'w', 0o640);
    const head = Buffer.from(`${mark} ${stdout.length} ${stderr.length}\n`, 'latin1');
    writeSync(this.#fd, Buffer.concat([head, stdout, stderr]), 0, undefined, 0);
  }

  close(): void {
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = -1;
  }

  remove(): void {
    this.close();
    rmSync(this.#path, { force: true });
  }
}
