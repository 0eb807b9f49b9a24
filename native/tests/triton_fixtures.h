// The model repository in Triton's layout, opened with manifests that tests write.
#pragma once

#include <cstdlib>
#include <string>

#include "pipeline/bundle.h"
#include "tests/test.h"

namespace rankd::test {

/// The sanitizers cannot see into ONNX Runtime.
inline bool has_ort() {
    return std::getenv("RANKD_TEST_NO_ORT") == nullptr;
}

inline std::filesystem::path triton_version(const std::string& model, const std::string& version = "1") {
    return std::filesystem::path(RANKD_SOURCE_DIR) / "test" / "fixtures" / "triton" / model / version;
}

/// @param infer  the section's JSON
inline std::string generated_manifest(const std::string& model, const std::string& infer = "{}",
                                      const std::string& version = "1") {
    return R"({"format": 1, "name": ")" + model + R"(", "version": ")" + version +
           R"(", "kind": "model", "graphs": {"model": {"file": "model.onnx"}}, "default_graph": "model", "infer": )" + infer +
           "}";
}

inline Result<std::unique_ptr<pipeline::Bundle>> open_triton(const std::string& model, const std::string& infer = "{}") {
    pipeline::BundleOptions options;
    options.manifest = generated_manifest(model, infer);
    return pipeline::Bundle::open(triton_version(model), session::ort_sessions(), options);
}

/// Fails the test unless the status has that code, and its message that part.
inline void check_refused(const Status& status, Code code, std::string_view part) {
    CHECK_EQ(code_name(status.code()), code_name(code));
    if (status.message().find(part) == std::string::npos)
        fail(__FILE__, __LINE__, "\"" + status.message() + "\" lacks \"" + std::string(part) + "\"");
}

}  // namespace rankd::test
