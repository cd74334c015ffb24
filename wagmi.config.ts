import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { defineConfig, type Plugin } from "@wagmi/cli";
import { hardhat } from "@wagmi/cli/plugins";

const CONTRACTS = ["ComputeRegistry", "StreamPay", "PaymentChannel"];
const require = createRequire(import.meta.url);

interface Docs {
  userdoc: Record<"methods" | "events", Record<string, { notice?: string }>>;
  devdoc: { errors?: Record<string, { details?: string }[]> };
}

/** The manual of every function, event and error, by signature: what the interfaces' NatSpec says. */
function natspec(): Plugin {
  return {
    name: "NatSpec",
    run: () => {
      const solc = require("solc") as { compile: (input: string, callbacks: object) => string };
      const read = (file: string) => {
        const place = [file, `node_modules/${file}`].find((path) => existsSync(path));
        return place === undefined ? { error: `no ${file}` } : { contents: readFileSync(place, "utf8") };
      };
      const sources = Object.fromEntries(CONTRACTS.map((name) => [`contracts/${name}.sol`, read(`contracts/${name}.sol`)]));
      const input = {
        language: "Solidity",
        sources: Object.fromEntries(Object.entries(sources).map(([file, source]) => [file, { content: source.contents }])),
        settings: { evmVersion: "cancun", outputSelection: { "*": { "*": ["userdoc", "devdoc"] } } },
      };
      const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read })) as {
        contracts: Record<string, Record<string, Docs>>;
      };
      const blocks = CONTRACTS.map((name) => {
        const docs = output.contracts[`contracts/${name}.sol`]?.[name];
        if (docs === undefined) throw new Error(`no documentation of ${name}`);
        const notices = [...Object.entries(docs.userdoc.methods ?? {}), ...Object.entries(docs.userdoc.events ?? {})];
        const texts = Object.fromEntries([
          ...notices.flatMap(([signature, { notice }]) => (notice === undefined ? [] : [[signature, notice]])),
          ...Object.entries(docs.devdoc.errors ?? {}).flatMap(([signature, [error]]) =>
            error?.details === undefined ? [] : [[signature, error.details]],
          ),
        ]);
        const variable = `${name[0]?.toLowerCase()}${name.slice(1)}Manual`;
        return `/** What ${name}'s functions, events and errors mean, by signature. */\nexport const ${variable} = ${JSON.stringify(texts, null, 2)} as const\n`;
      });
      return { content: blocks.join("\n") };
    },
  };
}

// Reads what `hardhat build` left behind: the concrete contracts, so that every error they can throw is in the ABI.
export default defineConfig({
  out: "lib/abi/generated.ts",
  plugins: [
    hardhat({
      project: ".",
      artifacts: "artifacts",
      include: [...CONTRACTS.map((name) => `contracts/${name}.sol/${name}.json`), "contracts/mocks/MockToken.sol/MockToken.json"],
      commands: { clean: false, build: false, rebuild: false },
    }),
    natspec(),
  ],
});
