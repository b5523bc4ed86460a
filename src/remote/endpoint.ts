/** How a server proves what it is, and we to it. */
export interface TlsSettings {
  /** PEM of authorities that are trusted beside the system's. */
  readonly ca: readonly string[];
  /** PEM of the client's own certificate. */
  readonly cert?: string;
  readonly key?: string;
  /** False: any certificate will do. */
  readonly verify: boolean;
}

export type Capability = 'pull' | 'resolve' | 'push';

/** A server that may be asked for the images of a registry. */
export interface Endpoint {
  /** Where the API is, without a slash at the end: `https://host:5000/v2`. */
  readonly base: string;
  readonly tls: TlsSettings;
  /** Sent with every request to it. */
  readonly headers: Readonly<Record<string, string>>;
  readonly capabilities: ReadonlySet<Capability>;
  /** The registry it stands for, told to a mirror of many as `ns`. */
  readonly namespace: string | undefined;
  /** The registry itself, which alone is told the user's credentials. */
  readonly own: boolean;
}
