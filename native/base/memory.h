// Giving memory back to the operating system.
#pragma once

namespace rankd {

/// Sets the process's allocator up for models that come and go: one heap, and every large block mapped on its own, so that it
/// goes back whole. Call it before the first model; requests hardly allocate, so the one heap's lock is seldom asked for.
void prefer_returning_memory();

/// Returns what the allocator holds free. Worth its time after a model has gone, not on a request's path: every heap is locked in
/// turn.
void release_free_memory();

}  // namespace rankd
