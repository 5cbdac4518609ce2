import { APPLICATION_FAULTS } from "./application-faults.ts";
import type { Fault } from "./cluster-faults.ts";
import { INSTALLATION_FAULTS } from "./installation-faults.ts";
import { NODE_FAULTS } from "./node-faults.ts";

export const FAULTS: readonly Fault[] = [...INSTALLATION_FAULTS, ...NODE_FAULTS, ...APPLICATION_FAULTS];
