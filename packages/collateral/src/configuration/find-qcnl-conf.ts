import { CollateralError, messageOf } from "../errors.ts";
import type { ConfigurationInput } from "./effective-configuration.ts";
import { parseQcnlConf, QCNL_CONF_LIMIT, QCNL_CONF_PATH, type QcnlConf } from "./qcnl-conf.ts";

/** A qcnl.conf and where it lay. */
export interface FoundConf {
  readonly path: string;
  readonly conf: QcnlConf;
}

/**
 * The qcnl.conf that QCNL_CONF_PATH names, else the system's; undefined if there is none. Throws CollateralError CONFIGURATION for one that
 * cannot be read or used.
 */
export function findQcnlConf(
  env: ConfigurationInput["env"],
  readFile: ConfigurationInput["readFile"],
  warn: (text: string) => void,
): FoundConf | undefined {
  const named = env.QCNL_CONF_PATH;
  const path = named === undefined || named === "" ? QCNL_CONF_PATH : named;
  let bytes: Uint8Array | undefined;
  try {
    bytes = readFile(path, QCNL_CONF_LIMIT);
  } catch (cause) {
    const why = messageOf(cause);
    throw new CollateralError("CONFIGURATION", `${path} cannot be read: ${why}`, { cause });
  }
  if (bytes === undefined) {
    if (path === named) warn(`QCNL_CONF_PATH names ${path}, which is not there`);
    return undefined;
  }
  return { path, conf: parseQcnlConf(bytes, path, warn) };
}
