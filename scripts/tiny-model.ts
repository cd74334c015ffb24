// Writes a tiny but genuine model file that llama.cpp runs:
//   node scripts/tiny-model.ts --out tiny.gguf --say "A sentence of words that differ."     or   --preset claw-tiny-1
import { parseArgs } from "node:util";
import { type TinyModelName, tinyModels, writeTinyModel } from "@clawcompute/lib/testing";

const usage = `usage: node scripts/tiny-model.ts --out FILE [--preset ${Object.keys(tinyModels).join("|")}] [--say "WORDS …"] [--cycle]
       [--embd 64] [--layers 2] [--heads 4] [--ffn 128] [--ctx 2048] [--seed 1]`;

const { values } = parseArgs({
  options: {
    out: { type: "string" },
    preset: { type: "string" },
    say: { type: "string" },
    cycle: { type: "boolean" },
    embd: { type: "string" },
    layers: { type: "string" },
    heads: { type: "string" },
    ffn: { type: "string" },
    ctx: { type: "string" },
    seed: { type: "string" },
  },
});

const { out, preset, say, cycle, ...sizes } = values;
if (!out || (preset !== undefined && !(preset in tinyModels))) {
  console.error(usage);
  process.exit(2);
}
const wrong = Object.entries(sizes).find(([, value]) => !/^[1-9]\d{0,8}$/.test(value));
if (wrong) {
  console.error(`--${wrong[0]} must be a whole number above 0\n${usage}`);
  process.exit(2);
}
const numbers = Object.fromEntries(Object.entries(sizes).map(([name, value]) => [name, Number(value)]));
const chosen = preset === undefined ? {} : tinyModels[preset as TinyModelName];
const bytes = await writeTinyModel(out, { ...chosen, ...(say && { say }), ...(cycle && { cycle }), ...numbers });
console.log(JSON.stringify({ out, bytes }));
