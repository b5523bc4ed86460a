/** The container of a log, as its tag and attributes are made of it. */
export interface LogSubject {
  id: string;
  /** Without slash. */
  name: string;
  imageId: string;
  imageName: string;
  /** RFC 3339. */
  created: string;
  /** The process and its arguments. */
  command: readonly string[];
  labels: Readonly<Record<string, string>>;
  /** `NAME=value`. */
  env: readonly string[];
  /** Where a `json-file` keeps it; empty for another driver. */
  path: string;
}
