import { AppError } from "@clawcompute/lib/errors";

const KEY = /(^|[^0-9a-f])(0x)?[0-9a-f]{64}([^0-9a-f]|$)/i;
const PHRASE_LENGTH = 12;

/** Throws when what was typed holds a private key or a recovery phrase, in one argument or in many. Never repeats it. */
export function refuseSecrets(typed: readonly string[]): void {
  if (!typed.some((text) => KEY.test(text)) && longestRun(typed) < PHRASE_LENGTH) return;
  throw new AppError("BAD_REQUEST", "That looks like a private key or a recovery phrase, so nothing was done with it.", {
    hint: "Take it for known to others now: it is in this shell's history. Move what it holds to a new wallet. Setup needs an address (0x and 40 hex digits) at most.",
  });
}

/** The most words in a row that could stand in a recovery phrase. */
function longestRun(typed: readonly string[]): number {
  let run = 0;
  let longest = 0;
  for (const word of typed.join(" ").split(/[\s,]+/)) {
    run = /^[a-z]{3,8}$/i.test(word) ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}
