import { createHash } from "node:crypto";
import { chmodSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { AppError, fromProblem, toProblem } from "@clawcompute/lib/errors";
import { type Done, type Order, orderWire } from "./orders.ts";

/** Longest name of a socket that every system takes. */
const LONGEST = 100;
const MAX_ORDER = 1_048_576;

/** Who has this folder's store open listens here. Only the same user of the machine can reach it. */
export function socketOf(folder: string): string {
  const name = createHash("sha256").update(resolve(folder)).digest("hex").slice(0, 16);
  if (process.platform === "win32") return `\\\\.\\pipe\\clawcompute-${name}`;
  const beside = `${resolve(folder)}.sock`;
  return beside.length <= LONGEST ? beside : join(tmpdir(), `clawcompute-${userInfo().uid}-${name}.sock`);
}

export interface HeldFolder {
  /** From now on orders are carried out; those that came earlier waited. */
  serve(carryOut: (order: Order) => Promise<Done>): void;
  release(): Promise<void>;
}

/** One process has an embedded store at a time, and others leave their orders with it. Throws CONFIG_INVALID while another one has it. */
export async function holdFolder(folder: string): Promise<HeldFolder> {
  const path = socketOf(folder);
  let serve: HeldFolder["serve"] = () => {};
  const ready = new Promise<(order: Order) => Promise<Done>>((resolve) => {
    serve = resolve;
  });
  const server = createServer((incoming, outgoing) => {
    const answer = async () => {
      const parts: Buffer[] = [];
      let size = 0;
      for await (const part of incoming as AsyncIterable<Buffer>) {
        size += part.length;
        if (size > MAX_ORDER) throw new AppError("BODY_TOO_LARGE", "The order is too large.");
        parts.push(part);
      }
      const order = orderWire.safeParse(JSON.parse(Buffer.concat(parts).toString("utf8")));
      if (!order.success) throw new AppError("BAD_REQUEST", "This is no order.");
      return await (await ready)(order.data);
    };
    answer().then(
      (done) => outgoing.end(encode(done)),
      (thrown) => {
        const error = AppError.from(thrown);
        outgoing.writeHead(error.status, { "content-type": "application/problem+json" }).end(JSON.stringify(toProblem(error)));
      },
    );
  });
  const listen = () =>
    new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      const refused = (error: NodeJS.ErrnoException) => resolve(error);
      server.once("error", refused).listen(path, () => {
        server.off("error", refused);
        resolve(undefined);
      });
    });
  let failed = await listen();
  if (failed?.code === "EADDRINUSE") {
    if (await answers(path)) throw inUse(folder);
    // Left over by a process that was killed.
    rmSync(path, { force: true });
    failed = await listen();
  }
  if (failed) throw inUse(folder, failed);
  if (process.platform !== "win32") chmodSync(path, 0o600);
  return {
    serve,
    release: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

/** Leaves an order with whoever has the folder; undefined when nobody has. Throws what came of it. */
export async function leaveOrder(folder: string, order: Order, signal: AbortSignal): Promise<Done | undefined> {
  const socketPath = socketOf(folder);
  if (!(await answers(socketPath))) return undefined;
  return await new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: "POST", path: "/", agent: false, signal }, async (response) => {
      try {
        const parts: Buffer[] = [];
        for await (const part of response as AsyncIterable<Buffer>) parts.push(part);
        const text = Buffer.concat(parts).toString("utf8");
        if (response.statusCode === 200) resolve(decode(text));
        else reject(fromProblem(JSON.parse(text), response.statusCode ?? 500));
      } catch (thrown) {
        reject(thrown);
      }
    });
    sent.once("error", reject);
    sent.end(JSON.stringify(order));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const say = (there: boolean) => {
      socket.destroy();
      resolve(there);
    };
    socket.once("connect", () => say(true)).once("error", () => say(false));
  });
}

function inUse(folder: string, cause?: Error): AppError {
  return new AppError("CONFIG_INVALID", `Another process has the store in ${folder}.`, {
    cause,
    hint: "Stop it, or give each process a DATA_DIR of its own.",
  });
}

// Amounts are whole numbers beyond what JSON's numbers hold. No free text is in an answer, so none is taken for one.
const encode = (done: Done): string => JSON.stringify(done, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
const decode = (text: string): Done =>
  JSON.parse(text, (_, value) => (typeof value === "string" && /^-?\d+n$/.test(value) ? BigInt(value.slice(0, -1)) : value));
