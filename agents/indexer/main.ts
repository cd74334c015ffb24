import { AppError } from "@clawcompute/lib/errors";
import { createLogger, exitOnSignals } from "@clawcompute/lib/node";
import { errorLine } from "../command.ts";
import { exitCodeOf } from "../exitCodes.ts";
import { readConfig } from "./config.ts";
import { runIndexer } from "./indexer.ts";

const usage = `claw indexer: the contracts' events as tables, behind an HTTP API.

Settings come from the environment or the file .env; .env.example documents each one. The main ones:
  NETWORK, RPC_URL                 the chain
  INDEXER_PORT, INDEXER_HOST       where the API listens (8790, 127.0.0.1)
  DATABASE_URL                     PostgreSQL, for several replicas; else INDEXER_DATA_DIR
  INDEXER_READ_ONLY=1              a replica that only serves
`;

export interface MainOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly argv: readonly string[];
}

/** `claw indexer`: runs until a signal; exits with an explanation when it cannot. */
export async function main({ env, argv }: MainOptions): Promise<void> {
  if (argv.includes("--help") || argv.includes("-h")) {
    process.stdout.write(usage);
    return;
  }
  try {
    if (argv.length > 0) throw new AppError("BAD_REQUEST", `Unknown argument "${argv[0]}".`, { hint: "See claw indexer --help." });
    const config = readConfig(env);
    const logger = createLogger({ name: "indexer", level: config.logLevel });
    const { shutdown } = await runIndexer({ config, logger });
    exitOnSignals(shutdown);
  } catch (thrown) {
    const error = AppError.from(thrown);
    process.stderr.write(errorLine(error));
    if (error.code === "INTERNAL") process.stderr.write(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
    process.exit(exitCodeOf(error));
  }
}
