/* For LD_PRELOAD: a file system whose files cannot be mapped as shared memory, as 9p and some of FUSE. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/types.h>

typedef void *(*map)(void *, size_t, int, int, int, off_t);

void *mmap(void *at, size_t len, int protection, int flags, int file, off_t offset) {
    if (file >= 0 && (flags & MAP_SHARED)) {
        errno = ENODEV;
        return MAP_FAILED;
    }
    return ((map)dlsym(RTLD_NEXT, "mmap"))(at, len, protection, flags, file, offset);
}

void *mmap64(void *at, size_t len, int protection, int flags, int file, off_t offset) {
    return mmap(at, len, protection, flags, file, offset);
}
