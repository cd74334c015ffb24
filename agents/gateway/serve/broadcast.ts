import type { ServerResponse } from "node:http";
import type { AppError } from "@clawcompute/lib/errors";
import type { AppEnv } from "@clawcompute/lib/node";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Context } from "hono";

export type RouteContext = Context<AppEnv>;

/**
 * One response that several callers may read: the one who asked, and retries of the same request that come while it runs or soon
 * after. Written straight to the sockets: no piece waits for the next one.
 */
export interface Broadcast {
  /** Status and headers; from then on errors can only be part of the body. */
  open(status: number, headers: Readonly<Record<string, string>>): void;
  readonly isOpen: boolean;
  /** Resolves when every reader has room for more. */
  write(text: string): Promise<void>;
  end(): void;
  /** Nothing was opened and nothing will be. */
  fail(error: AppError): void;
  /** Aborts when nobody reads any more and the end has not come. */
  readonly abandoned: AbortSignal;
  /** Resolves when the body has ended or the error is there. */
  readonly over: Promise<void>;
  /** When the last byte was written, or the body broke off: unix ms of the caller's clock. */
  readonly lastWriteMs: number;
  /** The response for one reader. Throws the error when there is one instead. */
  join(c: RouteContext): Promise<Response>;
  /** Whether a later reader can still get all of it. */
  readonly canReplay: boolean;
}

/** A reader that takes nothing for this long has gone, whatever its socket says. */
const UNREAD_MS = 60_000;
const MAX_RECORDING = 4 * 1_048_576;

export function createBroadcast({ record, now }: { record: boolean; now: () => number }): Broadcast {
  const readers = new Set<ServerResponse>();
  const abandoned = new AbortController();
  const parts: string[] = [];
  let recorded = 0;
  let whole = true;
  let head: { status: number; headers: Readonly<Record<string, string>> } | undefined;
  let done = false;
  let lastWriteMs = now();
  let settleOpened = (_error?: AppError) => {};
  const opened = new Promise<void>((resolve, reject) => {
    settleOpened = (error) => (error ? reject(error) : resolve());
  });
  opened.catch(() => {});
  let finish = () => {};
  const over = new Promise<void>((resolve) => {
    finish = resolve;
  });

  const begin = (response: ServerResponse) => {
    if (!head || response.headersSent || response.destroyed) return;
    response.writeHead(head.status, { ...head.headers });
    response.socket?.setNoDelay(true);
    response.flushHeaders();
    for (const part of parts) response.write(part);
  };
  const leave = (response: ServerResponse) => {
    if (!readers.delete(response)) return;
    if (readers.size === 0 && !done) abandoned.abort(new DOMException("nobody reads the answer any more", "AbortError"));
  };

  return {
    open: (status, headers) => {
      if (head) return;
      head = { status, headers };
      lastWriteMs = now();
      for (const reader of readers) begin(reader);
      settleOpened();
    },
    get isOpen() {
      return head !== undefined;
    },
    write: async (text) => {
      lastWriteMs = now();
      recorded += text.length;
      if (record && whole && recorded > MAX_RECORDING) {
        whole = false;
        parts.length = 0;
      }
      if (record && whole) parts.push(text);
      const waiting = [...readers].filter((reader) => !reader.destroyed && !reader.write(text));
      if (waiting.length > 0) await Promise.all(waiting.map((reader) => room(reader)));
    },
    end: () => {
      done = true;
      for (const reader of readers) reader.end();
      finish();
    },
    fail: (error) => {
      done = true;
      settleOpened(error);
      finish();
    },
    abandoned: abandoned.signal,
    over,
    get lastWriteMs() {
      return lastWriteMs;
    },
    get canReplay() {
      return record && whole;
    },
    join: async (c) => {
      const response = (c.env as { outgoing: ServerResponse }).outgoing;
      readers.add(response);
      response.once("close", () => leave(response));
      if (response.destroyed) leave(response);
      if (head) begin(response);
      await opened;
      if (done && !response.writableEnded) response.end();
      return RESPONSE_ALREADY_SENT;
    },
  };
}

/** Resolves when the reader has caught up, or has gone. */
function room(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(() => response.destroy(), UNREAD_MS);
    const finish = () => {
      clearTimeout(late);
      response.off("drain", finish);
      response.off("close", finish);
      resolve();
    };
    response.once("drain", finish);
    response.once("close", finish);
  });
}
