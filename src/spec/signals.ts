import { invalid } from '../util/errors.ts';

// Source: signal(7), the numbers of x86 and arm.
const NUMBERS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    HUP: 1,
    INT: 2,
    QUIT: 3,
    ILL: 4,
    TRAP: 5,
    ABRT: 6,
    IOT: 6,
    BUS: 7,
    FPE: 8,
    KILL: 9,
    USR1: 10,
    SEGV: 11,
    USR2: 12,
    PIPE: 13,
    ALRM: 14,
    TERM: 15,
    STKFLT: 16,
    CHLD: 17,
    CLD: 17,
    CONT: 18,
    STOP: 19,
    TSTP: 20,
    TTIN: 21,
    TTOU: 22,
    URG: 23,
    XCPU: 24,
    XFSZ: 25,
    VTALRM: 26,
    PROF: 27,
    WINCH: 28,
    IO: 29,
    POLL: 29,
    PWR: 30,
    SYS: 31,
  }),
);

/** The real-time signals as the C library numbers them. */
const RTMIN = 34;
const RTMAX = 64;
/** As far as names go from either end; each signal has one. */
const MOST_ABOVE = 15;
const MOST_BELOW = 14;

function realTime(name: string): number | undefined {
  const match = /^(?:RTMIN(?:\+(\d{1,2}))?|RTMAX(?:-(\d{1,2}))?)$/.exec(name);
  if (match === null) return undefined;
  const [up, down] = [Number(match[1] ?? 0), Number(match[2] ?? 0)];
  if (up > MOST_ABOVE || down > MOST_BELOW) return undefined;
  return name.startsWith('RTMIN') ? RTMIN + up : RTMAX - down;
}

/**
 * The number of a signal given as a number or as a name with or without `SIG`, in any case, `RTMIN+n` and `RTMAX-n` included.
 *
 * @throws `invalid` `Invalid signal: x`.
 */
export function parseSignal(text: string): number {
  const name = text.toUpperCase().replace(/^SIG/, '');
  const number = /^\+?\d+$/.test(text) ? Number(text) : (NUMBERS.get(name) ?? realTime(name));
  if (number === undefined || number === 0) throw invalid(`Invalid signal: ${text}`);
  if (number > RTMAX) throw invalid(`The linux daemon does not support signal ${number}`);
  return number;
}

/** The number of a signal that was checked before; what is unknown becomes SIGTERM, as in dockerd for a stop signal. */
export function signalNumber(text: string): number {
  try {
    return parseSignal(text);
  } catch {
    return 15;
  }
}
