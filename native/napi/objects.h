// What the addon's entry point creates: the JavaScript faces of a core and of a handle.
#pragma once

#include <napi.h>

#include <memory>

#include "engine/core.h"

namespace rankd::napi {

Napi::Object make_core_object(Napi::Env env, std::shared_ptr<engine::Core> core);
Napi::Object make_handle_object(Napi::Env env, std::shared_ptr<engine::Handle> handle);

}  // namespace rankd::napi
