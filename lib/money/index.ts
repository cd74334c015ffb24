export { formatAmount, MAX_AMOUNT, parseAmount, parseRaw } from "./amount.ts";
export { costDown, costUp, coveredMsDown, worstCaseLoss } from "./rate.ts";
