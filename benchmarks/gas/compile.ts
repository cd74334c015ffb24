// This folder's own contracts, compiled with the root's compiler and settings; the root's own come from its artifacts.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { artifacts } from "hardhat";
import type { Abi, Address, Hex } from "viem";

import type { Artifact } from "./chain.ts";

const require = createRequire(import.meta.url);

interface SolcOutput {
  errors?: { severity: string; formattedMessage: string }[];
  contracts: Record<string, Record<string, { abi: Abi; evm: { bytecode: { object: string } } }>>;
}

const compiled = new Map<string, Record<string, Artifact>>();

/** A contract of `contracts/<file>.sol` in this folder. */
export function bench(file: "Bench" | "Floor", name: string): Artifact {
  let contracts = compiled.get(file);
  if (contracts === undefined) {
    contracts = compile(file);
    compiled.set(file, contracts);
  }
  const artifact = contracts[name];
  if (artifact === undefined) throw new Error(`${file}.sol has no contract ${name}`);
  return artifact;
}

function compile(file: string): Record<string, Artifact> {
  const solc = require("solc") as { compile: (input: string, callbacks: { import: (path: string) => { contents: string } }) => string };
  const path = `${file}.sol`;
  const input = {
    language: "Solidity",
    sources: { [path]: { content: readFileSync(join(import.meta.dirname, "contracts", path), "utf8") } },
    settings: {
      viaIR: true,
      optimizer: { enabled: true, runs: 1_000_000 },
      evmVersion: "cancun",
      outputSelection: { "*": { "*": ["abi", "evm.bytecode.object"] } },
    },
  };
  const output = JSON.parse(
    solc.compile(JSON.stringify(input), { import: (from) => ({ contents: readFileSync(require.resolve(from), "utf8") }) }),
  ) as SolcOutput;
  const errors = (output.errors ?? []).filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join("\n"));
  return Object.fromEntries(
    Object.entries(output.contracts[path] ?? {}).map(([name, { abi, evm }]) => [
      name,
      { abi, bytecode: `0x${evm.bytecode.object}` as Hex },
    ]),
  );
}

/** One of the product's contracts, as it is shipped. */
export async function shipped(name: "ComputeRegistry" | "StreamPay" | "PaymentChannel"): Promise<Artifact> {
  const { abi, bytecode } = await artifacts.readArtifact(name);
  return { abi: abi as Abi, bytecode: bytecode as Hex };
}

type Links = Record<string, Record<string, { start: number; length: number }[]>>;

/** A JSON artifact (Foundry's or Hardhat's shape) of a peer's npm package, linked with the libraries given. */
export function published(path: string, libraries: Record<string, Address> = {}): Artifact {
  const json = require(path) as { abi: Abi; bytecode: string | { object: string; linkReferences: Links }; linkReferences?: Links };
  const { object, links } =
    typeof json.bytecode === "string"
      ? { object: json.bytecode, links: json.linkReferences }
      : { object: json.bytecode.object, links: json.bytecode.linkReferences };
  let code = object.replace(/^0x/, "");
  for (const file of Object.values(links ?? {})) {
    for (const [name, places] of Object.entries(file)) {
      const at = libraries[name];
      if (at === undefined) throw new Error(`${path} needs library ${name}`);
      for (const { start } of places) code = code.slice(0, start * 2) + at.slice(2).toLowerCase() + code.slice(start * 2 + 40);
    }
  }
  return { abi: json.abi, bytecode: `0x${code}` };
}

/** Any file of a peer's npm package. */
export const publishedFile = <T>(path: string): T => require(path) as T;
