import { createServer, type Server } from "node:http";
import type { AddressInfo, LookupFunction } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createDialer, type DialerOptions, guardLookup } from "./dial.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Resolves names to what the test says, one list for each question. */
function resolver(...answers: string[][]): { lookup: LookupFunction; asked: string[] } {
  const asked: string[] = [];
  const lookup: LookupFunction = (hostname, options, callback) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? [];
    asked.push(hostname);
    const all = answer.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
    if ((options as { all?: boolean }).all) (callback as (error: null, all: unknown) => void)(null, all);
    else callback(null, all[0]?.address ?? "", all[0]?.family);
  };
  return { lookup, asked };
}

async function serve(handler: Parameters<typeof createServer>[1]): Promise<{ server: Server; port: number; connections: () => number }> {
  let connections = 0;
  const server = createServer(handler as never).on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { server, port: (server.address() as AddressInfo).port, connections: () => connections };
}

function dialer(options: Partial<DialerOptions> = {}) {
  const created = createDialer({ allowPrivate: false, ...options });
  closers.push(() => created.close());
  return created;
}

const get = { method: "GET" };

describe("createDialer: many at once", () => {
  it("waits for none of its own: a hundred answers that take longer than a connection may", async () => {
    const held: (() => void)[] = [];
    const { port } = await serve((_, response) => {
      held.push(() => response.end("ok"));
      if (held.length === 100) for (const answer of held) answer();
    });
    const { request } = dialer({ allowPrivate: true, limits: { connectMs: 5_000, headersMs: 20_000 } });
    const answers = await Promise.all(Array.from({ length: 100 }, () => request(new URL(`http://127.0.0.1:${port}/`), get)));
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([200]));
  });
});

describe("createDialer: strangers' URLs (P13)", () => {
  it.each([
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://１２７.0.0.1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:a9fe:a9fe]/latest/meta-data",
    "http://169.254.169.254/latest/meta-data",
    "http://10.0.0.1:8080/",
    "https://192.168.0.1/",
    "http://0.0.0.0/",
    "http://[fd00:ec2::254]/",
    "file:///etc/passwd",
    "ftp://example.org/",
    "http://user:secret@example.org/",
  ])("error: %s is refused before anything is sent", async (url) => {
    const { lookup, asked } = resolver(["8.8.8.8"]);
    await expect(dialer({ lookup }).request(new URL(url), get)).rejects.toMatchObject({ code: "ENDPOINT_REFUSED", param: "endpoint" });
    expect(asked).toEqual([]);
  });

  it.each([
    ["one private address", ["127.0.0.1"]],
    ["a private address behind public ones", ["8.8.8.8", "2606:4700::1", "10.0.0.1"]],
    ["a mapped one", ["::ffff:127.0.0.1"]],
    ["the metadata service", ["169.254.169.254"]],
  ])("error: a name with %s is refused, and nobody is connected to", async (_, addresses) => {
    const { port, connections } = await serve((_request, response) => response.end());
    const { lookup } = resolver(addresses);
    await expect(dialer({ lookup }).request(new URL(`http://provider.example:${port}/`), get)).rejects.toMatchObject({
      code: "ENDPOINT_REFUSED",
      facts: { host: "provider.example" },
    });
    expect(connections()).toBe(0);
  });

  it("error: a name that turns private between two requests is refused at the second", async () => {
    const { lookup, asked } = resolver(["192.0.0.192"], ["127.0.0.1"]);
    const guarded = dialer({ lookup });
    for (const _ of [1, 2])
      await expect(guarded.request(new URL("http://rebind.example/"), get)).rejects.toMatchObject({ code: "ENDPOINT_REFUSED" });
    expect(asked).toHaveLength(2);
  });

  it("behavior: the socket gets the very addresses that were checked; nothing is asked a second time", async () => {
    const { lookup, asked } = resolver(["8.8.8.8", "1.1.1.1"], ["127.0.0.1"]);
    const given = await new Promise((resolve) =>
      guardLookup(lookup)("rebind.example", { all: true }, (_error, addresses) => resolve(addresses)),
    );
    expect(given).toEqual([
      { address: "8.8.8.8", family: 4 },
      { address: "1.1.1.1", family: 4 },
    ]);
    expect(asked).toEqual(["rebind.example"]);
    const { lookup: single } = resolver(["8.8.8.8"]);
    expect(await new Promise((resolve) => guardLookup(single)("a.example", {}, (_error, address) => resolve(address)))).toBe("8.8.8.8");
  });

  it("behavior: for local development private addresses can be allowed", async () => {
    const { port } = await serve((_request, response) => response.end("hello"));
    const response = await dialer({ allowPrivate: true }).request(new URL(`http://127.0.0.1:${port}/`), get);
    expect(response.statusCode).toBe(200);
    response.destroy();
  });

  it("behavior: a redirect is an answer, never followed", async () => {
    const inner = await serve((_request, response) => response.end("secret"));
    const outer = await serve((_request, response) => response.writeHead(302, { location: `http://127.0.0.1:${inner.port}/` }).end());
    const response = await dialer({ allowPrivate: true }).request(new URL(`http://127.0.0.1:${outer.port}/`), get);
    expect(response.statusCode).toBe(302);
    response.destroy();
    expect(inner.connections()).toBe(0);
  });
});

describe("createDialer: limits", () => {
  const limits = { connectMs: 100, headersMs: 100 };

  it("error: no head in time", async () => {
    const { port } = await serve(() => {});
    const asked = dialer({ allowPrivate: true, limits }).request(new URL(`http://127.0.0.1:${port}/`), get);
    await expect(asked).rejects.toMatchObject({
      code: "PROVIDER_TIMEOUT",
      message: `The provider at 127.0.0.1:${port} is silent: no answer within 100 ms.`,
    });
  });

  it("error: a name that never resolves counts as connecting", async () => {
    const asked = dialer({ lookup: () => {}, limits }).request(new URL("http://slow.example/"), get);
    await expect(asked).rejects.toMatchObject({
      code: "PROVIDER_UNREACHABLE",
      message: "The provider at slow.example cannot be reached: no connection within 100 ms.",
    });
  });

  it("error: nobody listens", async () => {
    const { port, server } = await serve(() => {});
    await new Promise<void>((resolve) => server.close(() => resolve()));
    const asked = dialer({ allowPrivate: true }).request(new URL(`http://127.0.0.1:${port}/`), get);
    await expect(asked).rejects.toMatchObject({ code: "PROVIDER_UNREACHABLE", message: expect.stringContaining("nothing listens there") });
  });

  it("error: stopped before and while waiting", async () => {
    const { port } = await serve(() => stop.abort());
    const stop = new AbortController();
    const url = new URL(`http://127.0.0.1:${port}/`);
    const one = dialer({ allowPrivate: true });
    await expect(one.request(url, { ...get, signal: stop.signal })).rejects.toMatchObject({ code: "ABORTED" });
    await expect(one.request(url, { ...get, signal: stop.signal })).rejects.toMatchObject({ code: "ABORTED" });
  });
});
