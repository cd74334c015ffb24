import type { ContractSignatureCheck } from "../protocol/proofs.ts";
import type { Chain } from "./connect.ts";

/** Asks an account that is a contract (ERC-1271). A plain account is not asked: its signature speaks for itself. */
export function contractSignatureOf(chain: Chain): ContractSignatureCheck {
  return async ({ address, data, signature }) => {
    const code = await chain.client.getCode({ address }).catch(() => undefined);
    if (code === undefined || code === "0x") return false;
    return chain.client
      .verifyTypedData({ address, ...data, signature } as Parameters<typeof chain.client.verifyTypedData>[0])
      .catch(() => false);
  };
}
