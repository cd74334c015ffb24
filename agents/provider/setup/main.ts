import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { networkNames } from "@clawcompute/lib/config/network";
import { AppError } from "@clawcompute/lib/errors";
import { parseAmount } from "@clawcompute/lib/money";
import { errorLine, errorReport } from "../../command.ts";
import { exitCodeOf, exitCodes } from "../../exitCodes.ts";
import { defaultPlaces, detectMachine, type Places } from "./detect.ts";
import { renderEnvFile, writeEnvFile } from "./envFile.ts";
import { planBackend, planMissing } from "./planSetup.ts";
import { type CheckReport, checkText } from "./report.ts";
import { refuseSecrets } from "./secretGuard.ts";
import { createSetupTools } from "./tools.ts";

export const usage = `claw provider setup: look at this machine and write the provider's settings. Asks for no key, makes none, shows none.

  --check                 only look: system, GPU, Docker, model servers, what is missing
  --backend KIND          llama, openai, groq or echo (default: what is found)
  --inference-url URL     an OpenAI-compatible server, such as http://127.0.0.1:11434/v1
  --inference-model NAME  what that server calls the model (default: the first one it lists)
  --gguf FILE             a model file for the embedded engine
  --model NAME            the name in the registry (default: the engine's name)
  --price COINS           price of a second (default: 0.0001)
  --port N                port to listen on (default: 3001)
  --endpoint URL          public URL that payers reach this provider by
  --network NAME          local, bsc-testnet, bsc or custom (default: local)
  --address 0x…           the owner's address, where its key stays elsewhere
  --out FILE              where to write (default: .env in the checkout)
  --force                 replace that file; the old one is kept beside it
  --json                  print one JSON object instead
`;

const options = {
  check: { type: "boolean" },
  backend: { type: "string" },
  "inference-url": { type: "string" },
  "inference-model": { type: "string" },
  gguf: { type: "string" },
  model: { type: "string" },
  price: { type: "string", default: "0.0001" },
  port: { type: "string", default: "3001" },
  endpoint: { type: "string" },
  network: { type: "string", default: "local" },
  address: { type: "string" },
  out: { type: "string" },
  force: { type: "boolean" },
  json: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

export interface SetupOptions {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly out?: (text: string) => void;
  readonly err?: (text: string) => void;
  readonly places?: Places;
}

const checkout = join(import.meta.dirname, "..", "..", "..");
const backends = ["llama", "openai", "groq", "echo"] as const;

/** `claw provider setup`. Returns the exit code. */
export async function main(given: SetupOptions): Promise<number> {
  const { argv, env, out = (text) => process.stdout.write(text), err = (text) => process.stderr.write(text) } = given;
  const json = argv.includes("--json");
  try {
    refuseSecrets(argv);
    const flags = parse(argv);
    if (flags.help) {
      out(usage);
      return exitCodes.done;
    }
    const choice = {
      backend: oneOf("backend", backends, flags.backend),
      inferenceUrl: httpUrl("inference-url", flags["inference-url"]),
      ggufPath: flags.gguf === undefined ? undefined : resolve(flags.gguf),
      inferenceModel: flags["inference-model"],
      model: flags.model,
    };
    const asked = choice.inferenceUrl ?? httpUrl("INFERENCE_URL", env.INFERENCE_URL?.trim() || undefined);
    const machine = await detectMachine(createSetupTools(env), { ...placesOf(env), ...given.places, given: asked });
    const plan = planBackend(machine, choice);
    const missing = planMissing(machine);
    if (flags.check) {
      const report: CheckReport = { machine, ready: plan.backend !== "echo", plan, missing };
      out(json ? `${JSON.stringify(report)}\n` : checkText(report));
      return exitCodes.done;
    }

    const values = { BACKEND: plan.backend, ...plan.values, ...settingsOf(flags) };
    const file = resolve(flags.out ?? join(checkout, ".env"));
    await writeEnvFile(file, renderEnvFile({ values, blanks: blanksOf(plan.backend) }), flags.force === true);
    const next = nextCommands(file, flags.network);
    const lacking = plan.backend === "echo" ? missing.filter(({ optional }) => !optional) : [];
    if (json) out(`${JSON.stringify({ file, backend: plan.backend, why: plan.why, settings: values, missing: lacking, next })}\n`);
    else {
      const lacks = lacking.map(({ what, remedy }) => `needs ${what}\n  ${remedy}\n`).join("");
      out(`wrote ${file}: ${plan.backend}, ${plan.why}\n${lacks}next:\n${next.map((command) => `  ${command}\n`).join("")}`);
    }
    return exitCodes.done;
  } catch (thrown) {
    const error = AppError.from(thrown);
    if (json) out(`${JSON.stringify({ error: errorReport(error) })}\n`);
    else err(errorLine(error));
    return exitCodeOf(error);
  }
}

type Flags = ReturnType<typeof parse>;

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values;
  } catch (cause) {
    // The parser's own message would repeat what was typed.
    const unknown = argv.find((word) => /^--[a-z][a-z-]*$/.test(word) && !(word.slice(2) in options));
    throw new AppError("BAD_REQUEST", unknown ? `There is no option ${unknown}.` : "An argument cannot be read.", {
      hint: "See claw provider setup --help.",
      cause,
    });
  }
}

function settingsOf(flags: Flags): Record<string, string> {
  const price = flags.price.trim();
  if (parseAmount(price, 18, "price") === 0n) throw wrong("price", "must be above zero");
  if (!/^\d{1,5}$/.test(flags.port) || Number(flags.port) > 65_535 || Number(flags.port) === 0)
    throw wrong("port", "must be from 1 to 65535");
  const endpoint = httpUrl("endpoint", flags.endpoint);
  if (flags.network.startsWith("bsc") && endpoint === undefined)
    throw wrong("endpoint", "is needed on a public network: payers reach the provider by it");
  if (flags.address !== undefined && !/^0x[0-9a-fA-F]{40}$/.test(flags.address)) throw wrong("address", "must be 0x and 40 hex digits");
  return {
    PRICE_PER_SECOND: price,
    PROVIDER_PORT: flags.port,
    NETWORK: oneOf("network", networkNames, flags.network) ?? "local",
    ...(endpoint !== undefined && { ENDPOINT_URL: endpoint }),
    ...(flags.address !== undefined && { PROVIDER_ADDRESS: flags.address }),
  };
}

function blanksOf(backend: (typeof backends)[number]) {
  const keys = [
    {
      name: "WALLET_PASSWORD_FILE",
      note: "The owner's wallet is the encrypted file of `claw wallet new`; a file with its password lets the provider start unattended.",
    },
    { name: "SIGNER_PRIVATE_KEY", note: "With PROVIDER_ADDRESS: a key that signs receipts and can never receive or withdraw money." },
  ];
  if (backend === "groq") return [{ name: "GROQ_API_KEY", note: "From https://console.groq.com/keys" }, ...keys];
  return backend === "openai" ? [{ name: "INFERENCE_API_KEY", note: "Only if the model server asks for one." }, ...keys] : keys;
}

function nextCommands(file: string, network: string): readonly string[] {
  const inPlace = file === join(checkout, ".env");
  const run = inPlace
    ? "npm run provider"
    : `node --env-file=${quoteForShell(file)} ${quoteForShell(join(checkout, "agents/cli.ts"))} provider`;
  return network === "local" ? [run] : ["npm run claw -- wallet new", run];
}

const quoteForShell = (text: string): string => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function placesOf(env: SetupOptions["env"]): Places {
  const host = env.OLLAMA_HOST?.trim().replace(/^https?:\/\//, "");
  const usable = host && /^[\w.-]+:\d{1,5}$/.test(host) ? host.replace(/^0\.0\.0\.0:/, "127.0.0.1:") : undefined;
  return usable ? { ...defaultPlaces, ollama: `http://${usable}` } : defaultPlaces;
}

function oneOf<const T extends string>(param: string, list: readonly T[], value: string | undefined): T | undefined {
  const found = list.find((item) => item === value);
  if (value !== undefined && found === undefined) throw wrong(param, `must be one of ${list.join(", ")}`);
  return found;
}

function httpUrl(param: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw wrong(param, "must be a URL starting with http:// or https://");
  if (url.username || url.password) throw wrong(param, "must not hold a name or password");
  return value.replace(/\/+$/, "");
}

const wrong = (param: string, reason: string): AppError => new AppError("BAD_REQUEST", `${param}: ${reason}.`, { param });
