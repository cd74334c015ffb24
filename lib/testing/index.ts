export { devAccounts, devMnemonic } from "./devAccounts.ts";
export { createFakeClock, type FakeClock } from "./fakeClock.ts";
export { type LocalChain, type LocalChainOptions, startLocalChain } from "./localChain.ts";
export { readArtifact, readArtifacts } from "./localChainArtifacts.ts";
export { type RpcFate, type RpcProxy, type RpcRequest, startRpcProxy } from "./localChainProxy.ts";
export { findPostgres, type LocalPostgres, type PostgresOptions, startPostgres } from "./postgres.ts";
export { createRecordingLogger, type LogRecord } from "./recordingLogger.ts";
export { type ScriptedUpstream, startScriptedUpstream, type UpstreamExchange } from "./scriptedUpstream.ts";
export { type TinyModelName, type TinyModelOptions, tinyGguf, tinyModels, writeTinyModel } from "./tinyModel.ts";
