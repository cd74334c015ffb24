// @superfluid-finance/ethereum-contracts, from its npm artifacts (solc 0.8.35, 200 runs, cancun, no via-IR).
import { type Address, encodeAbiParameters, parseEther } from "viem";

import { type Artifact, Chain, type Deployed, type Row } from "../chain.ts";
import { published, publishedFile } from "../compile.ts";
import { address } from "./sablier.ts";

const ROOT = "@superfluid-finance/ethereum-contracts";
const DIR = `${ROOT}/build/hardhat/contracts`;
const STEPS = `${DIR}/utils/SuperfluidFrameworkDeploymentSteps.t.sol`;

async function deployFramework(chain: Chain): Promise<{ deployer: Deployed; sf: Record<string, Address> }> {
  // The ERC-1820 registry, by its well-known keyless transaction (the payload the package's own script uses).
  const bin = publishedFile<{ bin: string }>(`${ROOT}/dev-scripts/artifacts/ERC1820Registry.json`).bin;
  await chain.rpc("eth_sendTransaction", [
    { from: chain.accounts[0], to: "0xa990077c3205cbDf861e17Fa532eeB069cE9fF96", value: "0x11c37937e080000" },
  ]);
  const payload = `0xf90a388085174876e800830c35008080b909e5${bin.replace(/^0x/, "")}1ba0${"1820".repeat(16)}a0${"1820".repeat(16)}`;
  await chain.rpc("eth_sendRawTransaction", [payload]);

  const lib: Record<string, Address> = {};
  const put = async (name: string, path: string) => {
    lib[name] = (await chain.deploy(published(path, lib))).address;
  };
  await put("SlotsBitmapLibrary", `${DIR}/libs/SlotsBitmapLibrary.sol/SlotsBitmapLibrary.json`);
  await put(
    "SuperfluidPoolDeployerLibrary",
    `${DIR}/agreements/gdav1/SuperfluidPoolDeployerLibrary.sol/SuperfluidPoolDeployerLibrary.json`,
  );
  for (const name of [
    "SuperfluidGovDeployerLibrary",
    "SuperfluidHostDeployerLibrary",
    "SuperfluidCFAv1DeployerLibrary",
    "SuperfluidIDAv1DeployerLibrary",
    "SuperfluidGDAv1DeployerLibrary",
    "SuperTokenDeployerLibrary",
    "SuperfluidPeripheryDeployerLibrary",
    "SuperfluidPoolLogicDeployerLibrary",
    "SuperfluidPoolNFTLogicDeployerLibrary",
    "ProxyDeployerLibrary",
    "CFAv1ForwarderDeployerLibrary",
    "GDAv1ForwarderDeployerLibrary",
    "SuperTokenFactoryDeployerLibrary",
    "TokenDeployerLibrary",
  ]) {
    await put(name, `${STEPS}/${name}.json`);
  }
  const deployer = await chain.deploy(published(`${DIR}/utils/SuperfluidFrameworkDeployer.t.sol/SuperfluidFrameworkDeployer.json`, lib));
  const steps = await chain.read<number>(deployer, "getNumSteps");
  for (let i = 0; i < steps; i++) await chain.send(chain.account(0), deployer, "executeStep", [i]);
  const sf = await chain.read<Record<string, Address>>(deployer, "getFramework");
  return { deployer, sf };
}

export async function superfluid(): Promise<Row[]> {
  const chain = await Chain.start("Superfluid 1.15.2 (CFA)", "roomy");
  const [owner, s, r, r2] = [chain.account(0), chain.account(1), chain.account(2), chain.account(3)];
  const { deployer, sf } = await deployFramework(chain);
  await chain.send(owner, deployer, "deployWrapperSuperToken", ["USD", "USD", 18, 10n ** 40n, owner]);
  await chain.send(owner, deployer, "deployNativeAssetSuperToken", ["Super Coin", "COINx"]);
  const resolver: Deployed = { address: part(sf, "resolver"), abi: published(`${DIR}/utils/TestResolver.sol/TestResolver.json`).abi };
  const at = async (key: string): Promise<Address> => chain.read<Address>(resolver, "get", [key]);
  const abi = (path: string): Artifact["abi"] => published(path).abi;
  const superAbi = abi(`${DIR}/interfaces/superfluid/ISuperToken.sol/ISuperToken.json`);
  const token: Deployed = { address: await at("tokens.test.USD"), abi: abi(`${DIR}/utils/TestToken.sol/TestToken.json`) };
  const x: Deployed = { address: await at("supertokens.test.USDx"), abi: superAbi };
  const coin: Deployed = {
    address: await at("supertokens.test.COINx"),
    abi: abi(`${DIR}/interfaces/tokens/ISETH.sol/ISETH.json`),
  };
  const forwarder: Deployed = { address: part(sf, "cfaV1Forwarder"), abi: abi(`${DIR}/utils/CFAv1Forwarder.sol/CFAv1Forwarder.json`) };
  const host: Deployed = { address: part(sf, "host"), abi: abi(`${DIR}/interfaces/superfluid/ISuperfluid.sol/ISuperfluid.json`) };
  const cfa: Deployed = {
    address: part(sf, "cfa"),
    abi: abi(`${DIR}/agreements/ConstantFlowAgreementV1.sol/ConstantFlowAgreementV1.json`),
  };
  await chain.send(s, token, "mint", [s, 10n ** 30n]);
  await chain.send(s, token, "approve", [x.address, 2n ** 256n - 1n]);
  const rate = parseEther("0.001");

  await chain.measure("upgrade (wrap), first", s, x, "upgrade", [parseEther("10000")]);
  await chain.measure("upgrade (wrap) = deposit or top-up", s, x, "upgrade", [parseEther("10000")]);
  await chain.measure("createFlow via forwarder, first of both parties", s, forwarder, "createFlow", [x.address, s, r, rate, "0x"]);
  await chain.warp(1000);
  await chain.measure("createFlow via forwarder, receiver is new", s, forwarder, "createFlow", [x.address, s, r2, rate, "0x"]);
  await chain.warp(1000);
  await chain.send(s, forwarder, "deleteFlow", [x.address, s, r2, "0x"]);
  await chain.warp(1000);
  await chain.measure("createFlow via forwarder", s, forwarder, "createFlow", [x.address, s, r2, rate, "0x"]);
  await chain.warp(1000);
  await chain.measure("updateFlow via forwarder", s, forwarder, "updateFlow", [x.address, s, r2, rate * 2n, "0x"]);
  await chain.warp(1000);
  await chain.measure("deleteFlow via forwarder (cancel), by sender", s, forwarder, "deleteFlow", [x.address, s, r2, "0x"]);
  await chain.warp(1000);
  await chain.measure("downgrade (unwrap) by recipient, who holds no token yet", r, x, "downgrade", [parseEther("0.5")]);
  await chain.warp(1000);
  await chain.measure("downgrade (unwrap) by recipient = withdraw", r, x, "downgrade", [parseEther("0.5")]);

  await chain.send(s, coin, "upgradeByETH", [], parseEther("100"));
  await chain.measure("native: upgradeByETH", s, coin, "upgradeByETH", [], { value: parseEther("10") });
  await chain.send(s, forwarder, "createFlow", [coin.address, s, r, rate, "0x"]);
  await chain.warp(10_000);
  await chain.send(r, coin, "downgradeToETH", [parseEther("0.5")]);
  await chain.measure("native: downgradeToETH by recipient", r, coin, "downgradeToETH", [parseEther("0.5")]);

  const agreement = (fn: string, args: unknown[]) => ({
    operationType: 201,
    target: cfa.address,
    data: encodeAbiParameters([{ type: "bytes" }, { type: "bytes" }], [chain.data(cfa, fn, args), "0x"]),
  });
  const upgrade = {
    operationType: 101,
    target: x.address,
    data: encodeAbiParameters([{ type: "uint256" }], [parseEther("100")]),
  };
  await chain.measure("batchCall: upgrade + createFlow (open with deposit)", s, host, "batchCall", [
    [upgrade, agreement("createFlow", [x.address, r2, rate, "0x"])],
  ]);
  for (const n of [1, 10, 100]) {
    const to = Array.from({ length: n }, (_, i) => address(i + n * 1000));
    await chain.measure(
      `batchCall of ${n} createFlow, new receivers`,
      s,
      host,
      "batchCall",
      [to.map((a) => agreement("createFlow", [x.address, a, rate, "0x"]))],
      { n },
    );
    await chain.warp(1000);
    await chain.measure(
      `batchCall of ${n} deleteFlow`,
      s,
      host,
      "batchCall",
      [to.map((a) => agreement("deleteFlow", [x.address, s, a, "0x"]))],
      { n },
    );
  }
  await chain.close();
  return chain.rows;
}

function part(sf: Record<string, Address>, name: string): Address {
  const address = sf[name];
  if (address === undefined) throw new Error(`the framework has no ${name}`);
  return address;
}
