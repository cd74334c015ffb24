export { AppError, type AppErrorOptions, type Facts } from "./AppError.ts";
export { type ErrorCode, type ErrorKind, errorKindOf, errorKinds } from "./codes.ts";
export { fromProblem, fromStranger, type Problem, toProblem } from "./problem.ts";
