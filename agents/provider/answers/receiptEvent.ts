/**
 * Type of the event that carries the receipt where an API has typed events. One that clients know and skip: OpenAI's own helper
 * throws at types that it does not know.
 */
export const RECEIPT_EVENT = "keepalive";
