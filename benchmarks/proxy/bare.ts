// The least a proxy can do: node:http, kept-alive connections, bytes piped. Argument: the upstream's port. Prints its own.
import { Agent, createServer, request } from "node:http";

const port = Number(process.argv[2]);
const agent = new Agent({ keepAlive: true, scheduling: "lifo" });
const server = createServer((incoming, outgoing) => {
  const { host: _, ...headers } = incoming.headers;
  const upstream = request({ agent, host: "127.0.0.1", port, method: incoming.method, path: incoming.url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    outgoing.flushHeaders();
    answer.pipe(outgoing);
  });
  upstream.once("error", () => outgoing.destroy());
  outgoing.once("close", () => upstream.destroy());
  incoming.pipe(upstream);
});
server.keepAliveTimeout = 65_000;
server.listen(0, "127.0.0.1", () => console.log(`port ${(server.address() as { port: number }).port}`));
