// SPDX-License-Identifier: Apache-2.0
#include "adapter/file.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_regular(const char *path, int *ret_fd, struct stat *ret_stat, struct error *err)
{
    if (path[0] != '/')
        return error_set(err, ERR_INVALID, "file: expected an absolute path, found \"%s\"", path);
    /* Without O_NONBLOCK a named pipe would hold us here. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return error_set(err, ERR_MISSING, "file: expected %s, found nothing there", path);
    if (fd < 0)
        return error_set(err, ERR_DENIED, "file: %s can't be opened: %s", path, strerror(errno));
    if (fstat(fd, ret_stat) < 0 || !S_ISREG(ret_stat->st_mode)) {
        close(fd);
        return error_set(err, ERR_INVALID, "file: expected %s to be a regular file, found %s", path,
                         S_ISDIR(ret_stat->st_mode) ? "a directory" : "something else");
    }
    *ret_fd = fd;
    return OK;
}

static int check_trust(const char *path, const struct stat *stat, struct error *err)
{
    if (stat->st_uid != 0 && stat->st_uid != geteuid())
        return error_set(err, ERR_DENIED,
                         "owner: expected %s to belong to root or to user %u, found user %u", path,
                         (unsigned)geteuid(), (unsigned)stat->st_uid);
    if (stat->st_mode & (S_IWGRP | S_IWOTH))
        return error_set(err, ERR_DENIED,
                         "mode: expected %s to be writable by its owner only, found %04o", path,
                         (unsigned)stat->st_mode & 07777);
    return OK;
}

int file_check_digest(const char *found, const char *sha256, struct error *err)
{
    if (sha256 && strcasecmp(found, sha256) != 0)
        return error_set(err, ERR_DENIED, "sha256: expected %s, found %s", sha256, found);
    return OK;
}

static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case EM_X86_64:
        return "x86-64";
    case EM_AARCH64:
        return "AArch64";
    case EM_386:
        return "x86";
    case EM_ARM:
        return "ARM";
    case EM_RISCV:
        return "RISC-V";
    case EM_PPC64:
        return "PowerPC 64";
    case EM_S390:
        return "S/390";
    default:
        return "another machine";
    }
}

/* What this program is, so what it can load. */
static int own_header(ElfW(Ehdr) * ret_header)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : pread(fd, ret_header, sizeof *ret_header, 0);
    if (fd >= 0)
        close(fd);
    return got == (ssize_t)sizeof *ret_header ? OK : ERR_BUG;
}

/* How long the file must be for what the header and the segments promise; half a file would be
 * mapped, and end this process when the missing half is touched. */
static uint64_t promised_size(const char *bytes, size_t size, const ElfW(Ehdr) * header)
{
    uint64_t promised = header->e_phoff + (uint64_t)header->e_phnum * sizeof(ElfW(Phdr));
    if (header->e_phoff > size || promised > size)
        return promised;
    for (unsigned i = 0; i < header->e_phnum; i++) {
        ElfW(Phdr) segment;
        memcpy(&segment, bytes + header->e_phoff + i * sizeof segment, sizeof segment);
        uint64_t end = segment.p_offset + segment.p_filesz;
        if (segment.p_type == PT_LOAD && (end > promised || end < segment.p_offset))
            promised = end < segment.p_offset ? UINT64_MAX : end;
    }
    return promised;
}

static int check_length(const void *bytes, size_t size, const ElfW(Ehdr) * header,
                        struct error *err)
{
    uint64_t promised = promised_size(bytes, size, header);
    if (promised <= size)
        return OK;
    return error_set(err, ERR_INVALID,
                     "length: expected at least %llu bytes, found %zu: the file is cut short",
                     (unsigned long long)promised, size);
}

static int check_elf(const void *bytes, size_t size, struct error *err)
{
    ElfW(Ehdr) header, own;
    if (size < sizeof header || memcmp(bytes, ELFMAG, SELFMAG) != 0)
        return error_set(err, ERR_INVALID, "format: expected an ELF shared object, found %s",
                         size < sizeof header ? "a file too short to be one" : "something else");
    memcpy(&header, bytes, sizeof header);
    if (own_header(&own) < 0)
        return error_set(err, ERR_BUG, "/proc/self/exe can't be read");
    if (header.e_ident[EI_CLASS] != own.e_ident[EI_CLASS] ||
        header.e_ident[EI_DATA] != own.e_ident[EI_DATA])
        return error_set(err, ERR_INVALID, "class: expected ELF class %d, data %d, found %d, %d",
                         own.e_ident[EI_CLASS], own.e_ident[EI_DATA], header.e_ident[EI_CLASS],
                         header.e_ident[EI_DATA]);
    if (header.e_machine != own.e_machine)
        return error_set(err, ERR_INVALID, "machine: expected %s (%u), found %s (%u)",
                         machine_name(own.e_machine), own.e_machine, machine_name(header.e_machine),
                         header.e_machine);
    if (header.e_type != ET_DYN)
        return error_set(err, ERR_INVALID,
                         "type: expected a shared object (ELF type %d), found type %u", ET_DYN,
                         header.e_type);
    return check_length(bytes, size, &header, err);
}

/* A file's bytes for a moment; the caller unmaps them. */
static int map_bytes(int fd, size_t size, void **ret_bytes, struct error *err)
{
    if (size == 0)
        return error_set(err, ERR_INVALID,
                         "format: expected an ELF shared object, found an empty "
                         "file");
    void *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return error_set(err, ERR_DENIED, "the file can't be read: %s", strerror(errno));
    *ret_bytes = bytes;
    return OK;
}

static int hash_content(int fd, size_t size, char ret_digest[HASH_HEX_SIZE], struct error *err)
{
    void *bytes = NULL;
    int result = map_bytes(fd, size, &bytes, err);
    if (result < 0)
        return result;
    hash_sha256(bytes, size, ret_digest);
    munmap(bytes, size);
    return OK;
}

static int check_content(int fd, size_t size, struct error *err)
{
    void *bytes = NULL;
    int result = map_bytes(fd, size, &bytes, err);
    if (result < 0)
        return result;
    result = check_elf(bytes, size, err);
    munmap(bytes, size);
    return result;
}

int file_open_checked(const char *path, const char *sha256, int *ret_fd,
                      char ret_digest[HASH_HEX_SIZE], struct error *err)
{
    int fd = -1;
    struct stat stat = {0};
    char digest[HASH_HEX_SIZE];
    int result = open_regular(path, &fd, &stat, err);
    if (result < 0)
        return result;
    if ((result = check_trust(path, &stat, err)) < 0 ||
        (result = hash_content(fd, (size_t)stat.st_size, digest, err)) < 0 ||
        (result = file_check_digest(digest, sha256, err)) < 0 ||
        (result = check_content(fd, (size_t)stat.st_size, err)) < 0) {
        close(fd);
        return result;
    }
    memcpy(ret_digest, digest, sizeof digest);
    *ret_fd = fd;
    return OK;
}

static int copy_bytes(int from, int to, size_t size, struct error *err)
{
    for (off_t at = 0; (size_t)at < size;) {
        ssize_t sent = sendfile(to, from, &at, size - (size_t)at);
        if (sent <= 0)
            return error_set(err, ERR_RETRY, "file: it can't be copied: %s",
                             sent < 0 ? strerror(errno) : "it has become shorter meanwhile");
    }
    return OK;
}

static int check_copy(int copy, size_t size, const char *digest, struct error *err)
{
    enum { SEALS = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL };
    char found[HASH_HEX_SIZE];
    if (fcntl(copy, F_ADD_SEALS, SEALS) < 0)
        return error_set(err, ERR_RETRY, "file: its copy can't be sealed: %s", strerror(errno));
    int result = hash_content(copy, size, found, err);
    if (result == OK && strcmp(found, digest) != 0)
        return error_set(err, ERR_RETRY, "sha256: expected %s, found %s: it is being written",
                         digest, found);
    return result;
}

int file_seal(int *fd, const char *name, const char *digest, struct error *err)
{
    struct stat stat;
    int copy = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (copy < 0 || fstat(*fd, &stat) < 0) {
        int code = error_set(err, ERR_RETRY, "file: it can't be copied: %s", strerror(errno));
        if (copy >= 0)
            close(copy);
        return code;
    }
    int result = copy_bytes(*fd, copy, (size_t)stat.st_size, err);
    if (result == OK)
        result = check_copy(copy, (size_t)stat.st_size, digest, err);
    if (result < 0) {
        close(copy);
        return result;
    }
    close(*fd);
    *fd = copy;
    return OK;
}

int file_digest(const char *path, char ret_digest[HASH_HEX_SIZE], struct error *err)
{
    int fd = -1;
    struct stat stat = {0};
    int result = open_regular(path, &fd, &stat, err);
    if (result < 0)
        return result;
    result = hash_content(fd, (size_t)stat.st_size, ret_digest, err);
    close(fd);
    return result;
}
