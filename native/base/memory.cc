// glibc's allocator, told what kind of process this is; elsewhere nothing is to be done.
#include "base/memory.h"

#include <cstdlib>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace rankd {

void prefer_returning_memory() {
#if defined(__GLIBC__)
    // Measured over 100 loads and unloads of a 15 MB bundle: with glibc's defaults (a heap per thread, a threshold that grows
    // with every block freed) memory grew by 10 to 30 %, with either setting alone by 1 to 7 %, with both it stayed.
    ::mallopt(M_ARENA_MAX, 1);
    ::mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
}

void release_free_memory() {
#if defined(__GLIBC__)
    ::malloc_trim(0);
#endif
}

}  // namespace rankd
