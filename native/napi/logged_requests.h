// What a core has logged of single requests, as JavaScript sees it.
#pragma once

#include <napi.h>

#include "engine/core.h"

namespace rankd::napi {

/// `SlowRequests` of src/native/addon.ts.
Napi::Object slow_requests(Napi::Env env, engine::Core& core);
/// `TracedRequest[]`; each is told once.
Napi::Array take_traces(Napi::Env env, engine::Core& core);

}  // namespace rankd::napi
