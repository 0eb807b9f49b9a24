#include "base/memory.h"

#include <cstdlib>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace rankd {

void release_free_memory() {
#if defined(__GLIBC__)
    // Models are loaded on several threads, each with a heap of its own; left alone, each heap keeps the size of its largest
    // model.
    ::malloc_trim(0);
#endif
}

}  // namespace rankd
