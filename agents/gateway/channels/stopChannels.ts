import { type Chain, chainTimeMs, readChannel, type Sender } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { Clock, Logger } from "@clawcompute/lib/node";
import type { Address } from "viem";
import { table } from "../../terminal.ts";
import { type Asset, inWords, readAsset } from "../asset.ts";
import type { Bill } from "../bill.ts";
import { createChannelMoves } from "./channelMoves.ts";
import { GRACE_SECONDS } from "./closings.ts";
import { type FoundChannel, findChannels } from "./ownChannels.ts";

/** What became of one channel that was to be ended. */
export interface StoppedChannel {
  readonly id: FoundChannel["id"];
  readonly token: FoundChannel["token"];
  readonly bill: Bill | undefined;
  /** Notice was given: unix seconds from which `claw stop` can take the rest. Undefined once it is closed. */
  readonly withdrawableAt: number | undefined;
  readonly error: AppError | undefined;
}

export interface StopChannelsOptions {
  readonly chain: Chain;
  readonly sender: Sender;
  readonly fromBlock: bigint;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a provider that sees the notice may take to close. */
  readonly waitMs: number;
}

export const openChannels = async (chain: Chain, payer: Sender["account"]["address"], fromBlock: bigint): Promise<FoundChannel[]> =>
  (await findChannels(chain, payer, fromBlock)).filter(({ status }) => status !== "closed");

/** Ends every channel of the wallet: its provider closes it when it sees the notice, the payer when the notice is over. */
export async function stopChannels({ chain, sender, fromBlock, clock, logger, waitMs }: StopChannelsOptions): Promise<StoppedChannel[]> {
  const found = await openChannels(chain, sender.account.address, fromBlock);
  if (found.length === 0) return [];
  const nowSeconds = Math.floor((await chainTimeMs(chain)) / 1000);
  return Promise.all(
    found.map(async (channel): Promise<StoppedChannel> => {
      const { id, token } = channel;
      const moves = createChannelMoves({ chain, sender, clock, logger, onTransaction: () => {} });
      try {
        if (channel.status === "closing" && nowSeconds >= channel.closeRequestedAt + GRACE_SECONDS) await moves.withdraw(id);
        else if (channel.status === "open") await moves.requestClose(id);
        const deadlineMs = clock.now() + waitMs;
        let state = await readChannel(chain, id);
        while (state.status !== "closed" && clock.now() < deadlineMs) {
          await clock.sleep(250);
          state = await readChannel(chain, id);
        }
        const withdrawableAt = state.status === "closed" ? undefined : state.closeRequestedAt + GRACE_SECONDS;
        return { id, token, bill: await moves.bill(channel), withdrawableAt, error: undefined };
      } catch (thrown) {
        return { id, token, bill: undefined, withdrawableAt: undefined, error: AppError.from(thrown) };
      }
    }),
  );
}

export const channelReport = ({ id, payee, token, deposit, settled, closeRequestedAt, status }: FoundChannel) => ({
  kind: "channel" as const,
  channelId: id,
  payee,
  asset: token,
  status,
  depositWei: String(deposit),
  settledWei: String(settled),
  withdrawableAt: status === "closing" ? closeRequestedAt + GRACE_SECONDS : null,
});

/** The assets of channels. A token that does not answer is shown in its raw units. */
async function assetsOf(chain: Chain, channels: readonly { readonly token: Address }[]): Promise<(token: Address) => Asset> {
  const tokens = [...new Set(channels.map(({ token }) => token))];
  const unknown = (address: Address): Asset => ({ address, symbol: `units of ${address}`, decimals: 0 });
  const assets = await Promise.all(tokens.map((token) => readAsset(chain, token).catch(() => unknown(token))));
  return (token) => assets.find(({ address }) => address === token) ?? unknown(token);
}

export async function channelsText(chain: Chain, channels: readonly FoundChannel[]): Promise<string> {
  const assetOf = await assetsOf(chain, channels);
  return table(
    ["CHANNEL", "PAYEE", "DEPOSIT", "TAKEN", "STATUS"],
    channels.map(({ id, payee, token, deposit, settled, closeRequestedAt, status }) => [
      `${id.slice(0, 10)}…`,
      payee,
      inWords(assetOf(token), deposit),
      inWords(assetOf(token), settled),
      status === "closing" ? `closing, at the latest ${new Date((closeRequestedAt + GRACE_SECONDS) * 1000).toISOString()}` : "open",
    ]),
  );
}

export const stoppedReport = ({ id, bill, withdrawableAt, error }: StoppedChannel) => ({
  channelId: id,
  paidWei: bill ? String(bill.paidWei) : null,
  refundedWei: bill ? String(bill.refundedWei) : null,
  gasFeeWei: bill ? String(bill.feeWei) : null,
  withdrawableAt: withdrawableAt ?? null,
  error: error ? { code: error.code, message: error.message } : null,
});

export async function stoppedText(chain: Chain, stopped: readonly StoppedChannel[]): Promise<string> {
  const assetOf = await assetsOf(chain, stopped);
  return stopped
    .map(({ id, token, bill, withdrawableAt }) => {
      if (!bill) return "";
      if (withdrawableAt === undefined) return `Closed channel ${id}; ${inWords(assetOf(token), bill.refundedWei)} came back.\n`;
      const time = new Date(withdrawableAt * 1000).toISOString();
      return `Gave notice for channel ${id}: its provider may take its vouchers until ${time}; run \`claw stop\` again then.\n`;
    })
    .join("");
}
