/** Type of the last event where an API has typed events: clients skip types that they do not know. */
export const RECEIPT_EVENT = "clawcompute.receipt";
