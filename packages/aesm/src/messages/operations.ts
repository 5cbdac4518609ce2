import type { AesmOperationName } from "@confcom/sgx";

/** Field number of each operation's sub-message in Request and Response alike (spec: AESM §3). */
export const OPERATIONS = {
  init_quote: 1,
  get_quote: 2,
  get_launch_token: 3,
  report_attestation_status: 4,
  get_whitelist_size: 10,
  get_whitelist: 11,
  get_extended_epid_group_id: 12,
  switch_extended_epid_group: 13,
  register: 14,
  init_quote_ex: 15,
  get_quote_size_ex: 16,
  get_quote_ex: 17,
  check_update_status: 18,
  select_att_key_id: 19,
  get_supported_att_key_id_num: 21,
  get_supported_att_key_ids: 22,
} as const satisfies Record<AesmOperationName, number>;

export type OperationNumber = (typeof OPERATIONS)[AesmOperationName];

/** One past the highest operation number: the size of tables indexed by it. */
export const OPERATION_LIMIT = 23;

/** Which of several sub-messages in one request is answered: the first in this order (spec: AESM §3.1). */
export const DISPATCH_ORDER: readonly OperationNumber[] = [3, 1, 2, 4, 18, 10, 11, 12, 13, 14, 15, 16, 17, 19, 21, 22];

const NAMES: readonly (AesmOperationName | undefined)[] = (() => {
  const names = new Array<AesmOperationName | undefined>(OPERATION_LIMIT).fill(undefined);
  for (const [name, number] of Object.entries(OPERATIONS)) names[number] = name as AesmOperationName;
  return names;
})();

/** The name of an operation number; "unknown" when there is none. */
export function operationName(operation: number): AesmOperationName | "unknown" {
  return NAMES[operation] ?? "unknown";
}
