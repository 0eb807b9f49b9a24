// A run's result as the one JSON object that LoadResult in bench/harness/load.ts describes.
#pragma once

#include <string>

#include "run.h"

namespace rankd::load {

/// More than this share of the intended requests missed: the run says nothing about the server.
constexpr double kVoidShare = 0.01;

bool is_void(const Spec& spec, const Recorder& recorder);

/// What a reader of the numbers must know first, as lines; empty when there is nothing.
std::string warnings(const Spec& spec, const RunResult& result);

std::string report(const Spec& spec, const RunResult& result);

}  // namespace rankd::load
