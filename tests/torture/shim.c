/*
 * A disk that fails and a clock that jumps, for one process: preloaded, it stands between the program and the system.
 *
 * SHIM_MATCH   the files that are meant: those whose path holds this word
 * SHIM_OPS     the calls that count: any of w(rite) s(ync) t(runcate) r(ead) o(pen) u(nlink, rename)
 * SHIM_AT      the how-many-th of them fails, and with SHIM_LASTING each one after it
 * SHIM_DO      how: eio, enospc, short (half is written), tear (half is written, then SIGKILL), kill (SIGKILL before it)
 * SHIM_COUNT   a file that holds how many there were
 * SHIM_TRACE   a file to which each call that changes a file is appended, for the replay of a power loss
 * SHIM_CLOCK   a file with two numbers: milliseconds by which the wall clock and the clock that counts sleep are ahead
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define FILES 4096

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *names[FILES];
static long count;
static int ready, count_fd = -1, trace_fd = -1;
static const char *match, *ops, *what, *clock_path;
static long at;
static int lasting;

static void setup(void)
{
    if (ready)
        return;
    ready = 1;
    match = getenv("SHIM_MATCH");
    ops = getenv("SHIM_OPS");
    what = getenv("SHIM_DO");
    clock_path = getenv("SHIM_CLOCK");
    at = getenv("SHIM_AT") ? atol(getenv("SHIM_AT")) : 0;
    lasting = getenv("SHIM_LASTING") != NULL;
    if (getenv("SHIM_COUNT"))
        count_fd = syscall(SYS_openat, AT_FDCWD, getenv("SHIM_COUNT"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (getenv("SHIM_TRACE"))
        trace_fd = syscall(SYS_openat, AT_FDCWD, getenv("SHIM_TRACE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static const char *base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int is_meant(const char *path)
{
    return match && path && strstr(base(path), match) != NULL;
}

static const char *name_of(int fd)
{
    return fd >= 0 && fd < FILES ? names[fd] : NULL;
}

/* One line of the trace: the call, the file's name, two numbers, and the bytes. */
static void trace(char call, const char *name, long offset, long length, const void *bytes)
{
    char head[512];
    int size;
    if (trace_fd < 0)
        return;
    size = snprintf(head, sizeof head, "%c %s %ld %ld\n", call, base(name), offset, length);
    syscall(SYS_write, trace_fd, head, size);
    if (bytes)
        syscall(SYS_write, trace_fd, bytes, length);
}

/* Counts a call. Returns what is to be done about it; the lock is held. */
static const char *counted(char call)
{
    char text[32];
    int size;
    if (!ops || !strchr(ops, call))
        return NULL;
    count++;
    if (count_fd >= 0) {
        size = snprintf(text, sizeof text, "%ld\n", count);
        syscall(SYS_pwrite64, count_fd, text, size, 0L);
    }
    if (!at || !what || !(count == at || (lasting && count > at)))
        return NULL;
    if (strcmp(what, "kill") == 0)
        syscall(SYS_kill, getpid(), SIGKILL);
    return what;
}

static int fails(const char *how)
{
    if (how && strcmp(how, "eio") == 0) {
        errno = EIO;
        return 1;
    }
    if (how && strcmp(how, "enospc") == 0) {
        errno = ENOSPC;
        return 1;
    }
    return 0;
}

static int opened(int dir, const char *path, int flags, mode_t mode)
{
    int fd, meant, failed = 0;
    setup();
    meant = is_meant(path);
    if (!meant)
        return syscall(SYS_openat, dir, path, flags, mode);
    pthread_mutex_lock(&lock);
    failed = fails(counted('o'));
    fd = failed ? -1 : syscall(SYS_openat, dir, path, flags, mode);
    if (fd >= 0 && fd < FILES) {
        free(names[fd]);
        names[fd] = strdup(path);
        if (flags & O_CREAT)
            trace('c', path, 0, 0, NULL);
        if (flags & O_TRUNC)
            trace('t', path, 0, 0, NULL);
    }
    pthread_mutex_unlock(&lock);
    return fd;
}

#define OPEN(name)                                                   \
    int name(const char *path, int flags, ...)                       \
    {                                                                \
        mode_t mode = 0;                                             \
        if (flags & (O_CREAT | O_TMPFILE)) {                         \
            va_list list;                                            \
            va_start(list, flags);                                   \
            mode = va_arg(list, mode_t);                             \
            va_end(list);                                            \
        }                                                            \
        return opened(AT_FDCWD, path, flags, mode);                  \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                 \
    int name(int dir, const char *path, int flags, ...)              \
    {                                                                \
        mode_t mode = 0;                                             \
        if (flags & (O_CREAT | O_TMPFILE)) {                         \
            va_list list;                                            \
            va_start(list, flags);                                   \
            mode = va_arg(list, mode_t);                             \
            va_end(list);                                            \
        }                                                            \
        return opened(dir, path, flags, mode);                       \
    }
OPENAT(openat)
OPENAT(openat64)

int close(int fd)
{
    char *name = NULL;
    if (fd >= 0 && fd < FILES && names[fd]) {
        pthread_mutex_lock(&lock);
        name = names[fd];
        names[fd] = NULL;
        pthread_mutex_unlock(&lock);
        free(name);
    }
    return syscall(SYS_close, fd);
}

static ssize_t put(int fd, const void *bytes, size_t length, long offset, int has_offset)
{
    ssize_t done;
    const char *how, *name;
    setup();
    name = name_of(fd);
    if (!name)
        return has_offset ? syscall(SYS_pwrite64, fd, bytes, length, offset) : syscall(SYS_write, fd, bytes, length);
    pthread_mutex_lock(&lock);
    if (!has_offset)
        offset = syscall(SYS_lseek, fd, 0L, SEEK_CUR);
    how = counted('w');
    if (fails(how)) {
        pthread_mutex_unlock(&lock);
        return -1;
    }
    if (how && (strcmp(how, "short") == 0 || strcmp(how, "tear") == 0))
        length = length > 1 ? length / 2 : length;
    done = has_offset ? syscall(SYS_pwrite64, fd, bytes, length, offset) : syscall(SYS_write, fd, bytes, length);
    if (done > 0)
        trace('w', name, offset, done, bytes);
    if (how && strcmp(how, "tear") == 0)
        syscall(SYS_kill, getpid(), SIGKILL);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int fd, const void *bytes, size_t length) { return put(fd, bytes, length, 0, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) { return put(fd, bytes, length, offset, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) { return put(fd, bytes, length, offset, 1); }

static int reads_fail(int fd)
{
    int failed = 0;
    setup();
    if (name_of(fd)) {
        pthread_mutex_lock(&lock);
        failed = fails(counted('r'));
        pthread_mutex_unlock(&lock);
    }
    return failed;
}

ssize_t read(int fd, void *bytes, size_t length)
{
    return reads_fail(fd) ? -1 : syscall(SYS_read, fd, bytes, length);
}
ssize_t pread(int fd, void *bytes, size_t length, off_t offset)
{
    return reads_fail(fd) ? -1 : syscall(SYS_pread64, fd, bytes, length, offset);
}
ssize_t pread64(int fd, void *bytes, size_t length, off64_t offset)
{
    return reads_fail(fd) ? -1 : syscall(SYS_pread64, fd, bytes, length, offset);
}

static int sync_by(long call, int fd)
{
    int result;
    setup();
    if (!name_of(fd)) {
        struct stat found;
        result = syscall(call, fd);
        /* A folder: the names in it are on disk from here on. */
        if (result == 0 && trace_fd >= 0 && fstat(fd, &found) == 0 && S_ISDIR(found.st_mode)) {
            pthread_mutex_lock(&lock);
            trace('d', "folder", 0, 0, NULL);
            pthread_mutex_unlock(&lock);
        }
        return result;
    }
    pthread_mutex_lock(&lock);
    if (fails(counted('s'))) {
        pthread_mutex_unlock(&lock);
        return -1;
    }
    result = syscall(call, fd);
    if (result == 0)
        trace('s', names[fd], 0, 0, NULL);
    pthread_mutex_unlock(&lock);
    return result;
}

int fsync(int fd) { return sync_by(SYS_fsync, fd); }
int fdatasync(int fd) { return sync_by(SYS_fdatasync, fd); }

static int cut(int fd, long length)
{
    int result;
    setup();
    if (!name_of(fd))
        return syscall(SYS_ftruncate, fd, length);
    pthread_mutex_lock(&lock);
    if (fails(counted('t'))) {
        pthread_mutex_unlock(&lock);
        return -1;
    }
    result = syscall(SYS_ftruncate, fd, length);
    if (result == 0)
        trace('t', names[fd], length, 0, NULL);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t length) { return cut(fd, length); }
int ftruncate64(int fd, off64_t length) { return cut(fd, length); }

int unlink(const char *path)
{
    int result;
    setup();
    if (!is_meant(path))
        return syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    pthread_mutex_lock(&lock);
    if (fails(counted('u'))) {
        pthread_mutex_unlock(&lock);
        return -1;
    }
    result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (result == 0)
        trace('u', path, 0, 0, NULL);
    pthread_mutex_unlock(&lock);
    return result;
}

static long ahead(int which)
{
    char text[64] = {0};
    long numbers[2] = {0, 0};
    int fd = syscall(SYS_openat, AT_FDCWD, clock_path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return 0;
    syscall(SYS_read, fd, text, sizeof text - 1);
    syscall(SYS_close, fd);
    sscanf(text, "%ld %ld", &numbers[0], &numbers[1]);
    return numbers[which];
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = syscall(SYS_clock_gettime, clock, now);
    setup();
    if (result == 0 && clock_path && (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME)) {
        long ms = ahead(clock == CLOCK_BOOTTIME);
        long ns = now->tv_nsec + (ms % 1000) * 1000000;
        now->tv_sec += ms / 1000;
        if (ns < 0) {
            ns += 1000000000;
            now->tv_sec--;
        } else if (ns >= 1000000000) {
            ns -= 1000000000;
            now->tv_sec++;
        }
        now->tv_nsec = ns;
    }
    return result;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec time;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &time);
    now->tv_sec = time.tv_sec;
    now->tv_usec = time.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to)
        *to = now.tv_sec;
    return now.tv_sec;
}
