/*
 * What a hello-world enclave shows on a cluster, without an enclave: the container was given /dev/sgx_enclave because
 * it asked for EPC. An application built with an SGX SDK would load its enclave through this device and print the
 * same two lines from within.
 *
 * Build: cc -static -Os -o hello hello.c
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In-tree driver first, then the name that DCAP's out-of-tree driver gave the device. */
static const char *const DEVICES[] = {"/dev/sgx_enclave", "/dev/sgx/enclave"};

int main(void) {
  int reason = ENOENT;
  for (size_t i = 0; i < sizeof DEVICES / sizeof *DEVICES; i++) {
    int device = open(DEVICES[i], O_RDWR | O_CLOEXEC);
    if (device >= 0) {
      close(device);
      puts("Hello world from the enclave");
      puts("Enclave called into host to print: Hello World!");
      return 0;
    }
    if (errno != ENOENT) reason = errno;
  }
  fprintf(stderr,
          "cannot open /dev/sgx_enclave: %s\n"
          "Ask for enclave memory in the container's resource limits, e.g. kubernetes.azure.com/sgx_epc_mem_in_MiB: 10,\n"
          "and see that the node's sgx-plugin is ready: kubectl get pods -n kube-system -l app=sgx-plugin\n",
          strerror(reason));
  return 1;
}
