import { bool, type FlagSpec, list, text } from './flags/flag-spec.ts';

export const LOG_LEVEL_NAMES = ['debug', 'info', 'warn', 'error', 'fatal'];

/** Flags that stand before the command. `home` is the directory of the client's settings. */
export const globalFlags = (home: string): readonly FlagSpec[] => [
  text('config', 'Location of client config files', { default: JSON.stringify(home) }),
  text('c, context', 'Name of the context to use to connect to the daemon (only "default" is known)'),
  bool('D, debug', 'Enable debug mode'),
  list('H, host', 'Daemon socket to connect to'),
  text('l, log-level', 'Set the logging level ("debug", "info", "warn", "error", "fatal")', { default: '"info"' }),
  bool('tls', 'Use TLS; implied by --tlsverify'),
  text('tlscacert', 'Trust certs signed only by this CA', { default: JSON.stringify(`${home}/ca.pem`) }),
  text('tlscert', 'Path to TLS certificate file', { default: JSON.stringify(`${home}/cert.pem`) }),
  text('tlskey', 'Path to TLS key file', { default: JSON.stringify(`${home}/key.pem`) }),
  bool('tlsverify', 'Use TLS and verify the remote'),
  bool('v, version', 'Print version information and quit'),
  bool('h, help', 'Print usage', { hidden: true }),
];
