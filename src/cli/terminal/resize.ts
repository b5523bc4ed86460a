import type { Size } from '../../client/client.ts';

/** The terminal's size, or undefined when the stream is none. */
export function sizeOf(stdout: NodeJS.WriteStream): Size | undefined {
  if (!stdout.isTTY || stdout.columns === 0 || stdout.rows === 0) return undefined;
  return { width: stdout.columns, height: stdout.rows };
}

/**
 * Tells the process its terminal's size now and whenever it changes. The first call may come before the process is
 * there, so it is tried again a few times. Dispose to stop.
 */
export function followSize(stdout: NodeJS.WriteStream, resize: (size: Size) => Promise<void>): Disposable {
  let retry: NodeJS.Timeout | undefined;
  const send = (attempts: number) => {
    const size = sizeOf(stdout);
    if (size === undefined) return;
    resize(size).catch(() => {
      if (attempts > 1) retry = setTimeout(() => send(attempts - 1), 10 * (11 - attempts));
    });
  };
  const onResize = () => send(1);
  stdout.on('resize', onResize);
  send(10);
  return {
    [Symbol.dispose]: () => {
      clearTimeout(retry);
      stdout.off('resize', onResize);
    },
  };
}
