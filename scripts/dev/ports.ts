import { createServer } from "node:net";
import { AppError } from "@clawcompute/lib/errors";

const LOOK_AHEAD = 100;

/** Ports handed out by this process, which nobody listens on yet. */
const given = new Set<number>();

export interface ChosenPort {
  readonly port: number;
  /** True when the wanted one was taken. */
  readonly moved: boolean;
}

/** `wanted`, or the next free one after it; 0: any free one. Throws CONFIG_INVALID when a hundred in a row are taken. */
export async function choosePort(wanted: number): Promise<ChosenPort> {
  for (let port = wanted; port <= wanted + LOOK_AHEAD; port += 1) {
    const bound = await bindOnce(wanted === 0 ? 0 : port);
    if (bound === undefined || given.has(bound)) continue;
    given.add(bound);
    return { port: bound, moved: wanted !== 0 && bound !== wanted };
  }
  throw new AppError("CONFIG_INVALID", `The ports ${wanted} to ${wanted + LOOK_AHEAD} are all taken.`, { hint: "End what listens there." });
}

/** The port if it is free on this machine, on every address. */
async function bindOnce(port: number): Promise<number | undefined> {
  const loopback = await listens("127.0.0.1", port);
  if (loopback === undefined) return undefined;
  return (await listens("0.0.0.0", loopback)) === undefined ? undefined : loopback;
}

function listens(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(undefined));
    server.listen({ host, port, exclusive: true }, () => {
      const { port: bound } = server.address() as { port: number };
      server.close(() => resolve(bound));
    });
  });
}
