const PROXIED = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGCONT'] as const;

/** Sends the signals this program receives to the container instead. Dispose to stop. */
export function proxySignals(kill: (signal: string) => Promise<void>): Disposable {
  const listeners = PROXIED.map((signal) => {
    const listener = () => {
      // A container that is gone already needs no signal; its end is told elsewhere.
      kill(signal.slice('SIG'.length)).catch(() => {});
    };
    process.on(signal, listener);
    return [signal, listener] as const;
  });
  return {
    [Symbol.dispose]: () => {
      for (const [signal, listener] of listeners) process.off(signal, listener);
    },
  };
}
