import { type ChildProcess, spawn } from 'node:child_process';
import { Redial } from './redial.ts';

// Node has no unix datagram sockets. Why perl: docs/decisions/0010-logs-that-are-sent-away.md.
// Reads messages that follow their length, sends each, and answers with one line: `ok`, or what the system said.
const SENDER = `
use Socket; $| = 1; binmode STDIN; my ($path, $s) = ($ARGV[0]);
sub dial { close $s if $s; socket($s, AF_UNIX, SOCK_DGRAM, 0) or return 0;
  setsockopt($s, SOL_SOCKET, SO_SNDBUF, 8388608); connect($s, sockaddr_un($path)) }
print dial() ? "ok\\n" : "$!\\n";
while (read(STDIN, my $head, 4) == 4) {
  my $n = unpack 'N', $head; read(STDIN, my $m, $n) == $n or last;
  my $sent = defined send($s, $m, 0);
  # 90: too long for a datagram; anything else may be a receiver that was started again.
  $sent = dial() && defined send($s, $m, 0) unless $sent || $! == 90;
  print $sent ? "ok\\n" : "$!\\n";
}`;

/** Sends datagrams to a unix socket, by a process of its own: a receiver that does not read holds up nobody else. */
export class UnixDatagrams {
  readonly #path: string;
  readonly #redial = new Redial();
  #child: ChildProcess | undefined;
  #answers = '';
  #waiting: PromiseWithResolvers<void> | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws in the words of Go's `net.Dial`. */
  async connect(): Promise<void> {
    if (this.#child === undefined) await this.#redial.run(() => this.#dial());
  }

  async send(bytes: Buffer): Promise<void> {
    await this.connect();
    const head = Buffer.alloc(4);
    head.writeUInt32BE(bytes.length);
    const answer = this.#answer();
    this.#child?.stdin?.write(Buffer.concat([head, bytes]));
    await answer;
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  async #dial(): Promise<void> {
    const answer = this.#answer();
    this.#start();
    try {
      await answer;
    } catch (error) {
      this.#stop();
      throw new Error(`dial unixgram ${this.#path}: connect: ${(error as Error).message.toLowerCase()}`, {
        cause: error,
      });
    }
  }

  #answer(): Promise<void> {
    if (this.#closed) return Promise.reject(new Error('the log is closed'));
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  #start(): void {
    const child = spawn('perl', ['-e', SENDER, this.#path], { stdio: ['pipe', 'pipe', 'ignore'] });
    this.#child = child;
    this.#answers = '';
    child.stdin.on('error', () => {});
    child.stdout.on('data', (chunk) => {
      if (this.#child === child) this.#read(String(chunk));
    });
    child.on('error', (error) => this.#gone(child, error));
    child.on('exit', () => this.#gone(child, new Error('the sender of datagrams ended')));
  }

  #gone(child: ChildProcess, error: Error): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#waiting?.reject(error);
  }

  #read(text: string): void {
    this.#answers += text;
    const end = this.#answers.indexOf('\n');
    if (end === -1) return;
    const line = this.#answers.slice(0, end);
    this.#answers = this.#answers.slice(end + 1);
    if (line === 'ok') this.#waiting?.resolve();
    else this.#waiting?.reject(new Error(line));
  }

  #stop(): void {
    const child = this.#child;
    this.#child = undefined;
    child?.kill('SIGKILL');
    this.#waiting?.reject(new Error('the log is closed'));
  }
}
