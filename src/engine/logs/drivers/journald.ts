import { existsSync } from 'node:fs';
import { shortId } from '../../../util/id.ts';
import { extraAttributes } from '../extra-attributes.ts';
import type { LogSubject } from '../log-subject.ts';
import { tagOf } from '../log-tag.ts';
import { LABEL_OPTIONS, type LogDriver, type LogMessage, type LogOptions, type LogSink } from './driver.ts';
import { journalEntry } from './journal-entry.ts';
import { UnixDatagrams } from './unix-datagrams.ts';

const SOCKET = '/run/systemd/journal/socket';
const [INFO, ERROR] = ['6', '3'];

/** The name of a field that a label or a variable becomes: capitals, digits and underscores, none of them first. */
function fieldName(name: string): string {
  return name
    .toUpperCase()
    .replace(/[^A-Z0-9_]/g, '_')
    .replace(/^_+/, '');
}

function open(options: LogOptions, subject: LogSubject): LogSink {
  if (!existsSync(SOCKET)) throw new Error('journald is not enabled on this host');
  return openJournal(SOCKET, options, subject);
}

/** The fields that say something of the container and are not of the journal's own making. */
function details(options: LogOptions, subject: LogSubject): Record<string, string> {
  const extra = Object.entries(extraAttributes(options, subject)).map(([name, value]) => [fieldName(name), value]);
  return { IMAGE_NAME: subject.imageName, ...Object.fromEntries(extra.filter(([name]) => name !== '')) };
}

/** Sends to the journal whose socket is at `path`. */
export function openJournal(path: string, options: LogOptions, subject: LogSubject): LogSink {
  const tag = tagOf(options, subject);
  const fields = {
    CONTAINER_ID: shortId(subject.id),
    CONTAINER_ID_FULL: subject.id,
    CONTAINER_NAME: subject.name,
    CONTAINER_TAG: tag,
    SYSLOG_IDENTIFIER: tag,
    // As in Docker, a label that was asked for may stand for one of these.
    ...details(options, subject),
  };
  const journal = new UnixDatagrams(path);
  return {
    connect: () => journal.connect(),
    send: async ({ stream, line, partial }: LogMessage) => {
      const PRIORITY = stream === 'stderr' ? ERROR : INFO;
      await journal.send(journalEntry({ ...fields, ...partialFields(partial), PRIORITY, MESSAGE: line }));
    },
    close: () => journal.close(),
  };
}

function partialFields(partial: LogMessage['partial']): Record<string, string> {
  if (partial === undefined) return {};
  return {
    CONTAINER_PARTIAL_ID: partial.id,
    CONTAINER_PARTIAL_ORDINAL: String(partial.ordinal),
    CONTAINER_PARTIAL_LAST: String(partial.last),
    ...(partial.last ? {} : { CONTAINER_PARTIAL_MESSAGE: 'true' }),
  };
}

/** Docker's `journald` driver. */
export const journald: LogDriver = { options: LABEL_OPTIONS, check: () => {}, open, details };
