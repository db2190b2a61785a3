/** Half of what nats-server holds back for a connection; the other half is for what comes by itself. */
export const maxReplayBytes = 8 * 1024 * 1024;
/** What has not come by then will not, and must not hold up others. */
const maxTurnMs = 2000;
/** Before it is sent, more comes. */
const growth = 1.25;

interface Turn {
  readonly bytes: number;
  readonly begin: () => void;
}

/** Those of all cameras, whose pictures come over one connection. */
const asked = new Set<Turn>();
const waiting = new Set<Turn>();

const askedBytes = () => [...asked].reduce((sum, { bytes }) => sum + bytes, 0);

/**
 * Many cameras that wake up at once would have more sent to them than the bus can hold back. Each asks for what it has slept
 * through when that of the others has come; none waits for its decoder here.
 *
 * @param bytes of what comes, as far as they are known
 * @param begin asks for it
 * @returns to be called when it has come, or is not wanted any more
 */
export function askInTurn(bytes: number, begin: () => void): () => void {
  const turn = { bytes: bytes * growth, begin };
  waiting.add(turn);
  beginNext();
  return () => end(turn);
}

function beginNext(): void {
  for (const turn of waiting) {
    if (asked.size > 0 && askedBytes() + turn.bytes > maxReplayBytes) return;
    waiting.delete(turn);
    asked.add(turn);
    setTimeout(() => end(turn), maxTurnMs).unref();
    turn.begin();
  }
}

function end(turn: Turn): void {
  waiting.delete(turn);
  if (asked.delete(turn)) beginNext();
}
