import { clusterLayout } from "./layout.ts";
import { readState, supervisorLives } from "./state.ts";

export interface ClusterStatus {
  readonly running: boolean;
  readonly directory: string;
  readonly name?: string;
  readonly phase?: string;
  readonly kubeconfig?: string;
  readonly nodes?: readonly { readonly name: string; readonly address: string; readonly epcMiB: number }[];
  /** `MACHINE/PROGRAM` → process id, 0 when it is not running. */
  readonly services?: Readonly<Record<string, number>>;
  readonly timeline?: readonly { readonly step: string; readonly ms: number }[];
}

export function clusterStatus(directory: string): ClusterStatus {
  const layout = clusterLayout(directory);
  const state = readState(layout.state);
  if (state === undefined || !supervisorLives(state)) return { running: false, directory };
  const nodes = Object.entries(state.machines).flatMap(([name, machine]) =>
    machine.node === undefined ? [] : [{ name, address: machine.address, epcMiB: machine.node.sgx?.epcMiB ?? 0 }],
  );
  const { name, phase, services, timeline } = state;
  return { running: true, directory, name, phase, kubeconfig: layout.kubeconfig, nodes, services, timeline };
}

export function statusLines(status: ClusterStatus): readonly string[] {
  if (!status.running) return [`no cluster is running in ${status.directory}`];
  const nodes = (status.nodes ?? []).map(({ name, address, epcMiB }) => {
    return `  ${name.padEnd(16)} ${address.padEnd(14)} ${epcMiB === 0 ? "no SGX" : `SGX, EPC ${epcMiB} MiB at the start`}`;
  });
  const services = Object.entries(status.services ?? {}).map(([service, pid]) => {
    return `  ${service.padEnd(40)} ${pid === 0 ? "NOT RUNNING" : `process ${pid}`}`;
  });
  return [`cluster "${status.name}" (${status.phase}) in ${status.directory}`, ...nodes, "programs", ...services];
}
