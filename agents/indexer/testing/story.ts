import { computeRegistryAbi, paymentChannelAbi, streamPayAbi } from "@clawcompute/lib/abi";
import { settlementTypedData } from "@clawcompute/lib/protocol";
import { devAccounts, type LocalChain, readArtifact } from "@clawcompute/lib/testing";
import {
  type Abi,
  type Address,
  createPublicClient,
  encodeDeployData,
  encodeFunctionData,
  getContractAddress,
  type Hex,
  http,
  type LocalAccount,
  pad,
  zeroAddress,
} from "viem";

/** A market that lives block by block on a real chain, by chance but the same each time for one seed. */
export interface Story {
  readonly token: Address;
  /** Mines `count` blocks of about `perBlock` transactions; some of them are refused by the contracts, as in life. */
  blocks(count: number, perBlock?: number): Promise<void>;
  /** Opens many streams of one payer and updates all of them in the given number of batches, one block each. */
  batches(streams: number, batches: number): Promise<void>;
}

/** Numbers in [0, 1), the same sequence for one seed. */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

type Call = {
  readonly from: LocalAccount;
  readonly to: Address | null;
  readonly data: Hex;
  readonly value?: bigint;
  readonly gas?: bigint;
};

const GAS = 600_000n;
const models = ["llama-3.3-70b", "qwen3", "whisper", "tiny\u0000name"];

export async function startStory(local: LocalChain, seed = 1): Promise<Story> {
  const client = createPublicClient({ transport: http(local.rpcUrl, { batch: true }), cacheTime: 0 });
  const { registry, streamPay, paymentChannel } = local.network.contracts;
  const random = chance(seed);
  const below = (bound: number) => Math.floor(random() * bound);
  const someone = () => devAccounts[1 + below(8)] as LocalAccount;
  const account = (address: Address) => devAccounts.find((one) => one.address.toLowerCase() === address.toLowerCase());
  const nonces = new Map<Address, number>();
  let salt = 0;

  async function send(calls: readonly Call[]): Promise<void> {
    nonces.clear();
    const raw: Hex[] = [];
    for (const { from, to, data, value = 0n, gas = GAS } of calls) {
      const nonce = nonces.get(from.address) ?? (await client.getTransactionCount({ address: from.address }));
      nonces.set(from.address, nonce + 1);
      const fees = { maxFeePerGas: 20_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n };
      raw.push(await from.signTransaction({ chainId: local.network.chainId, type: "eip1559", nonce, gas, ...fees, to, data, value }));
    }
    await Promise.all(raw.map((tx) => client.request({ method: "eth_sendRawTransaction", params: [tx] })));
    await local.mine();
  }

  const call = (from: LocalAccount, to: Address, abi: Abi, functionName: string, args: readonly unknown[], value?: bigint): Call => ({
    from,
    to,
    data: encodeFunctionData({ abi, functionName, args }),
    ...(value === undefined ? {} : { value }),
  });
  const read = <T>(address: Address, abi: Abi, functionName: string, args: readonly unknown[] = []) =>
    client.readContract({ address, abi, functionName, args }) as Promise<T>;

  const deployer = devAccounts[9] as LocalAccount;
  const artifact = readArtifact("MockToken", "mocks/MockToken.sol") as unknown as { abi: Abi; bytecode: Hex };
  const nonce = await client.getTransactionCount({ address: deployer.address });
  const token = getContractAddress({ from: deployer.address, nonce: BigInt(nonce) });
  const data = encodeDeployData({ abi: artifact.abi, bytecode: artifact.bytecode, args: ["Dollar", "USD", 18] });
  await send([{ from: deployer, to: null, data, gas: 5_000_000n }]);
  const rich = devAccounts.slice(1, 9);
  await send(rich.map(({ address }) => call(deployer, token, artifact.abi, "mint", [address, 10n ** 24n])));
  await send(
    rich.flatMap((from) => [
      call(from, token, artifact.abi, "approve", [streamPay, 10n ** 24n]),
      call(from, token, artifact.abi, "approve", [paymentChannel, 10n ** 24n]),
    ]),
  );

  interface Known {
    readonly providers: number;
    readonly streams: number;
    readonly channels: readonly { id: Hex; payer: LocalAccount; payee: LocalAccount; asset: Address; salt: Hex }[];
  }
  let channels: Known["channels"] = [];

  async function streamAction(streams: number): Promise<Call | undefined> {
    const id = BigInt(1 + below(streams));
    const stream = await read<{ payer: Address; payee: Address; asset: Address; ratePerSecond: bigint; start: number; lastPaid: number }>(
      streamPay,
      streamPayAbi,
      "getStream",
      [id],
    );
    const [payer, payee] = [account(stream.payer), account(stream.payee)];
    if (!payer || !payee) return undefined;
    switch (below(8)) {
      case 0:
        return stream.asset === zeroAddress
          ? call(
              payer,
              streamPay,
              streamPayAbi,
              "topUpStream",
              [id, stream.payer, stream.payee],
              stream.ratePerSecond * BigInt(1 + below(30)),
            )
          : call(payer, streamPay, streamPayAbi, "topUpStream", [id, stream.payer, stream.payee, stream.ratePerSecond * 7n]);
      case 1:
      case 2:
        return call(payee, streamPay, streamPayAbi, "withdrawFromStream", [id]);
      case 3:
        return call(below(2) ? payer : payee, streamPay, streamPayAbi, "cancelStream", [id]);
      case 4: {
        const owed = stream.ratePerSecond * BigInt(Math.max(0, stream.lastPaid - stream.start)) + stream.ratePerSecond / 3n;
        const domain = { chainId: local.network.chainId, verifyingContract: streamPay };
        const signature = await payee.signTypedData(settlementTypedData(domain, { streamId: id, owed }));
        return call(payer, streamPay, streamPayAbi, "settleStream", [id, owed, signature]);
      }
      case 5:
        return call(payer, streamPay, streamPayAbi, "redirectStream", [id, someone().address, 0n]);
      default: {
        const ids = Array.from({ length: 1 + below(6) }, () => BigInt(1 + below(streams)));
        return call(someone(), streamPay, streamPayAbi, "batchUpdateStreams", [ids]);
      }
    }
  }

  /** A provider for which a payment of such a channel can be recorded; 0 when none is found. */
  async function providerOf(providers: number, payee: Address, asset: Address): Promise<bigint> {
    const from = below(Math.max(1, providers));
    for (let step = 0; step < providers; step += 1) {
      const id = BigInt(1 + ((from + step) % providers));
      const offer = await read<{ owner: Address; asset: Address }>(registry, computeRegistryAbi, "getProvider", [id]);
      if (offer.owner === payee && offer.asset === asset) return id;
    }
    return 0n;
  }

  async function channelAction(providers: number): Promise<Call | undefined> {
    const chosen = channels[below(Math.max(1, channels.length))];
    if (!chosen || below(3) === 0) {
      const [payer, payee, asset, deposit] = [someone(), someone(), below(3) ? zeroAddress : token, BigInt(1_000 + below(100_000))];
      const terms = pad(`0x${(salt++).toString(16)}`, { size: 32 });
      const id = await read<Hex>(paymentChannel, paymentChannelAbi, "computeChannelId", [
        payer.address,
        payee.address,
        asset,
        terms,
        zeroAddress,
      ]);
      channels = [...channels, { id, payer, payee, asset, salt: terms }];
      const value = asset === zeroAddress ? deposit : 0n;
      return call(payer, paymentChannel, paymentChannelAbi, "open", [payee.address, asset, deposit, terms, zeroAddress], value);
    }
    const { id, payer, payee, asset, salt: terms } = chosen;
    const cumulative = BigInt(below(120_000));
    const action = below(5);
    if (action === 0) return call(payer, paymentChannel, paymentChannelAbi, "topUp", [id, 500n], 500n);
    if (action === 1) return call(payer, paymentChannel, paymentChannelAbi, "requestClose", [id]);
    const types = {
      Voucher: [
        { name: "channelId", type: "bytes32" },
        { name: "cumulativeAmount", type: "uint128" },
      ],
    } as const;
    const signature = await payer.signTypedData({
      domain: { name: "EVM Payment Channel", version: "1", chainId: local.network.chainId, verifyingContract: paymentChannel },
      types,
      primaryType: "Voucher",
      message: { channelId: id, cumulativeAmount: cumulative },
    });
    const name = action === 2 ? "close" : "settle";
    const providerId = below(2) ? await providerOf(providers, payee.address, asset) : 0n;
    if (providerId === 0n) return call(payee, paymentChannel, paymentChannelAbi, name, [id, cumulative, signature]);
    const named = { payer: payer.address, payee: payee.address, token: asset, salt: terms, authorizedSigner: zeroAddress };
    return call(payee, paymentChannel, paymentChannelAbi, name, [named, cumulative, signature, providerId]);
  }

  async function action(known: Pick<Known, "providers" | "streams">): Promise<Call | undefined> {
    const [kind, from] = [below(20), someone()];
    if (known.providers === 0 || kind === 0) {
      const asset = below(4) ? zeroAddress : token;
      const args = [models[below(models.length)], BigInt(1 + below(50)), `http://127.0.0.1:${1 + below(60_000)}/`, below(4), asset];
      return call(from, registry, computeRegistryAbi, "registerProvider", args);
    }
    const id = BigInt(1 + below(known.providers));
    const offer = () =>
      read<{ owner: Address; asset: Address; serviceType: number; pricePerSecond: bigint }>(registry, computeRegistryAbi, "getProvider", [
        id,
      ]);
    if (kind <= 2) {
      const owner = account((await offer()).owner) as LocalAccount;
      if (kind === 1)
        return call(owner, registry, computeRegistryAbi, "setProviderSigner", [id, below(2) ? someone().address : zeroAddress]);
      return call(owner, registry, computeRegistryAbi, "updateProvider", [id, BigInt(1 + below(50)), "http://127.0.0.1:2/", below(3) > 0]);
    }
    if (kind <= 7 || known.streams === 0) {
      const { owner, asset, serviceType, pricePerSecond } = await offer();
      const duration = BigInt(1 + below(90));
      const deposit = (pricePerSecond + BigInt(below(9))) * duration + BigInt(below(3));
      return asset === zeroAddress
        ? call(from, streamPay, streamPayAbi, "createStream", [owner, duration, serviceType, id], deposit)
        : call(from, streamPay, streamPayAbi, "createStream", [asset, deposit, owner, duration, serviceType, id]);
    }
    if (kind <= 10) return channelAction(known.providers);
    if (kind === 11) return call(from, streamPay, streamPayAbi, "withdrawCredit", [below(3) ? zeroAddress : token, from.address]);
    return streamAction(known.streams);
  }

  return {
    token,
    blocks: async (count, perBlock = 10) => {
      for (let done = 0; done < count; done += 1) {
        const [[total], streams] = await Promise.all([
          read<[bigint, bigint]>(registry, computeRegistryAbi, "getRegistryStats"),
          read<bigint>(streamPay, streamPayAbi, "getProtocolStats"),
        ]);
        const calls: Call[] = [];
        while (calls.length < perBlock) {
          const next = await action({ providers: Number(total), streams: Number(streams) });
          if (next) calls.push(next);
        }
        await local.request("evm_increaseTime", [1 + below(20)]);
        await send(calls);
      }
    },
    batches: async (streams, batches) => {
      const [payer, payee, keeper] = devAccounts.slice(1, 4) as [LocalAccount, LocalAccount, LocalAccount];
      const first = Number(await read<bigint>(streamPay, streamPayAbi, "getProtocolStats")) + 1;
      await send(
        Array.from({ length: streams }, () =>
          call(payer, streamPay, streamPayAbi, "createStream", [payee.address, 86_400n, 0, 0n], 86_400n),
        ),
      );
      const ids = Array.from({ length: streams }, (_, index) => BigInt(first + index));
      for (let done = 0; done < batches; done += 1) {
        await local.request("evm_increaseTime", [10]);
        await send([{ ...call(keeper, streamPay, streamPayAbi, "batchUpdateStreams", [ids]), gas: 15_000_000n }]);
      }
    },
  };
}
