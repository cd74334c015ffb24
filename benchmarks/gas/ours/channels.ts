import { type Address, encodeAbiParameters, type Hex, keccak256, numberToHex, zeroAddress } from "viem";
import { type HDAccount, mnemonicToAccount } from "viem/accounts";

import type { Row } from "../chain.ts";
import { never, type Setting, setting } from "./setting.ts";

const mnemonic = "test test test test test test test test test test test junk";
const deposit = 5_123_456_789_000_000_000n;
const vouchers = [123_456_789_000_000_000n, 223_456_789_000_000_000n, 323_456_789_000_000_000n] as const;
const parameters = ["address", "address", "address", "bytes32", "address", "address", "uint256"].map((type) => ({ type }));

interface Terms {
  payer: Address;
  payee: Address;
  token: Address;
  salt: Hex;
  authorizedSigner: Address;
}

class Channels {
  readonly s: Setting;
  readonly hot: HDAccount;
  readonly payee: HDAccount;
  salt = 0;

  constructor(s: Setting) {
    this.s = s;
    this.hot = mnemonicToAccount(mnemonic, { addressIndex: s.hotIndex });
    this.payee = mnemonicToAccount(mnemonic, { addressIndex: 2 });
  }

  idOf(t: Terms): Hex {
    return keccak256(
      encodeAbiParameters(parameters, [t.payer, t.payee, t.token, t.salt, t.authorizedSigner, this.s.channel.address, 31337n]),
    );
  }

  async open(
    token: Address,
    how: { operation?: string; goal?: string; payer?: Address; payee?: Address } = {},
  ): Promise<{ t: Terms; id: Hex }> {
    const { chain, channel } = this.s;
    const t = {
      payer: how.payer ?? this.s.payer,
      payee: how.payee ?? this.s.payee,
      token,
      salt: keccak256(numberToHex(++this.salt)),
      authorizedSigner: this.hot.address,
    };
    const args = [t.payee, token, deposit, t.salt, t.authorizedSigner];
    const value = token === zeroAddress ? deposit : 0n;
    if (how.operation === undefined) await chain.send(t.payer, channel, "open", args, value);
    else
      await chain.measure(how.operation, t.payer, channel, "open", args, { value, ...(how.goal === undefined ? {} : { goal: how.goal }) });
    return { t, id: this.idOf(t) };
  }

  #domain() {
    return { name: "EVM Payment Channel", version: "1", chainId: 31337, verifyingContract: this.s.channel.address } as const;
  }

  voucher(id: Hex, cumulativeAmount: bigint): Promise<Hex> {
    const fields = [
      { name: "channelId", type: "bytes32" },
      { name: "cumulativeAmount", type: "uint128" },
    ] as const;
    return this.hot.signTypedData({
      domain: this.#domain(),
      types: { Voucher: fields },
      primaryType: "Voucher",
      message: { channelId: id, cumulativeAmount },
    });
  }

  closeAuthorization(id: Hex, cumulativeAmount: bigint, nonce: bigint): Promise<Hex> {
    const fields = [
      { name: "channelId", type: "bytes32" },
      { name: "cumulativeAmount", type: "uint128" },
      { name: "nonce", type: "uint256" },
      { name: "deadline", type: "uint256" },
    ] as const;
    const message = { channelId: id, cumulativeAmount, nonce, deadline: never };
    return this.payee.signTypedData({
      domain: this.#domain(),
      types: { CloseAuthorization: fields },
      primaryType: "CloseAuthorization",
      message,
    });
  }
}

/** The channel's rows: vouchers are signed by a hot key, as the gateway does it. */
export async function channels(): Promise<Row[]> {
  const s = await setting();
  const { chain, channel, token, registry, payer, payee, relayer } = s;
  const c = new Channels(s);
  for (const [kind, asset] of [
    ["ERC-20", token.address],
    ["native", zeroAddress],
  ] as const) {
    const erc20 = kind === "ERC-20";
    await c.open(asset, { operation: `channel open, ${kind}, first of both parties` });
    const stranger = chain.account(6);
    await c.open(asset, { operation: `channel open, ${kind}, known payer, new payee`, payee: stranger });
    const { t, id } = await c.open(asset, { operation: `channel open, ${kind}`, ...(erc20 ? { goal: "<= 72000" } : {}) });
    const value = erc20 ? 0n : vouchers[0];
    await chain.measure(`channel topUp, ${kind}`, payer, channel, "topUp", [id, vouchers[0]], { value });
    await chain.measure(`channel settle, ${kind}, by id`, payee, channel, "settle", [id, vouchers[0], await c.voucher(id, vouchers[0])]);
    await chain.measure(`channel settle, ${kind}`, payee, channel, "settle", [t, vouchers[1], await c.voucher(id, vouchers[1]), 0n]);
    await chain.measure(
      `channel close with voucher, ${kind}`,
      payee,
      channel,
      "close",
      [t, vouchers[2], await c.voucher(id, vouchers[2]), 0n],
      erc20 ? { goal: "<= 58000" } : {},
    );

    const byId = await c.open(asset);
    await chain.measure(`channel close with voucher, ${kind}, by id`, payee, channel, "close", [
      byId.id,
      vouchers[2],
      await c.voucher(byId.id, vouchers[2]),
    ]);
    const forfeited = await c.open(asset);
    await chain.measure(`channel close without voucher, ${kind}`, payee, channel, "close", [forfeited.id, 0n, "0x"]);

    await chain.send(
      payee,
      registry,
      "registerProvider",
      erc20 ? ["model", 1n, "https://provider.example", 0, asset] : ["model", 1n, "https://provider.example", 0],
    );
    const [providerId] = await chain.read<[bigint, bigint]>(registry, "getRegistryStats");
    const first = await c.open(asset);
    await chain.send(payee, channel, "close", [first.t, vouchers[2], await c.voucher(first.id, vouchers[2]), providerId]);
    const recorded = await c.open(asset);
    await chain.measure(`channel close with voucher, ${kind}, recording the completion`, payee, channel, "close", [
      recorded.t,
      vouchers[2],
      await c.voucher(recorded.id, vouchers[2]),
      providerId,
    ]);

    const relayed = await c.open(asset);
    const signatures = [await c.closeAuthorization(relayed.id, vouchers[2], 1n), await c.voucher(relayed.id, vouchers[2])];
    await chain.measure(`channel closeWithAuthorization, ${kind}`, relayer, channel, "closeWithAuthorization", [
      relayed.id,
      vouchers[2],
      1n,
      never,
      ...signatures,
    ]);

    const forced = await c.open(asset);
    await chain.measure(`channel requestClose, ${kind}`, payer, channel, "requestClose", [forced.id]);
    await chain.warp(900);
    await chain.measure(`channel withdraw after the grace period, ${kind}`, payer, channel, "withdraw", [forced.id]);
  }
  await chain.close();
  return chain.rows;
}
