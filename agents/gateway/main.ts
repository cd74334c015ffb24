import { assertChain, type Chain, connectChain, listActiveOffers, type Sender } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import { formatAmount, parseAmount } from "@clawcompute/lib/money";
import { createDialer, type Logger, steadyClock } from "@clawcompute/lib/node";
import { zeroAddress } from "viem";
import { receiptKeeper } from "../claw/journal.ts";
import { type CommandContext, errorLine } from "../command.ts";
import { exitCodeOf, exitCodes } from "../exitCodes.ts";
import { type AskRequest, ask } from "./ask.ts";
import { attemptLimits } from "./attempt.ts";
import { makeBill } from "./bill.ts";
import { channelReport, channelsText, openChannels, stopChannels, stoppedReport, stoppedText } from "./channels/stopChannels.ts";
import { type GatewayConfig, readConfig } from "./config.ts";
import { connectWallet } from "./connectWallet.ts";
import { endOrphan, findStreams, lookBackBlock } from "./orphans.ts";
import { createPayment } from "./payment.ts";
import { createProviderClient } from "./providerClient.ts";
import { askReport, billText, offerReport, offersText, streamReport, streamsText } from "./report.ts";
import { jsonObserver, terminalObserver } from "./watchAsk.ts";

export interface AskFlags {
  readonly model?: string;
  readonly provider?: string;
  readonly maxSpend?: string;
  readonly maxPrice?: string;
  readonly seconds?: string;
  readonly system?: string;
  readonly stopForgotten?: boolean;
}

/** `claw ask`: returns the exit code; throws when nothing was opened. */
export async function askMain(prompt: string, flags: AskFlags, context: CommandContext): Promise<number> {
  const { env, terminal, signal, json } = context;
  const config = readConfig(env);
  const request = askRequestOf(prompt, flags, config);
  const { chain, sender, logger } = await connectWallet(config, env);
  if (flags.stopForgotten) await stopAll(config, chain, sender, logger);
  const dialer = createDialer({ allowPrivate: config.allowPrivate });
  const observer = json ? jsonObserver : terminalObserver(chain, terminal, steadyClock);
  const keep = receiptKeeper(chain, env, terminal.err);
  try {
    const result = await ask(request, {
      chain,
      signer: sender.account,
      payment: createPayment({ chain, sender, clock: steadyClock, logger }),
      clientOf: ({ endpoint }) => createProviderClient(endpoint, dialer),
      limits: { ...attemptLimits, firstTokenMs: config.firstTokenSeconds * 1000 },
      clock: steadyClock,
      logger,
      signal,
      observer,
    });
    observer.done?.();
    if (result.signed && result.stream) keep(result.stream, result.signed);
    if (json) terminal.out(`${JSON.stringify(askReport(chain, result))}\n`);
    else {
      terminal.err(billText(chain, result));
      if (result.failure) terminal.err(errorLine(result.failure));
    }
    return result.failure ? exitCodeOf(result.failure) : exitCodes.done;
  } finally {
    observer.done?.();
    dialer.close();
  }
}

/** `claw providers`. */
export async function providersMain({ model }: { readonly model?: string }, { env, terminal, json }: CommandContext): Promise<number> {
  const chain = connectChain(readConfig(env).network);
  await assertChain(chain);
  const offers = await listActiveOffers(chain, { asset: zeroAddress, ...(model === undefined ? {} : { model }) });
  terminal.out(json ? `${JSON.stringify(offers.map(offerReport))}\n` : offersText(chain, offers));
  return exitCodes.done;
}

/** `claw streams`: what the wallet has open, channels included. */
export async function streamsMain({ env, terminal, json }: CommandContext): Promise<number> {
  const config = readConfig(env);
  const { chain, sender } = await connectWallet(config, env);
  const { address } = sender.account;
  const fromBlock = await lookBackBlock(chain, config.lookBackSeconds);
  const [streams, channels] = await Promise.all([findStreams(chain, address, fromBlock), openChannels(chain, address, fromBlock)]);
  if (json) terminal.out(`${JSON.stringify([...streams.map(streamReport), ...channels.map(channelReport)])}\n`);
  else {
    if (streams.length > 0 || channels.length === 0) terminal.out(streamsText(chain, streams));
    if (channels.length > 0) terminal.out(await channelsText(chain, channels));
  }
  return exitCodes.done;
}

/** `claw stop`: ends every open stream and channel of the wallet, now. */
export async function stopMain({ env, terminal, json }: CommandContext): Promise<number> {
  const config = readConfig(env);
  const { chain, sender, logger } = await connectWallet(config, env);
  const fromBlock = await lookBackBlock(chain, config.lookBackSeconds);
  const waitMs = attemptLimits.settleMs + 3 * chain.network.blockTimeMs;
  const [{ ended, failures, bill }, channels] = await Promise.all([
    stopAll(config, chain, sender, logger),
    stopChannels({ chain, sender, fromBlock, clock: steadyClock, logger, waitMs }),
  ]);
  const report = {
    ended: ended.map(({ id }) => String(id)),
    depositWei: String(bill.depositWei),
    paidWei: String(bill.paidWei),
    refundedWei: String(bill.refundedWei),
    gasFeeWei: String(bill.feeWei),
    transactions: bill.transactions.map(({ kind, streamId, hash }) => ({ kind, streamId: String(streamId), hash })),
    failures: failures.map(({ streamId, error }) => ({ streamId: String(streamId), code: error.code, message: error.message })),
    channels: channels.map(stoppedReport),
  };
  if (json) terminal.out(`${JSON.stringify(report)}\n`);
  else {
    const { nativeSymbol } = chain.network;
    if (ended.length + failures.length > 0 || channels.length === 0) {
      terminal.out(
        ended.length === 0
          ? "No open streams.\n"
          : `Ended ${ended.length} of ${ended.length + failures.length} streams; ${formatAmount(bill.refundedWei)} ${nativeSymbol} came back.\n`,
      );
    }
    terminal.out(await stoppedText(chain, channels));
    for (const { error } of [...failures, ...channels]) if (error) terminal.err(errorLine(error));
  }
  const [failed] = [...failures, ...channels.flatMap(({ error }) => (error ? [{ error }] : []))];
  return failed ? exitCodeOf(failed.error) : exitCodes.done;
}

async function stopAll(config: GatewayConfig, chain: Chain, sender: Sender, logger: Logger) {
  const found = await findStreams(chain, sender.account.address, await lookBackBlock(chain, config.lookBackSeconds));
  const active = found.filter(({ status }) => status === "active");
  const payment = createPayment({ chain, sender, clock: steadyClock, logger });
  const dialer = createDialer({ allowPrivate: config.allowPrivate });
  const clientOf = (endpoint: string) => createProviderClient(endpoint, dialer);
  const options = { chain, signer: sender.account, payment, clientOf, clock: steadyClock, logger, settleMs: attemptLimits.settleMs };
  const failures: { streamId: bigint; error: AppError }[] = [];
  const results = await Promise.all(
    active.map((stream) =>
      endOrphan(stream, options).catch((thrown: unknown) => {
        failures.push({ streamId: stream.id, error: AppError.from(thrown) });
        return undefined;
      }),
    ),
  );
  dialer.close();
  const ended = results.filter((stream) => stream !== undefined);
  return { ended, failures, bill: await makeBill(chain, ended, payment.transactions) };
}

function askRequestOf(prompt: string, flags: AskFlags, config: GatewayConfig): AskRequest {
  const text = prompt.trim();
  if (text === "") throw badFlag("prompt", "is empty", "Say what to ask, in quotes.");
  const wei = (value: string | undefined, param: string) => (value === undefined ? undefined : parseAmount(value, 18, param));
  const whole = (value: string | undefined, param: string, most: number) => {
    if (value === undefined) return undefined;
    const number = /^\d{1,9}$/.test(value) ? Number(value) : 0;
    if (number < 1 || number > most) throw badFlag(param, `must be a whole number from 1 to ${most}`, `Correct --${param}.`);
    return number;
  };
  if (flags.model !== undefined && (flags.model === "" || Buffer.byteLength(flags.model) > 64)) {
    throw badFlag("model", "must have 1 to 64 bytes", "`claw providers` lists the models on offer.");
  }
  const seconds = whole(flags.seconds, "seconds", 86_400);
  return {
    prompt: text,
    system: flags.system,
    model: flags.model,
    providerId: whole(flags.provider, "provider", 4_294_967_295),
    maxPrice: wei(flags.maxPrice, "max-price") ?? config.maxPrice,
    maxSpend: wei(flags.maxSpend, "max-spend") ?? config.maxDeposit,
    seconds: seconds ?? config.depositSeconds,
    exactSeconds: seconds !== undefined,
  };
}

function badFlag(param: string, reason: string, hint: string): AppError {
  return new AppError("BAD_REQUEST", `${param} ${reason}.`, { param, hint });
}
