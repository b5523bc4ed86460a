/** The layouts of the option `syslog-format`; the first is what a syslog daemon of the host is used to. */
export const SYSLOG_FORMATS = ['', 'rfc3164', 'rfc5424', 'rfc5424micro'] as const;
export type SyslogFormat = (typeof SYSLOG_FORMATS)[number];

export interface SyslogHead {
  priority: number;
  tag: string;
  host: string;
  pid: number;
  /** Nanoseconds since the epoch. */
  time: bigint;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (n: number): string => String(n).padStart(2, '0');

/** What comes before the text of a message. */
export function formatSyslog(format: SyslogFormat, { priority, tag, host, pid, time }: SyslogHead): string {
  const at = new Date(Number(time / 1_000_000n));
  const micros = format === 'rfc5424micro' ? `.${String((time / 1000n) % 1_000_000n).padStart(6, '0')}` : '';
  if (format === '') return `<${priority}>${stamp(at)} ${tag}[${pid}]: `;
  if (format === 'rfc3164') return `<${priority}>${stamp(at)} ${host} ${tag}[${pid}]: `;
  return `<${priority}>1 ${rfc3339(at, micros)} ${host} ${tag} ${pid} ${tag} - `;
}

/** `Jan _2 15:04:05`, in the zone of this process. */
function stamp(at: Date): string {
  return `${MONTHS[at.getMonth()]} ${String(at.getDate()).padStart(2)} ${clock(at)}`;
}

const clock = (at: Date): string => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;

function rfc3339(at: Date, fraction: string): string {
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const offset = -at.getTimezoneOffset();
  const ahead = Math.abs(offset);
  const zone = offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
  return `${date}T${clock(at)}${fraction}${zone}`;
}
