// A folder without a manifest is served by a generated one, and what that says of tensors must fit the graph.
#include "pipeline/infer_plan.h"

#include "engine/core.h"
#include "tests/engine_support.h"
#include "tests/triton_fixtures.h"

namespace rankd {
namespace {

using pipeline::shape_text;
using test::check_refused;
using test::generated_manifest;
using test::has_ort;
using test::open_triton;
using test::triton_version;

std::shared_ptr<engine::Core> ort_core() {
    engine::CoreOptions options;
    options.compute_threads = 0;
    return engine::Core::create(std::move(options));
}

Status refusal(const std::string& model, const std::string& infer) {
    return open_triton(model, infer).status();
}

TEST("a folder with a graph alone is served by the manifest that comes beside it") {
    if (!has_ort()) return;
    auto core = ort_core();
    const auto info = core->load(triton_version("simple"), generated_manifest("simple", R"({"max_batch_size": 8})"));
    CHECK_OK(info);
    if (info.is_ok()) {
        CHECK_EQ(info->version, "1");
        CHECK_EQ(info->bytes, std::filesystem::file_size(triton_version("simple") / "model.onnx"));
        CHECK_EQ(info->max_batch_size, 8u);
        CHECK_EQ(info->inputs.size(), 2u);
        CHECK_EQ(info->inputs[1].name, "INPUT1");
        CHECK_EQ(datatype_name(info->inputs[1].type), "INT32");
        CHECK_EQ(shape_text(info->inputs[1].shape), "[-1,16]");
        CHECK_EQ(info->outputs[0].name, "OUTPUT0");
    }
    core->close();
}

TEST("versions of a repository are whole numbers, and compared as numbers") {
    if (!has_ort()) return;
    auto core = ort_core();
    for (const char* version : {"3", "20240131235959"})
        CHECK_OK(core->load(triton_version("two_versions", "3"), generated_manifest("two_versions", "{}", version)));
    CHECK_EQ(core->routes().resolve("two_versions").value()->version(), "20240131235959");
    CHECK_EQ(core->routes().resolve("two_versions@3").value()->version(), "3");
    check_refused(core->routes().resolve("two_versions@9").status(), Code::UNKNOWN_VERSION,
                  "Request for unknown model: 'two_versions' version 9 is not found");
    check_refused(core->routes().resolve("nobody").status(), Code::UNKNOWN_MODEL,
                  "Request for unknown model: 'nobody' is not found");
    check_refused(core->load(triton_version("simple"), generated_manifest("simple", "{}", "01")).status(), Code::BUNDLE_INVALID,
                  "expected major.minor.patch or a whole number");
    core->close();
}

TEST("a folder without the graph's file is refused by the file's name") {
    check_refused(pipeline::Bundle::open(triton_version("simple").parent_path(), test::fake_sessions(),
                                         {.manifest = generated_manifest("simple")})
                      .status(),
                  Code::BUNDLE_MISSING_FILE, "there is no file model.onnx");
}

TEST("declared tensors that the graph does not have are refused in known words") {
    if (!has_ort()) return;
    check_refused(refusal("simple", R"({"inputs": [{"name": "INPUT7"}]})"), Code::BUNDLE_SIGNATURE_MISMATCH,
                  "unexpected inference input 'INPUT7' for model 'simple', allowed inputs are: INPUT0, INPUT1");
    check_refused(refusal("simple", R"({"outputs": [{"name": "x"}]})"), Code::BUNDLE_SIGNATURE_MISMATCH,
                  "unexpected inference output 'x' for model 'simple', allowed outputs are: OUTPUT0, OUTPUT1");
    check_refused(refusal("simple", R"({"inputs": [{"name": "INPUT0"}]})"), Code::BUNDLE_SIGNATURE_MISMATCH,
                  "unable to load model 'simple', configuration expects 1 inputs, model provides 2; missing: 'INPUT1'");
    check_refused(refusal("no_batch", R"({"inputs": [{"name": "INPUT0", "datatype": "INT32"}]})"),
                  Code::BUNDLE_SIGNATURE_MISMATCH,
                  "model 'no_batch', tensor 'INPUT0': the model configuration has datatype INT32, the model expects FP32");
    check_refused(refusal("no_batch", R"({"inputs": [{"name": "INPUT0", "dims": [4, 4]}]})"), Code::BUNDLE_SIGNATURE_MISMATCH,
                  "model 'no_batch', tensor 'INPUT0': the model expects 1 dimensions (shape [4]) but the model configuration "
                  "specifies 2 dimensions (shape [4,4])");
    check_refused(refusal("slow", R"({"max_batch_size": 8, "inputs": [{"name": "INPUT0", "dims": [5]}]})"),
                  Code::BUNDLE_SIGNATURE_MISMATCH,
                  "the model expects 2 dimensions (shape [-1,4]) but the model configuration specifies 2 dimensions (an initial "
                  "batch dimension because max_batch_size > 0 followed by the explicit tensor shape [5], making complete shape "
                  "[-1,5])");
    check_refused(refusal("no_batch", R"({"max_batch_size": 8})"), Code::BUNDLE_SIGNATURE_MISMATCH,
                  "the first dimension must be -1; but shape expected by the model is [4]");
    check_refused(refusal("no_batch", R"({"inputs": [{"name": "INPUT0", "dims": [2, 3], "reshape": [4]}]})"),
                  Code::BUNDLE_SIGNATURE_MISMATCH, "dims [2,3] and reshape [4] have different sizes");
}

TEST("dims without a bound say whether dimension 0 is the batch") {
    if (!has_ort()) return;
    const auto plan_of = [](const std::string& infer) {
        auto bundle = open_triton("slow", infer);
        CHECK_OK(bundle);
        return *bundle.value()->infer_plan();
    };
    const auto without = plan_of(R"({"preferred_max": 6, "inputs": [{"name": "INPUT0", "dims": [4]}]})");
    CHECK_EQ(without.max_batch_size, 6u);
    CHECK(without.shares_runs);
    CHECK_EQ(shape_text(without.inputs[0].shape), "[-1,4]");
    const auto whole = plan_of(R"({"inputs": [{"name": "INPUT0", "dims": [-1, 4]}]})");
    CHECK_EQ(whole.max_batch_size, 0u);
    CHECK(!whole.why_not_batched.empty());
    const auto reshaped = plan_of(R"({"inputs": [{"name": "INPUT0", "dims": [2, 2], "reshape": [4]}]})");
    CHECK_EQ(reshaped.max_batch_size, 4u);
}

TEST("a slip in the infer section is named with its place") {
    const auto slip = [](const std::string& infer, std::string_view part) {
        check_refused(pipeline::parse_manifest(generated_manifest("m", infer)).status(), Code::BUNDLE_INVALID, part);
    };
    slip(R"({"max_batch": 8})", "infer has the unknown key \"max_batch\"");
    slip(R"({"max_batch_size": -1})", "infer.max_batch_size must be an integer from 0 to 1048576");
    slip(R"({"inputs": [{"datatype": "FP32"}]})", "infer.inputs[0].name is missing");
    slip(R"({"inputs": [{"name": "x", "datatype": "FP31"}]})", "infer.inputs[0].datatype is \"FP31\", expected one of: BOOL");
    slip(R"({"inputs": [{"name": "x", "dims": [0]}]})", "infer.inputs[0].dims must list dimensions");
    slip(R"({"inputs": [{"name": "x", "reshape": [1]}]})", "infer.inputs[0].reshape needs \"dims\" beside it");
    slip(R"({"inputs": [{"name": "x"}, {"name": "x"}]})", "infer.inputs[1] is \"x\" for the second time");
    slip(R"({"outputs": [{"name": "x", "labels": "../../passwd"}]})",
         "infer.outputs[0].labels must be a file of the model's folder");
    slip(R"({"queue": {"timeout_action": "drop"}})", "infer.queue.timeout_action is \"drop\", expected one of: reject, delay");
    slip(R"({"session": {"execution_mode": "fast"}})", "infer.session.execution_mode is \"fast\"");
    slip(R"({"session": {"entries": {"session.x": 1}}})", "infer.session.entries.session.x must be text");
    slip(R"({"warmup": [1]})", "infer.warmup must list bodies of infer");
}

TEST("labels lie beside the graph or one folder above, and a missing file is named") {
    if (!has_ort()) return;
    const auto bundle =
        open_triton("classifier", R"({"max_batch_size": 8, "outputs": [{"name": "OUTPUT0", "labels": "labels.txt"}]})");
    CHECK_OK(bundle);
    if (bundle.is_ok()) CHECK(bundle.value()->infer_plan()->outputs[0].labels.size() >= 4);
    check_refused(refusal("classifier", R"({"outputs": [{"name": "OUTPUT0", "labels": "classes.txt"}]})"),
                  Code::BUNDLE_MISSING_FILE, "'classes.txt'");
}

TEST("options of the session reach ONNX Runtime") {
    if (!has_ort()) return;
    const std::string threads = R"("intra_op_threads": 2, "inter_op_threads": 2, "execution_mode": "parallel")";
    CHECK_OK(open_triton("simple", R"({"session": {)" + threads + R"(, "entries": {"session.set_denormal_as_zero": "1"}}})"));
    check_refused(
        refusal("simple",
                R"({"session": {"intra_op_threads": 2, "entries": {"session.intra_op_thread_affinities": "perhaps"}}})"),
        Code::BUNDLE_INVALID, "ONNX Runtime cannot load this graph");
}

}  // namespace
}  // namespace rankd
