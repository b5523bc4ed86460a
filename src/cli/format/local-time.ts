const two = (value: number) => String(value).padStart(2, '0');

function offsetOf(date: Date, separator: string): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.trunc(size / 60))}${separator}${two(size % 60)}`;
}

const dayOf = (date: Date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
const clockOf = (date: Date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

/** RFC 3339 in local time; `nanos` (0 to 999999999) are shown with nine digits when given. */
export function rfc3339(seconds: number, nanos?: number): string {
  const date = new Date(seconds * 1000);
  const zone = date.getTimezoneOffset() === 0 ? 'Z' : offsetOf(date, ':');
  const fraction = nanos === undefined ? '' : `.${String(nanos).padStart(9, '0')}`;
  return `${dayOf(date)}T${clockOf(date)}${fraction}${zone}`;
}

function zoneName(date: Date): string {
  if (date.getTimezoneOffset() === 0) return 'UTC';
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date);
  const name = parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
  // Zones without letters of their own are named by their offset in Go.
  return /^[A-Z]+$/.test(name) ? name : offsetOf(date, '').replace(/00$/, '');
}

/** Go's `time.Time.String`: `2006-01-02 15:04:05 +0000 UTC`. */
export function goTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return `${dayOf(date)} ${clockOf(date)} ${offsetOf(date, '')} ${zoneName(date)}`;
}

/** Go's `time.ANSIC`, which Docker shows build times in: `Mon Jan  2 15:04:05 2006`, in UTC. */
export function ansic(rfc3339Time: string): string {
  const date = new Date(rfc3339Time);
  if (rfc3339Time === '' || Number.isNaN(date.getTime())) return rfc3339Time;
  const [weekday, day, month, year, clock] = date.toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${clock} ${year}`;
}
