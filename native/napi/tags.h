// Every kind of native handle has a tag here, so that a method called on the wrong object throws instead of crashing.
#pragma once

#include <napi.h>

namespace rankd::napi {

constexpr napi_type_tag kCoreTag = {0x9f3a1c5e7b204d68, 0xa1d4c2e86f0b3759};
constexpr napi_type_tag kHandleTag = {0x2c8e5f017a934bd6, 0x8b06e3d9f4517ac2};

}  // namespace rankd::napi
