import type { Chain, ContractCall, SentTransaction } from "@clawcompute/lib/chain";
import { AppError } from "@clawcompute/lib/errors";
import type { PaymentPayload, PaymentRequirements } from "@clawcompute/lib/protocol/payments";
import { x402Facilitator } from "@x402/core/facilitator";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { ExactEvmScheme } from "@x402/evm/exact/facilitator";
import type { Abi, Address, Hex } from "viem";

/** Checks and sends x402 payments in this process: no third party, any chain. */
export interface Facilitator {
  /** The transaction that paid. Throws PAYMENT_REFUSED, or CHAIN_UNAVAILABLE when the outcome is not known. */
  settle(payload: PaymentPayload, requirements: PaymentRequirements): Promise<{ readonly hash: Hex; readonly payer: Address }>;
}

export function createFacilitator(options: {
  readonly chain: Chain;
  readonly sender: Address;
  readonly send: (call: ContractCall) => Promise<SentTransaction>;
}): Facilitator {
  const { chain, sender, send } = options;
  const { client } = chain;
  const signer = toFacilitatorEvmSigner({
    address: sender,
    readContract: (args) => client.readContract(args as Parameters<typeof client.readContract>[0]),
    verifyTypedData: (args) => client.verifyTypedData(args as Parameters<typeof client.verifyTypedData>[0]),
    // The payee's own queue: nonces in order, replaced when too cheap, found again after a crash.
    writeContract: async ({ address, abi, functionName, args }) =>
      (await send({ contract: address, abi: abi as Abi, functionName, args })).hash,
    sendTransaction: () => Promise.reject(new AppError("UNSUPPORTED", "Wallets that are not deployed yet cannot pay here.")),
    waitForTransactionReceipt: ({ hash }) => client.waitForTransactionReceipt({ hash, pollingInterval: 250, timeout: 60_000 }),
    getCode: (args) => client.getCode(args),
  });
  const facilitator = new x402Facilitator().register(`eip155:${chain.network.chainId}`, new ExactEvmScheme(signer));
  type Payload = Parameters<typeof facilitator.verify>[0];
  type Requirements = Parameters<typeof facilitator.verify>[1];

  const refused = (reason: string | undefined, cause?: unknown) =>
    new AppError("PAYMENT_REFUSED", "The payment was refused.", {
      param: "payment-signature",
      // Reasons are words of the protocol; anything else may hold details of our endpoint.
      facts: { reason: /^[a-z0-9_]{1,100}$/.test(reason ?? "") ? (reason as string) : "refused" },
      cause,
    });

  return {
    settle: async (payload, requirements) => {
      const given = payload as unknown as Payload;
      const wanted = requirements as unknown as Requirements;
      const verified = await facilitator.verify(given, wanted).catch((cause) => {
        throw refused(undefined, cause);
      });
      if (!verified.isValid) throw refused(verified.invalidReason);
      const settled = await facilitator.settle(given, wanted);
      if (!settled.success) throw refused(settled.errorReason);
      return { hash: settled.transaction as Hex, payer: (settled.payer ?? verified.payer) as Address };
    },
  };
}
