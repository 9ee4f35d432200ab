// SPDX-License-Identifier: Apache-2.0
/*
 * The file of an adapter, checked before anything of it runs. It is opened once and everything,
 * the loading included, goes through that descriptor: what was checked is what is loaded.
 *
 * Symbolic links on the way are followed, because Kubernetes mounts volumes through them; the
 * checks are made of the file at their end.
 */
#ifndef ADAPTER_FILE_H
#define ADAPTER_FILE_H

#include "base/error.h"
#include "base/hash.h"

/* Opens `path` and checks: absolute, there, a regular file, owned by root or by the user that this
 * process runs as, not writable by group or others, the digest (`sha256` may be NULL: not pinned),
 * an ELF shared object of this machine. The caller closes *ret_fd.
 * ERR_MISSING, ERR_DENIED or ERR_INVALID; the words name what was expected and found. */
int file_open_checked(const char *path, const char *sha256, int *ret_fd,
                      char ret_digest[HASH_HEX_SIZE], struct error *err);

/* Puts a copy that nobody can change in place of what `*fd` is open on. A file that is mapped must
 * not be written over, and whoever replaces one by `cp` does so; the copy doesn't mind. `digest` is
 * what was checked. ERR_RETRY: the file has changed meanwhile, or there is no memory for it; the
 * descriptor is then left as it is. */
int file_seal(int *fd, const char *name, const char *digest, struct error *err);

/* The digest of a file as it is now. ERR_MISSING or ERR_DENIED. */
int file_digest(const char *path, char ret_digest[HASH_HEX_SIZE], struct error *err);

/* Is this digest the one that is asked for? NULL: any. ERR_DENIED. */
int file_check_digest(const char *found, const char *sha256, struct error *err);

#endif
