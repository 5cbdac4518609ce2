/*
 * Says what a container sees: one line of JSON with its devices, the SGX devices' usability, environment, mounts, identity,
 * and whether the AESM socket answers connect(). Then it stays, if asked, so that its pod holds what it was given.
 *
 *     probe [--sleep SECONDS | --hold]      SIGTERM or SIGINT ends either with status 0
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define AESM_SOCKET "/var/run/aesmd/aesm.socket"

extern char **environ;

static void string(const char *text) {
    putchar('"');
    for (const unsigned char *at = (const unsigned char *)text; *at != 0; at++) {
        if (*at == '"' || *at == '\\') printf("\\%c", *at);
        else if (*at < 0x20 || *at > 0x7e) printf("\\u%04x", *at);
        else putchar(*at);
    }
    putchar('"');
}

static const char *error_name(int error) {
    static char other[16];
    switch (error) {
    case 0: return "ok";
    case EACCES: return "EACCES";
    case EPERM: return "EPERM";
    case ENOENT: return "ENOENT";
    case ENXIO: return "ENXIO";
    case ENODEV: return "ENODEV";
    case EROFS: return "EROFS";
    case EISDIR: return "EISDIR";
    case ENOTDIR: return "ENOTDIR";
    case ECONNREFUSED: return "ECONNREFUSED";
    case EAGAIN: return "EAGAIN";
    case ENOTSOCK: return "ENOTSOCK";
    default: snprintf(other, sizeof other, "errno %d", error); return other;
    }
}

/* The result of open(path, flags): "ok" or the error's name. */
static const char *opened(const char *path, int flags) {
    int file = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0) return error_name(errno);
    close(file);
    return "ok";
}

static void device(const char *path, const struct stat *status, int *count) {
    /* Others may act when they are opened: in a privileged container they are the host's disks, terminals and watchdog. */
    int is_sgx = strncmp(path, "/dev/sgx", 8) == 0 || strcmp(path, "/dev/isgx") == 0;
    printf("%s{\"path\":", (*count)++ == 0 ? "" : ",");
    string(path);
    printf(",\"type\":\"%s\",\"major\":%u,\"minor\":%u,\"mode\":\"%04o\",\"openReadWrite\":\"%s\"}",
           S_ISCHR(status->st_mode) ? "char" : "block", major(status->st_rdev), minor(status->st_rdev),
           (unsigned)(status->st_mode & 07777), is_sgx ? opened(path, O_RDWR) : "not tried");
}

/* Devices below a directory, except terminals, which every container has. */
static void devices_below(const char *directory, int depth, int *count) {
    DIR *entries = opendir(directory);
    if (entries == NULL) return;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        char path[4096];
        struct stat status;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) >= (int)sizeof path) continue;
        if (strcmp(path, "/dev/pts") == 0 || strcmp(path, "/dev/console") == 0) continue;
        if (lstat(path, &status) != 0) continue;
        if (S_ISDIR(status.st_mode) && depth > 0) devices_below(path, depth - 1, count);
        if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) device(path, &status, count);
    }
    closedir(entries);
}

/* What opening each known name of an SGX device gives. */
static void sgx_devices(void) {
    static const char *const names[] = {"/dev/sgx_enclave", "/dev/sgx/enclave", "/dev/sgx_provision", "/dev/sgx/provision",
                                        "/dev/isgx"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        printf(i == 0 ? "" : ",");
        string(names[i]);
        printf(":\"%s\"", opened(names[i], O_RDWR));
    }
}

/* Variables about SGX and this project; a container's other variables are nobody's business. */
static void environment(void) {
    static const char *const prefixes[] = {"SGX", "AESM", "CONFCOM"};
    int count = 0;
    for (char **variable = environ; *variable != NULL; variable++) {
        const char *equals = strchr(*variable, '=');
        if (equals == NULL) continue;
        for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
            if (strncmp(*variable, prefixes[i], strlen(prefixes[i])) != 0) continue;
            char name[256];
            snprintf(name, sizeof name, "%.*s", (int)(equals - *variable), *variable);
            printf(count++ == 0 ? "" : ",");
            string(name);
            putchar(':');
            string(equals + 1);
            break;
        }
    }
}

/* /proc/self/mountinfo: id parent major:minor root point options [fields] - type source superoptions */
static void mounts(void) {
    FILE *file = fopen("/proc/self/mountinfo", "re");
    if (file == NULL) return;
    static char line[16384];
    for (int count = 0; fgets(line, sizeof line, file) != NULL;) {
        char root[4096], point[4096], options[1024], type[256];
        const char *separator = strstr(line, " - ");
        if (separator == NULL || sscanf(line, "%*s %*s %*s %4095s %4095s %1023s", root, point, options) != 3) continue;
        if (sscanf(separator, " - %255s", type) != 1) continue;
        printf(count++ == 0 ? "{\"point\":" : ",{\"point\":");
        string(point);
        printf(",\"root\":");
        string(root);
        printf(",\"type\":");
        string(type);
        printf(",\"options\":");
        string(options);
        int read_only = strcmp(options, "ro") == 0 || strncmp(options, "ro,", 3) == 0;
        printf(",\"readOnly\":%s}", read_only ? "true" : "false");
    }
    fclose(file);
}

static void aesm(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = AESM_SOCKET};
    struct stat status;
    int exists = stat(AESM_SOCKET, &status) == 0;
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int result = connection < 0 ? errno : connect(connection, (struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    if (connection >= 0) close(connection);
    printf("{\"path\":\"%s\",\"exists\":%s,\"directory\":%s,\"connect\":\"%s\",\"create\":\"", AESM_SOCKET,
           exists ? "true" : "false", stat("/var/run/aesmd", &status) == 0 ? "true" : "false", error_name(result));
    const char *created = opened("/var/run/aesmd/.probe", O_WRONLY | O_CREAT | O_EXCL);
    if (strcmp(created, "ok") == 0) unlink("/var/run/aesmd/.probe");
    printf("%s\"}", created);
}

/* Fields of /proc/self/status that say what the process may do, as strings. */
static void rights(void) {
    static const char *const fields[] = {"CapEff", "CapBnd", "NoNewPrivs", "Seccomp"};
    FILE *file = fopen("/proc/self/status", "re");
    if (file == NULL) return;
    char line[1024], name[64], value[64];
    while (fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "%63[^:]: %63s", name, value) != 2) continue;
        for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
            if (strcmp(name, fields[i]) == 0) printf(",\"%s\":\"%s\"", name, value);
        }
    }
    fclose(file);
}

static void report(void) {
    int count = 0;
    struct stat status;
    printf("{\"uid\":%u,\"gid\":%u", (unsigned)geteuid(), (unsigned)getegid());
    rights();
    printf(",\"serviceAccountToken\":%s",
           stat("/var/run/secrets/kubernetes.io/serviceaccount/token", &status) == 0 ? "true" : "false");
    printf(",\"rootWritable\":\"%s\"", opened("/.probe", O_WRONLY | O_CREAT | O_EXCL));
    unlink("/.probe");
    printf(",\"devices\":[");
    devices_below("/dev", 2, &count);
    printf("],\"sgx\":{");
    sgx_devices();
    printf("},\"env\":{");
    environment();
    printf("},\"aesm\":");
    aesm();
    printf(",\"mounts\":[");
    mounts();
    printf("]}\n");
    fflush(stdout);
}

static void stay(const sigset_t *ends, long seconds) {
    struct timespec limit = {.tv_sec = seconds};
    if (seconds < 0) sigwaitinfo(ends, NULL);
    else sigtimedwait(ends, NULL, &limit);
}

int main(int argc, char **argv) {
    /* Blocked from the start: process 1 of a container would lose a signal that it does not wait for yet. */
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    int hold = argc == 2 && strcmp(argv[1], "--hold") == 0;
    int sleep = argc == 3 && strcmp(argv[1], "--sleep") == 0;
    if (argc > 1 && !hold && !sleep) {
        fprintf(stderr, "usage: probe [--sleep SECONDS | --hold]\n");
        return 64;
    }
    report();
    if (hold || sleep) stay(&ends, hold ? -1 : atol(argv[2]));
    return 0;
}
