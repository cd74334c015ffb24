#!/usr/bin/env node
import { existsSync } from "node:fs";
import { join } from "node:path";
import { AppError } from "@clawcompute/lib/errors";
import { Command, CommanderError } from "commander";
import { type CommandContext, errorLine, errorReport } from "./command.ts";
import { exitCodeHelp, exitCodeOf, exitCodes } from "./exitCodes.ts";
import { localNetworkEnv } from "./localNetwork.ts";
import { processTerminal } from "./terminal.ts";

// Settings of a checkout; what is in the environment already wins.
const envFile = join(import.meta.dirname, "..", ".env");
if (existsSync(envFile)) process.loadEnvFile(envFile);
Object.assign(process.env, localNetworkEnv(process.env, join(import.meta.dirname, "..", ".local", "network.json")));

const terminal = processTerminal(process);
const json = process.argv.includes("--json");

/** The first signal asks the command to end what is open and stop; the second one leaves at once. */
function interruptible(words: string, names: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP"]): AbortSignal {
  const controller = new AbortController();
  let signals = 0;
  // A reader that has gone, such as `head`, ends it the same way: a crash here would leave a stream open.
  for (const output of [process.stdout, process.stderr]) output.on("error", (error) => controller.abort(error));
  for (const name of names) {
    process.on(name, () => {
      signals += 1;
      if (signals === 1) {
        if (!json) terminal.err(`\n${words} (again to leave at once)\n`);
        controller.abort(new DOMException(name, "AbortError"));
      } else {
        terminal.err("left at once; `claw stop` ends streams that are still open\n");
        process.exit(exitCodes.interrupted);
      }
    });
  }
  return controller.signal;
}

const context = (): CommandContext => ({
  env: process.env,
  terminal,
  signal: interruptible("stopping; open streams are being ended"),
  json,
});
const finish = (code: number) => {
  process.exitCode = code;
};

const program = new Command("claw")
  .description("AI inference paid by the second straight from a wallet")
  .version("0.1.0")
  .enablePositionalOptions()
  .showHelpAfterError("(claw help, or claw help <command>)")
  .addHelpText("after", `\n${exitCodeHelp}\n\nSettings come from the environment or the file .env; .env.example documents each one.`);

program
  .command("ask")
  .summary("ask once and pay for the seconds it takes")
  .description("Finds the cheapest provider, opens a stream, prints the answer as it comes, ends the stream and shows the bill.")
  .argument("<prompt...>", 'what to ask; "-" reads it from standard input')
  .option("-m, --model <name>", "only this model (default: the cheapest of all)")
  .option("-p, --provider <id>", "only this provider")
  .option("--max-spend <coins>", "most that may be deposited (default: MAX_DEPOSIT, 0.01)")
  .option("--max-price <coins>", "most that a second may cost")
  .option("-s, --seconds <n>", "time the deposit covers; what is not used comes back (default: 60)")
  .option("--system <text>", "instructions that go before the prompt")
  .option("--stop-forgotten", "first end streams that this wallet left open")
  .option("--json", "print one JSON object instead")
  .addHelpText("after", `\n${exitCodeHelp}\n\nExample:\n  claw ask --max-price 0.0002 "Why is the sky blue?"`)
  .action(async (words: string[], flags) => {
    const { askMain } = await import("./gateway/main.ts");
    const prompt = words.length === 1 && words[0] === "-" ? await readStdin() : words.join(" ");
    finish(await askMain(prompt, flags, context()));
  });

program
  .command("chat")
  .summary("talk to a model; one stream for the whole conversation")
  .description("Opens one stream for a conversation, tops it up when it runs low, and settles it at the end for the time served.")
  .option("-m, --model <name>", "only this model, or NAME@PROVIDER (default: the cheapest of all)")
  .option("-p, --provider <id>", "only this provider")
  .option("--max-spend <coins>", "most that the conversation may cost (default: MAX_DEPOSIT, 0.01)")
  .option("--max-price <coins>", "most that a second may cost")
  .option("-s, --seconds <n>", "time that a deposit covers, and that a top-up adds (default: 60)")
  .option("--system <text>", "instructions that go before the conversation")
  .option("--json", "print one JSON object for each answer, and the bill")
  .addHelpText(
    "after",
    `\n${exitCodeHelp}\n\nInside: /model NAME, /cost, /stop, /new, /help, /quit; Ctrl-C cuts an answer.\nWithout a terminal, each line of standard input is a question.`,
  )
  .action(async (flags) => {
    const [{ chatMain }, { processInput }] = await Promise.all([import("./claw/chat.ts"), import("./claw/chatInput.ts")]);
    const signal = interruptible("leaving; the stream is being ended", ["SIGTERM", "SIGHUP"]);
    finish(await chatMain(flags, { env: process.env, terminal, signal, json }, () => processInput(process)));
  });

program
  .command("doctor")
  .summary("check everything that a paid answer needs, and say the fix")
  .description("Looks at settings, chain, contracts, clock, wallet, funds, open streams and providers. Unlocks and spends nothing.")
  .option("--json", "print one JSON object instead")
  .addHelpText("after", `\nThe exit code is that of the first thing that is wrong.\n${exitCodeHelp}`)
  .action(async () => {
    const { doctorMain } = await import("./claw/doctor.ts");
    finish(await doctorMain(context(), { now: Date.now, nodeVersion: process.version }));
  });

const receipts = program
  .command("receipts")
  .summary("check what was paid, from signed receipts alone")
  .description("Works on the receipts that claw keeps (RECEIPTS_FILE), or on files: what `claw ask --json` prints, or exported ones.");
receipts
  .command("verify")
  .description("check signatures, order and sums, and rebuild the bill; needs no connection")
  .argument("[files...]", 'files of receipts; "-" reads standard input')
  .option("--chain", "also ask the chain whether the signers are the providers'")
  .option("--json", "print one JSON object instead")
  .action(async (files: string[], flags) => {
    const { receiptsVerifyMain } = await import("./claw/receipts.ts");
    finish(await receiptsVerifyMain(files, flags, context()));
  });
receipts
  .command("export")
  .description("print receipts as a table for other programs, oldest first")
  .argument("[files...]", 'files of receipts; "-" reads standard input')
  .option("--format <format>", "csv or json", "csv")
  .option("--stream <id>", "only this stream's")
  .option("--json", "the same as --format json")
  .action(async (files: string[], flags) => {
    const { receiptsExportMain } = await import("./claw/receipts.ts");
    finish(await receiptsExportMain(files, flags, context()));
  });

program
  .command("providers")
  .summary("list active providers, cheapest first")
  .description("Lists the active providers that take the native coin, cheapest first.")
  .option("-m, --model <name>", "only this model")
  .option("--json", "print a JSON array instead")
  .action(async (flags) => {
    const { providersMain } = await import("./gateway/main.ts");
    finish(await providersMain(flags, context()));
  });

program
  .command("streams")
  .summary("list the wallet's open streams")
  .description("Lists the streams that the wallet opened and that still hold money, from the chain alone.")
  .option("--json", "print a JSON array instead")
  .action(async () => {
    const { streamsMain } = await import("./gateway/main.ts");
    finish(await streamsMain(context()));
  });

program
  .command("stop")
  .summary("end all open streams of the wallet, now")
  .description("Ends every open stream of the wallet; what was not served comes back.")
  .option("--json", "print one JSON object instead")
  .action(async () => {
    const { stopMain } = await import("./gateway/main.ts");
    finish(await stopMain(context()));
  });

const wallet = program
  .command("wallet")
  .summary("the wallet that pays")
  .description("The wallet that pays: PRIVATE_KEY, or an encrypted file. The key itself is never shown.");
for (const [name, load, description] of [
  ["new", "walletNewMain", "make a new key and write it to an encrypted file"],
  ["import", "walletImportMain", "write the key in PRIVATE_KEY, or one typed unseen, to an encrypted file"],
] as const) {
  wallet
    .command(name)
    .description(description)
    .option("-f, --file <path>", "wallet file (default: WALLET_FILE, else ~/.clawcompute/wallet.json)")
    .option("--json", "print one JSON object instead")
    .action(async (flags) => finish(await (await import("./wallet/main.ts"))[load](flags, context())));
}
for (const [name, load, description] of [
  ["address", "walletAddressMain", "show the wallet's address"],
  ["balance", "walletBalanceMain", "show what the wallet holds"],
] as const) {
  wallet
    .command(name)
    .description(description)
    .option("--json", "print one JSON object instead")
    .action(async () => finish(await (await import("./wallet/main.ts"))[load](context())));
}

program
  .command("gateway")
  .summary("let any OpenAI or Ollama client use the market")
  .description(
    "Serves the OpenAI and Ollama APIs on this machine and pays from the wallet, within the limits of the settings, until it is stopped.",
  )
  .option("--port <n>", "port (default: GATEWAY_PORT, 8700)")
  .option("--host <address>", "address to listen on (default: GATEWAY_HOST, 127.0.0.1)")
  .option("--json", "print one JSON object when it is ready, and one when it has stopped")
  .action(async (flags) => {
    const { main } = await import("./gateway/serve/main.ts");
    finish(await main(flags, context()));
  });

program
  .command("up")
  .summary("the gateway, and how to use it")
  .description("Starts the gateway, as `claw gateway` does, and says how clients reach it.")
  .option("--port <n>", "port (default: GATEWAY_PORT, 8700)")
  .option("--host <address>", "address to listen on (default: GATEWAY_HOST, 127.0.0.1)")
  .option("--json", "print one JSON object when it is ready, and one when it has stopped")
  .action(async (flags) => {
    const { upMain } = await import("./claw/up.ts");
    finish(await upMain(flags, context()));
  });

program
  .command("models")
  .summary("list the names that the running gateway takes")
  .description("Lists the models of the running gateway with provider, price and what was measured.")
  .option("--json", "print one JSON object instead")
  .action(async () => {
    const { modelsMain } = await import("./gateway/serve/commands.ts");
    finish(await modelsMain(context()));
  });

program
  .command("spend")
  .summary("show what the gateway spent")
  .description("Adds up the running gateway's books: requests, time, cost, gas.")
  .option("--by <group>", "day, provider, model, client or outcome", "day")
  .option("--days <n>", "how far back", "30")
  .option("--csv", "print every request as a line of CSV instead")
  .option("--check", "compare the books with the chain, stream by stream")
  .option("--json", "print one JSON object instead")
  .action(async (flags) => {
    const { spendMain } = await import("./gateway/serve/commands.ts");
    finish(await spendMain(flags, context()));
  });

program
  .command("why")
  .summary("explain which provider the gateway chooses")
  .description("Shows how the running gateway ranks providers for a model, or how it decided a past request.")
  .argument("[model]", "model name (default: auto)")
  .option("--request <id>", "a past request, by its x-request-id")
  .option("--json", "print one JSON object instead")
  .action(async (model: string | undefined, flags) => {
    const { whyMain } = await import("./gateway/serve/commands.ts");
    finish(await whyMain(model, flags, context()));
  });

program
  .command("provider")
  .summary("serve a model and be paid by the second")
  .description("Runs the provider agent: registers the offer, serves paid requests, signs receipts.")
  .argument("[arguments...]")
  .helpOption(false)
  .passThroughOptions()
  .allowUnknownOption()
  .action(async (argv: string[]) => {
    const { main } = await import("./provider/main.ts");
    await main({ argv, env: process.env });
  });

const keeper = program
  .command("keeper")
  .summary("update other people's streams for a share")
  .description("Runs the keeper agent: finds streams worth updating and batches them by profit.")
  .option("--complete-at-loss", "complete ended streams even where the reward does not pay the gas")
  .action(async (flags) => {
    const { main } = await import("./keeper/main.ts");
    finish(await main(flags, { env: process.env, signal: interruptible("stopping the keeper") }));
  });
keeper
  .command("report")
  .description("what the keeper earned and paid, by day, from its own records")
  .option("--days <n>", "how far back (default: 7)")
  .option("--chain", "also compare each batch with the chain")
  .option("--json", "print one JSON object instead")
  .action(async (flags) => {
    const { reportMain } = await import("./keeper/report.ts");
    finish(await reportMain(flags, context()));
  });

program
  .command("indexer")
  .summary("read the contracts' events into a database and serve them")
  .description("Runs the indexer: events into the store, an HTTP API over them, live updates.")
  .argument("[arguments...]")
  .helpOption(false)
  .passThroughOptions()
  .allowUnknownOption()
  .action(async (argv: string[]) => {
    const { main } = await import("./indexer/main.ts");
    await main({ argv, env: process.env });
  });

program
  .command("openclaw")
  .summary("make the gateway a model provider of OpenClaw")
  .description("Prints the provider configuration for OpenClaw, which then starts and stops the gateway by itself; or writes it.")
  .option("--write [file]", "add it to OpenClaw's configuration file; the old one is kept beside it")
  .option("--default", "with --write: also make it OpenClaw's default model")
  .option("--api <kind>", "openai-completions, openai-responses or ollama", "openai-completions")
  .option("-m, --model <name>", "only this model (default: auto and all on offer)")
  .option("--skill <folder>", "copy the skill into this folder of skills")
  .option("--onboard", "print the one-line set-up of a new OpenClaw instead")
  .option("--json", "print one JSON object instead")
  .action(async (flags) => {
    const { openclawMain } = await import("./claw/openclaw.ts");
    const places = {
      node: process.execPath,
      cli: join(import.meta.dirname, "cli.ts"),
      skill: join(import.meta.dirname, "..", "openclaw-skill", "clawcompute"),
    };
    finish(await openclawMain(flags, context(), places));
  });

program
  .command("mcp")
  .summary("serve the same to MCP clients over standard input and output")
  .description("An MCP server on stdio with the tools list, quote, infer, status and stop. Spends at most MCP_MAX_SPEND in one run.")
  .action(async () => {
    const { mcpMain } = await import("./mcp/main.ts");
    finish(await mcpMain(context()));
  });

program
  .command("completion")
  .summary("print a completion script for the shell")
  .description('Prints a completion script. bash, zsh: eval "$(claw completion bash)"; fish: claw completion fish | source')
  .argument("<shell>", "bash, zsh or fish")
  .action(async (shell: string) => {
    const { completionScript } = await import("./claw/completion.ts");
    terminal.out(completionScript(shell, program));
  });

async function readStdin(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) {
    text += chunk;
    if (text.length > 1_000_000)
      throw new AppError("BODY_TOO_LARGE", "The prompt is longer than a million characters.", { param: "prompt" });
  }
  return text;
}

/** Commander has printed its own message by now; only its outcome is left to pass on. */
function usageOutcome(error: CommanderError): number {
  const wanted = ["commander.help", "commander.helpDisplayed", "commander.version"].includes(error.code);
  return wanted ? exitCodes.done : exitCodes.badInput;
}

for (const command of [program, ...program.commands, ...wallet.commands, ...receipts.commands, ...keeper.commands]) {
  command.exitOverride();
  if (json) command.configureOutput({ outputError: () => {}, writeErr: () => {} });
}

let longRunning = false;
try {
  longRunning = ["provider", "keeper", "indexer"].includes(process.argv[2] ?? "") && process.argv[3] !== "report";
  await program.parseAsync();
} catch (thrown) {
  if (thrown instanceof CommanderError) {
    finish(usageOutcome(thrown));
    if (json && process.exitCode === exitCodes.badInput) {
      const error = new AppError("BAD_REQUEST", thrown.message.replace(/^error: /, ""), { hint: "See claw help." });
      terminal.out(`${JSON.stringify({ error: errorReport(error) })}\n`);
    }
  } else {
    const error = AppError.from(thrown);
    finish(exitCodeOf(error));
    if (json) terminal.out(`${JSON.stringify({ error: errorReport(error) })}\n`);
    else terminal.err(errorLine(error));
    if (error.code === "INTERNAL" && !json) terminal.err(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
  }
}
// Idle connections must not keep a finished command alive; whatever was written goes out first.
if (!longRunning || process.exitCode) process.stdout.write("", () => process.stderr.write("", () => process.exit()));
