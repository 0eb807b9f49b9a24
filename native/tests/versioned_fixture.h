// The fixture `tiny` under other version numbers, opened with sessions that need no ONNX Runtime.
#pragma once

#include <fstream>
#include <iterator>
#include <string>

#include "engine/model.h"
#include "tests/fake_sessions.h"
#include "tests/temporary_folder.h"
#include "tests/test.h"

namespace rankd::test {

/// A copy of `tiny` that says it is `version`.
inline std::filesystem::path versioned_fixture(const TemporaryFolder& folder, const std::string& version) {
    const std::filesystem::path copy = folder.path() / version;
    std::filesystem::copy(fixture_model("tiny"), copy, std::filesystem::copy_options::recursive);
    std::ifstream in(copy / "manifest.json");
    std::string manifest{std::istreambuf_iterator<char>(in), {}};
    const std::string field = "\"version\": \"1.0.0\"";
    const size_t at = manifest.find(field);
    CHECK(at != std::string::npos);
    manifest.replace(at, field.size(), "\"version\": \"" + version + "\"");
    std::ofstream(copy / "manifest.json") << manifest;
    return copy;
}

inline std::shared_ptr<engine::Model> open_versioned(const TemporaryFolder& folder, const std::string& version) {
    auto bundle = pipeline::Bundle::open(versioned_fixture(folder, version), fake_sessions(), {});
    CHECK_OK(bundle);
    return std::make_shared<engine::Model>(std::move(bundle).value());
}

}  // namespace rankd::test
