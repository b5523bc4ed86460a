import { internal } from '../../util/errors.ts';

/**
 * One ttrpc message on the wire: length u32, stream id u32, type u8, flags u8, all big-endian, then the payload.
 * Source: github.com/containerd/ttrpc, PROTOCOL.md.
 */
export interface Frame {
  stream: number;
  type: number;
  payload: Buffer;
}

export const REQUEST = 1;
export const RESPONSE = 2;

const HEADER_BYTES = 10;
/** The protocol's own limit. */
const MAX_PAYLOAD = 4 << 20;

/** @throws `internal` when the payload is larger than the protocol allows. */
export function encodeFrame(frame: { stream: number; type: number; payload: Uint8Array }): Buffer {
  const { stream, type, payload } = frame;
  checkLength(payload.length);
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  bytes.writeUInt32BE(payload.length, 0);
  bytes.writeUInt32BE(stream, 4);
  bytes.writeUInt8(type, 8);
  bytes.writeUInt8(0, 9);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** Cuts a byte stream into frames, however the bytes are split. Not usable after it threw. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are complete with this chunk. @throws `internal` on a length the protocol forbids. */
  push(chunk: Buffer): Frame[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const length = bytes.readUInt32BE(at);
      checkLength(length);
      const end = at + HEADER_BYTES + length;
      if (bytes.length < end) break;
      const payload = bytes.subarray(at + HEADER_BYTES, end);
      frames.push({ stream: bytes.readUInt32BE(at + 4), type: bytes.readUInt8(at + 8), payload });
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }
}

function checkLength(length: number): void {
  if (length > MAX_PAYLOAD)
    throw internal(`a ttrpc message of ${length} bytes is longer than the ${MAX_PAYLOAD} allowed`);
}
