import { connect, createServer, type Server, type Socket } from "node:net";

export interface Relay {
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** A plain TCP balancer: each connection goes to the next target; one that cannot be reached is passed over. It knows nothing of HTTP. */
export function startBalancer(ports: readonly number[]): Promise<Relay> {
  let turn = 0;
  return listen((client) => {
    const order = ports.map((_, index) => ports[(turn + index) % ports.length] as number);
    turn += 1;
    const tryNext = () => {
      const port = order.shift();
      if (port === undefined) return void client.destroy();
      const server = connect(port, "127.0.0.1");
      server.once("connect", () => join(client, server));
      server.once("error", () => (server.connecting || server.bytesRead === 0 ? tryNext() : client.destroy()));
    };
    tryNext();
  });
}

/** What becomes of a piece of the conversation; "hold" lets nothing more through in either direction. */
export type Watch = (piece: Buffer, from: "client" | "server") => "pass" | "hold";

/** A line to a server on which a story listens in, and holds what it wants to be lost. */
export function startTap(port: number, watch: () => Watch): Promise<Relay> {
  return listen((client) => {
    const server = connect(port, "127.0.0.1");
    let held = false;
    const relay = (from: "client" | "server", source: Socket, target: Socket) => {
      source.on("data", (piece: Buffer) => {
        held ||= watch()(piece, from) === "hold";
        if (!held) target.write(piece);
      });
      source.on("close", () => target.destroy());
      source.on("error", () => target.destroy());
    };
    relay("client", client, server);
    relay("server", server, client);
  });
}

function join(client: Socket, server: Socket): void {
  client.pipe(server);
  server.pipe(client);
  for (const [one, other] of [
    [client, server],
    [server, client],
  ] as const) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}

async function listen(onClient: (client: Socket) => void): Promise<Relay> {
  const open = new Set<Socket>();
  const server: Server = createServer((client) => {
    open.add(client);
    client.setNoDelay(true);
    client.on("error", () => {});
    client.on("close", () => open.delete(client));
    onClient(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const client of open) client.destroy();
      }),
  };
}
