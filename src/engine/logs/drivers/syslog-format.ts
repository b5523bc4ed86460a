/** The layouts of the option `syslog-format`; the first is what a syslog daemon of the host is used to. */
export const SYSLOG_FORMATS = ['', 'rfc3164', 'rfc5424', 'rfc5424micro'] as const;
export type SyslogFormat = (typeof SYSLOG_FORMATS)[number];

export interface SyslogHead {
  priority: number;
  tag: string;
  host: string;
  pid: number;
  at: Date;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (n: number): string => String(n).padStart(2, '0');

/** What comes before the text of a message. */
export function formatSyslog(format: SyslogFormat, { priority, tag, host, pid, at }: SyslogHead): string {
  if (format === '') return `<${priority}>${stamp(at)} ${tag}[${pid}]: `;
  if (format === 'rfc3164') return `<${priority}>${stamp(at)} ${host} ${tag}[${pid}]: `;
  return `<${priority}>1 ${rfc3339(at, format === 'rfc5424micro')} ${host} ${tag} ${pid} ${tag} - `;
}

/** `Jan _2 15:04:05`, in the zone of this process. */
function stamp(at: Date): string {
  return `${MONTHS[at.getMonth()]} ${String(at.getDate()).padStart(2)} ${clock(at)}`;
}

const clock = (at: Date): string => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;

function rfc3339(at: Date, micro: boolean): string {
  const date = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const fraction = micro ? `.${String(at.getMilliseconds()).padStart(3, '0')}000` : '';
  const offset = -at.getTimezoneOffset();
  const ahead = Math.abs(offset);
  const zone = offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${two(Math.floor(ahead / 60))}:${two(ahead % 60)}`;
  return `${date}T${clock(at)}${fraction}${zone}`;
}
