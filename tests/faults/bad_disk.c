/* A disk that fails on demand: loaded before the C library (LD_PRELOAD).
 *
 * BAD_DISK_FILES  glob of the full paths that fail
 * BAD_DISK_OPS    which of write, sync, truncate, create, mkdir, rename fail
 * BAD_DISK_ERRNO  how they fail; 0: the process kills itself there, in the middle of a write;
 *                 nothing waits for the disk then, because a kill does not spoil what was written
 * BAD_DISK_AFTER  how many such operations succeed first
 * BAD_DISK_WHEN   a file; as long as it is not there, everything succeeds
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int passed;

static int hits(const char *op, const char *path) {
    const char *files = getenv("BAD_DISK_FILES"), *ops = getenv("BAD_DISK_OPS");
    const char *when = getenv("BAD_DISK_WHEN"), *after = getenv("BAD_DISK_AFTER");
    if (!files || !ops || !strstr(ops, op) || fnmatch(files, path, 0)) return 0;
    if (when && *when && access(when, F_OK)) return 0;
    return __sync_fetch_and_add(&passed, 1) >= (after ? atoi(after) : 0);
}

static int fd_hits(const char *op, int fd) {
    char link[64], path[4096];
    int kept = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = kept;
    if (length <= 0 || path[0] != '/') return 0;
    path[length] = 0;
    int hit = hits(op, path);
    errno = kept;
    return hit;
}

static int at_hits(const char *op, const char *name) {
    char path[4096];
    int kept = errno;
    if (name[0] != '/') {
        if (!getcwd(path, sizeof path / 2)) return 0;
        strcat(path, "/");
        strncat(path, name, sizeof path / 2 - 2);
    } else
        snprintf(path, sizeof path, "%s", name);
    errno = kept;
    int hit = hits(op, path);
    errno = kept;
    return hit;
}

static int number(void) {
    const char *given = getenv("BAD_DISK_ERRNO");
    return given ? atoi(given) : EIO;
}

static int deadly(void) { return number() == 0; }

static int fail(void) {
    if (deadly()) raise(SIGKILL);
    errno = number();
    return -1;
}

ssize_t write(int fd, const void *data, size_t size) {
    if (fd_hits("write", fd)) {
        if (deadly()) NEXT(write)(fd, data, size / 2);
        return fail();
    }
    return NEXT(write)(fd, data, size);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (fd_hits("write", fd)) return fail();
    return NEXT(writev)(fd, parts, count);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t place) {
    if (fd_hits("write", fd)) {
        if (deadly()) NEXT(pwrite)(fd, data, size / 2, place);
        return fail();
    }
    return NEXT(pwrite)(fd, data, size, place);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t place) {
    if (fd_hits("write", fd)) {
        if (deadly()) NEXT(pwrite64)(fd, data, size / 2, place);
        return fail();
    }
    return NEXT(pwrite64)(fd, data, size, place);
}

int fsync(int fd) {
    if (fd_hits("sync", fd)) return fail();
    return deadly() ? 0 : NEXT(fsync)(fd);
}

int fdatasync(int fd) {
    if (fd_hits("sync", fd)) return fail();
    return deadly() ? 0 : NEXT(fdatasync)(fd);
}

int ftruncate(int fd, off_t size) {
    return fd_hits("truncate", fd) ? fail() : NEXT(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size) {
    return fd_hits("truncate", fd) ? fail() : NEXT(ftruncate64)(fd, size);
}

#define OPENER(name)                                                        \
    int name(const char *path, int flags, ...) {                            \
        va_list rest;                                                       \
        va_start(rest, flags);                                              \
        mode_t mode = va_arg(rest, mode_t);                                 \
        va_end(rest);                                                       \
        if ((flags & O_CREAT) && at_hits("create", path)) return fail();    \
        return NEXT(name)(path, flags, mode);                               \
    }
OPENER(open)
OPENER(open64)

int mkdir(const char *path, mode_t mode) {
    return at_hits("mkdir", path) ? fail() : NEXT(mkdir)(path, mode);
}

int rename(const char *from, const char *to) {
    return at_hits("rename", to) ? fail() : NEXT(rename)(from, to);
}
