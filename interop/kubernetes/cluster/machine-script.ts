import { CGROUP_MOUNT } from "./cgroups.ts";
import { MACHINE_PATHS, type MachineLayout, NETWORK } from "./layout.ts";

// Shell scripts that run as the first process of a PID namespace. Each says `ready` when its machine is, and then stays to
// collect the orphans of the namespace; its death is the death of everything inside.

const REAP_FOREVER = `echo ready
exec </dev/null >/dev/null 2>&1
trap '' HUP INT TERM
while :; do sleep 2147483647 & wait; done
`;

/** Sysctls of the whole kernel, not of a namespace, that kubelet writes: the node sees files of its own in their place. */
export const SHADOWED_SYSCTLS: Readonly<Record<string, string>> = {
  "vm/overcommit_memory": "0",
  "vm/panic_on_oom": "0",
  "kernel/panic": "0",
  "kernel/panic_on_oops": "0",
  "kernel/keys/root_maxkeys": "1000000",
  "kernel/keys/root_maxbytes": "25000000",
};

/** The outermost namespaces: the bridge that joins the machines, and the router between their pods. */
export function clusterScript(): string {
  return `set -eu
mount -t proc proc /proc
ip link set lo up
ip link add machines type bridge
ip address add ${NETWORK.gateway}/${NETWORK.prefixLength} dev machines
ip link set machines up
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 0 >/proc/sys/net/ipv4/conf/all/send_redirects
echo 0 >/proc/sys/net/ipv4/conf/machines/send_redirects
${REAP_FOREVER}`;
}

export interface MachineScriptOptions {
  readonly layout: MachineLayout;
  readonly hostname: string;
  readonly binaries: string;
  /** Lines "ADDRESS NAME" for /etc/hosts. */
  readonly hosts: readonly string[];
}

/**
 * One machine: a root file system that is an overlay over this machine's, with own /dev, /proc, /sys, /run, /tmp, /var/lib and
 * /var/log, so that nothing that runs on it writes anywhere else.
 */
export function machineScript(options: MachineScriptOptions): string {
  const { layout } = options;
  const sysctls = Object.keys(SHADOWED_SYSCTLS);
  return `set -eu
hostname ${shellWord(options.hostname)}
mount -t overlay overlay -o ${shellWord(`lowerdir=/,upperdir=${layout.upper},workdir=${layout.work}`)} ${shellWord(layout.root)}
cd ${shellWord(layout.root)}
mkdir -p .outside .${MACHINE_PATHS.binaries} .${MACHINE_PATHS.configuration} .${MACHINE_PATHS.cniConfiguration} var/lib var/log
rm -f etc/hosts etc/resolv.conf etc/hostname
printf '%s\\n' ${["127.0.0.1 localhost", ...options.hosts].map(shellWord).join(" ")} >etc/hosts
: >etc/resolv.conf
echo ${shellWord(options.hostname)} >etc/hostname

mount --bind ${shellWord(options.binaries)} .${MACHINE_PATHS.binaries}
mount --bind ${shellWord(layout.configuration)} .${MACHINE_PATHS.configuration}
if [ -d ${shellWord(`${layout.configuration}/cni`)} ]; then
  mount --bind ${shellWord(`${layout.configuration}/cni`)} .${MACHINE_PATHS.cniConfiguration}
fi
mount --bind ${shellWord(layout.varLib)} var/lib
mount -t tmpfs -o mode=755 tmpfs run
mkdir -p run/lock
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs var/log
mkdir -p var/log/pods var/log/containers

mount -t sysfs sysfs sys
mount --rbind ${CGROUP_MOUNT} .${CGROUP_MOUNT}
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount --bind /proc/sys/net proc/sys/net
${sysctls.map((name) => `[ ! -e proc/sys/${name} ] || mount --bind ${shellWord(`${layout.sysctls}/${name.replaceAll("/", ".")}`)} proc/sys/${name}`).join("\n")}

mount -t tmpfs -o mode=755 tmpfs dev
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 644 dev/kmsg c 1 11
mknod -m 666 dev/tty c 5 0
mkdir dev/pts dev/shm dev/mqueue
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t mqueue mqueue dev/mqueue
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr

pivot_root . .outside
umount -l /.outside
rmdir /.outside
cd /
mount --make-rshared /
${REAP_FOREVER}`;
}

export function shellWord(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
