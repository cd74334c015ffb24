import { createHash, timingSafeEqual } from "node:crypto";
import { AppError } from "@clawcompute/lib/errors";
import type { Client } from "../budget/budget.ts";
import type { ClientKey } from "../budget/clients.ts";
import type { RouteContext } from "./broadcast.ts";
import { isLoopback } from "./config.ts";

export interface AccessOptions {
  readonly host: string;
  readonly token: string | undefined;
  readonly clients: readonly ClientKey[] | undefined;
  readonly origins: readonly string[] | undefined;
}

/** Decides who may spend this wallet's money. */
export interface Access {
  /** Throws CLIENT_KEY_UNKNOWN or ORIGIN_REFUSED. */
  check(c: RouteContext): Client;
}

const sha256 = (text: string) => createHash("sha256").update(text).digest();

export function createAccess({ host, token, clients, origins }: AccessOptions): Access {
  const owner: Client = { name: "local", limits: {}, owner: true };
  const keys = [
    ...(clients ?? []).map(({ client, keySha256 }) => ({ client, digest: Buffer.from(keySha256, "hex") })),
    ...(token === undefined ? [] : [{ client: owner, digest: sha256(token) }]),
  ];

  /** A page in a browser may reach this machine too, by its own name or by one that resolves here. */
  function checkOrigin(c: RouteContext): void {
    const origin = c.req.header("origin");
    if (origin !== undefined && !origins?.includes("*") && !origins?.includes(origin)) {
      throw new AppError("ORIGIN_REFUSED", "Pages of this origin may not use the gateway.", {
        param: "origin",
        facts: { origin: origin.slice(0, 200) },
      });
    }
    if (keys.length > 0) return;
    const name = hostNameOf(c.req.header("host") ?? "");
    if (!isLoopback(name) && name !== host) {
      throw new AppError("ORIGIN_REFUSED", "The gateway does not go by this name.", { param: "host", facts: { host: name.slice(0, 200) } });
    }
  }

  return {
    check: (c) => {
      checkOrigin(c);
      if (keys.length === 0) return owner;
      const given = /^Bearer +(.+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? c.req.header("x-api-key") ?? "";
      const digest = sha256(given.trim());
      const found = keys.filter((key) => timingSafeEqual(key.digest, digest))[0];
      if (!found) throw new AppError("CLIENT_KEY_UNKNOWN", "This API key is not known here.", { param: "authorization" });
      return found.client;
    },
  };
}

const hostNameOf = (header: string): string =>
  header
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();
