// SPDX-License-Identifier: Apache-2.0
#include "adapter/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Computing, also with threads, which some languages' runtimes need. */
static const int computing[] = {
    SCMP_SYS(brk),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(futex),
    SCMP_SYS(get_robust_list),
    SCMP_SYS(getcpu),
    SCMP_SYS(getpid),
    SCMP_SYS(getrandom),
    SCMP_SYS(gettid),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(madvise),
    SCMP_SYS(membarrier),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    SCMP_SYS(nanosleep),
    SCMP_SYS(read),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(time),
    SCMP_SYS(write),
    SCMP_SYS(writev),
};

/* What libraries try on the way and can do without: it fails, and they go on. */
static const int in_vain[] = {
    SCMP_SYS(access),     SCMP_SYS(close),     SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
    SCMP_SYS(fcntl),      SCMP_SYS(fstat),     SCMP_SYS(ioctl),     SCMP_SYS(lseek),
    SCMP_SYS(newfstatat), SCMP_SYS(open),      SCMP_SYS(openat),    SCMP_SYS(prctl),
    SCMP_SYS(readlink),   SCMP_SYS(stat),      SCMP_SYS(statx),     SCMP_SYS(uname),
    SCMP_SYS(sysinfo),    SCMP_SYS(prlimit64), SCMP_SYS(getuid),    SCMP_SYS(geteuid),
};

/* What the dynamic linker and the constructors of runtimes need. */
static const int loading[] = {
    SCMP_SYS(access),     SCMP_SYS(arch_prctl), SCMP_SYS(close),   SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(fcntl),      SCMP_SYS(fstat),   SCMP_SYS(getdents64),
    SCMP_SYS(getegid),    SCMP_SYS(geteuid),    SCMP_SYS(getgid),  SCMP_SYS(getppid),
    SCMP_SYS(getrlimit),  SCMP_SYS(getuid),     SCMP_SYS(lseek),   SCMP_SYS(mmap),
    SCMP_SYS(mprotect),   SCMP_SYS(newfstatat), SCMP_SYS(prctl),   SCMP_SYS(pread64),
    SCMP_SYS(readlink),   SCMP_SYS(readlinkat), SCMP_SYS(seccomp), SCMP_SYS(set_tid_address),
    SCMP_SYS(setrlimit),  SCMP_SYS(prlimit64),  SCMP_SYS(stat),    SCMP_SYS(statx),
    SCMP_SYS(sysinfo),    SCMP_SYS(uname),
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static int add_all(scmp_filter_ctx filter, uint32_t action, const int *calls, size_t count)
{
    int result = 0;
    for (size_t i = 0; i < count && result == 0; i++)
        result = seccomp_rule_add(filter, action, calls[i], 0);
    return result;
}

/* A thread, not a process; a signal to itself, not to another. clone3 hides its flags in memory,
 * where a filter can't look; without it the C library uses clone. */
static int add_threads(scmp_filter_ctx filter)
{
    int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                                  SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                                  SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    return result;
}

/* Memory of its own, which counts against its limit, and no code that wasn't loaded. */
static int add_memory(scmp_filter_ctx filter)
{
    int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
                                  SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED, 0));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    return result;
}

static int add_reading(scmp_filter_ctx filter)
{
    const scmp_datum_t writing = O_ACCMODE | O_CREAT | O_TRUNC;
    int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
                                  SCMP_A2(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
    if (result == 0)
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
                                  SCMP_A1(SCMP_CMP_MASKED_EQ, writing, O_RDONLY));
    return result;
}

/* Takes the filter, and `result`, which was of filling it. It holds for all threads. */
static int install_take(scmp_filter_ctx filter, int result, struct error *err)
{
    if (result == 0)
        result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    return result == 0
               ? OK
               : error_set(err, ERR_BUG, "its process couldn't be confined: %s", strerror(-result));
}

static void limit(__rlimit_resource_t resource, rlim_t value)
{
    setrlimit(resource, &(struct rlimit){value, value});
}

int confine_loading(struct error *err)
{
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_MEMLOCK, 0);
    limit(RLIMIT_MSGQUEUE, 0);
    limit(RLIMIT_NOFILE, 64);
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    int result = filter ? add_all(filter, SCMP_ACT_ALLOW, computing, COUNT(computing)) : -ENOMEM;
    if (result == 0)
        result = add_all(filter, SCMP_ACT_ALLOW, loading, COUNT(loading));
    if (result == 0)
        result = add_threads(filter);
    if (result == 0)
        result = add_reading(filter);
    return install_take(filter, result, err);
}

int confine_computing(struct error *err)
{
    prctl(PR_SET_DUMPABLE, 0);
    limit(RLIMIT_NOFILE, 1); /* the socket is 0 */
    limit(RLIMIT_NPROC, 512);
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int result = filter ? add_all(filter, SCMP_ACT_ALLOW, computing, COUNT(computing)) : -ENOMEM;
    if (result == 0)
        result = add_all(filter, SCMP_ACT_ERRNO(EACCES), in_vain, COUNT(in_vain));
    if (result == 0)
        result = add_threads(filter);
    if (result == 0)
        result = add_memory(filter);
    return install_take(filter, result, err);
}
