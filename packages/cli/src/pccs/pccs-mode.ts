/** Names that `--mode` takes. */
export const PCCS_MODES = ["lazy", "req", "offline"] as const;
export type PccsMode = (typeof PCCS_MODES)[number];
