import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { encodeSse } from "@clawcompute/lib/protocol";
import type { Hex } from "viem";
import type { Sink } from "../answer.ts";
import type { Piece } from "../answers/work.ts";
import type { RouteContext } from "./handler.ts";

/** An answer as server-sent events, written straight to the socket: no event waits for the next one. */
export interface EventStream extends Sink {
  /** Resolves when the head of the response is out; from then on errors can only be events. */
  readonly opened: Promise<void>;
  /** Aborts when the caller's connection closes before the end. */
  readonly gone: AbortSignal;
  /** Last events, not part of the receipt's hash, and the end. */
  finish(pieces: readonly Piece[]): void;
  /** An error as the last event; there is no [DONE] after it. */
  fail(piece: Piece): void;
}

const MOST_AT_ONCE = 65_536;

/** A reader that takes nothing for this long has gone, whatever its socket says. */
const UNREAD_MS = 60_000;

export function createEventStream(c: RouteContext, requestId: string): EventStream {
  const response = c.env.outgoing as ServerResponse;
  const gone = goneSignal(response);
  const hash = createHash("sha256");
  const held: string[] = [];
  /** What this turn of the event loop has to say: it leaves as one write. */
  let saying = "";
  /** What was said and is not in the hash yet. */
  let unhashed = "";
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = () => {
      if (response.headersSent || response.destroyed) return;
      for (const [name, value] of c.res.headers) response.setHeader(name, value);
      response.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
        "x-request-id": requestId,
      });
      response.socket?.setNoDelay(true);
      for (const text of held.splice(0)) write(text);
      resolve();
    };
  });

  const digest = () => {
    if (unhashed !== "") hash.update(unhashed);
    unhashed = "";
  };
  const say = () => {
    const text = saying;
    saying = "";
    digest();
    if (text !== "" && !response.destroyed && !response.writableEnded) response.write(text);
  };
  const write = (text: string): void => {
    if (saying === "") process.nextTick(say);
    saying += text;
  };
  const end = () => {
    open();
    const text = saying;
    saying = "";
    if (!response.destroyed && !response.writableEnded) response.end(text);
  };

  return {
    live: true,
    opened,
    gone: gone.signal,
    deliver: (piece) => {
      open();
      if (typeof piece.data === "string") unhashed += `${piece.data}\n`;
      else {
        digest();
        hash.update(piece.data).update("\n");
      }
      write(encodePiece(piece));
      if (saying.length > MOST_AT_ONCE) say();
      return response.writableNeedDrain ? room(response, gone) : undefined;
    },
    comment: (text) => {
      if (response.headersSent) write(`: ${text}\n\n`);
      else held.push(`: ${text}\n\n`);
    },
    beside: (piece) => {
      if (response.headersSent) write(encodePiece(piece));
      else held.push(encodePiece(piece));
    },
    alive: () => {
      open();
      write(": alive\n\n");
    },
    seal: () => {
      digest();
      return `0x${hash.digest("hex")}` as Hex;
    },
    finish: (pieces) => {
      open();
      for (const piece of pieces) write(encodePiece(piece));
      end();
    },
    fail: (piece) => {
      write(encodePiece(piece));
      end();
    },
  };
}

const encodePiece = ({ data, event }: Piece): string => encodeSse(String(data), event);

/** Aborts when the connection closes before the response was finished. */
export function goneSignal(response: ServerResponse): AbortController {
  const gone = new AbortController();
  const leave = () => {
    if (!response.writableFinished) gone.abort();
  };
  if (response.destroyed) leave();
  else response.once("close", leave);
  return gone;
}

/** Resolves when the reader has caught up, or has gone. */
function room(response: ServerResponse, gone: AbortController): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => {
      gone.abort();
      response.destroy();
    }, UNREAD_MS);
    const done = () => {
      clearTimeout(late);
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
  });
}
