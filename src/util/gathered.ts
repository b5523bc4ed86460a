/** What is not larger than half of this is copied. */
const PIECE = 1 << 16;

/**
 * Joins the small pieces of a stream to larger ones, as each costs whoever passes it on; large ones go through as they are.
 * Pieces that were taken before an error are lost with it.
 */
export async function* gathered(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let room = Buffer.allocUnsafeSlow(PIECE);
  let filled = 0;
  for await (const piece of pieces) {
    const large = piece.length > PIECE / 2;
    if (filled > 0 && (large || filled + piece.length > PIECE)) {
      yield room.subarray(0, filled);
      room = Buffer.allocUnsafeSlow(PIECE);
      filled = 0;
    }
    if (large) yield piece;
    else filled += piece.copy(room, filled);
  }
  if (filled > 0) yield room.subarray(0, filled);
}
