// Loaded into the peer only: it changes the headers of what fetch gave it, which Node's own responses do not allow.
const original = globalThis.fetch;
globalThis.fetch = async (...given) => {
  const { body, status, statusText, headers } = await original(...given);
  return new Response(body, { status, statusText, headers });
};
