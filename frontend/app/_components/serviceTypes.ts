/** By the registry's number. */
export const serviceTypes = ["Text", "Image", "Audio", "Embedding"] as const;
