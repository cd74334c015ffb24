export { devAccounts, devMnemonic } from "./devAccounts.ts";
export { createFakeClock, type FakeClock } from "./fakeClock.ts";
export { type LocalChain, type LocalChainOptions, startLocalChain } from "./localChain.ts";
export { readArtifact, readArtifacts } from "./localChainArtifacts.ts";
