import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createClient, http, publicActions } from "viem";
import { expect, it } from "vitest";
import { pageActions } from "./pageClient.ts";

const root = join(import.meta.dirname, "../..");
const sources = [
  // Pages send by their wallets, and ask no contract for its signature.
  ...globSync("lib/chain/*.ts", { cwd: root }).filter((path) => !/sender|sendQueue|broadcast|confirm|resume|contractSignature/.test(path)),
  ...globSync("frontend/{app,components,hooks,paying,queries,web3}/**/*.{ts,tsx}", { cwd: root }),
].filter((path) => !path.endsWith(".test.ts"));

it("behavior: every question that a page may ask of the chain has its answer in the page's client", () => {
  const client = createClient({ transport: http("http://127.0.0.1:1") });
  const known = Object.keys(publicActions(client as never));
  const asked = sources
    .flatMap((path) => [...readFileSync(join(root, path), "utf8").matchAll(/\b(?:client|endpoint)\s*\.\s*([a-zA-Z]+)\(/g)])
    .flatMap(([, name]) => (name && known.includes(name) ? [name] : []));
  expect(asked).toContain("readContract");
  expect([...new Set(asked)].filter((name) => !(name in pageActions(client)))).toEqual([]);
});
