export { type Clock, steadyClock, systemClock } from "./clock.ts";
export { createDialer, type Dialer } from "./dial.ts";
export { createLogger, type Logger, stripUrls } from "./logger.ts";
export { type LoopOptions, runLoop } from "./loop.ts";
export { createMetrics, type Metrics } from "./metrics.ts";
export { loadNative, type RecoverSigner, recoverSigner } from "./recoverSigner.ts";
export { type AppEnv, checkShape, createApp, type Listening, listen, problemResponse, readBody, readJson } from "./serve.ts";
export { createShutdown, exitOnSignals, type Shutdown } from "./shutdown.ts";
