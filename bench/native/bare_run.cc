// bare-run: what ONNX Runtime alone does with a graph on this core, as the plainest C++ program would run it: the ceiling of any server on it.
#include <onnxruntime_cxx_api.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <random>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kHelp =
    "bare-run --model FILE.onnx --shapes JSON [--seconds S] [--variants N]\n"
    "Runs the graph again and again on one thread, every time with other inputs, and prints one JSON object:\n"
    "  runs_per_second, p50_us, p99_us, runs\n"
    "  --shapes    the shape of each input, {\"x\": [1, 64]}; float32 inputs are random, integers are 0\n"
    "  --seconds   how long to measure, after a fifth of it as warm-up (2)\n"
    "  --variants  different inputs that take turns (64): repeating one row flatters trees\n";

struct Options {
    std::string model;
    std::string shapes;
    double seconds = 2;
    size_t variants = 64;
};

[[noreturn]] void refuse(const std::string& message) {
    std::fprintf(stderr, "bare-run: %s\n%s", message.c_str(), kHelp);
    std::exit(2);
}

Options read_options(int count, char** words) {
    Options options;
    for (int i = 1; i < count; ++i) {
        const std::string_view flag = words[i];
        if (flag == "--help") {
            std::fputs(kHelp, stdout);
            std::exit(0);
        }
        if (i + 1 == count) refuse(std::string(flag) + " needs a value");
        const char* value = words[++i];
        if (flag == "--model") {
            options.model = value;
        } else if (flag == "--shapes") {
            options.shapes = value;
        } else if (flag == "--seconds") {
            options.seconds = std::atof(value);
        } else if (flag == "--variants") {
            options.variants = static_cast<size_t>(std::atol(value));
        } else {
            refuse("unknown option " + std::string(flag));
        }
    }
    if (options.model.empty() || options.shapes.empty()) refuse("--model and --shapes are required");
    if (!(options.seconds > 0) || options.variants < 1 || options.variants > 100'000)
        refuse("--seconds must be above 0, --variants from 1 to 100000");
    return options;
}

std::vector<int64_t> shape_of(simdjson::dom::object shapes, const std::string& input) {
    simdjson::dom::array dimensions;
    if (shapes[input].get(dimensions) != simdjson::SUCCESS) refuse("--shapes has no list for input \"" + input + "\"");
    std::vector<int64_t> shape;
    for (const auto dimension : dimensions) {
        int64_t size = 0;
        if (dimension.get(size) != simdjson::SUCCESS || size < 1)
            refuse("--shapes: dimensions of \"" + input + "\" must be integers from 1");
        shape.push_back(size);
    }
    return shape;
}

/// The inputs of one variant, in the session's order, with the memory they lie in.
struct Variant {
    std::vector<std::vector<float>> floats;
    std::vector<std::vector<uint8_t>> zeros;
    std::vector<Ort::Value> values;
};

void add_input(Variant& variant, const Ort::MemoryInfo& memory, const std::vector<int64_t>& shape, ONNXTensorElementDataType type,
               std::mt19937& random) {
    size_t count = 1;
    for (const int64_t size : shape) count *= static_cast<size_t>(size);
    if (type == ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT) {
        std::normal_distribution<float> normal;
        auto& data = variant.floats.emplace_back(count);
        std::generate(data.begin(), data.end(), [&] { return normal(random); });
        variant.values.push_back(Ort::Value::CreateTensor<float>(memory, data.data(), count, shape.data(), shape.size()));
        return;
    }
    auto& data = variant.zeros.emplace_back(count * sizeof(int64_t));
    variant.values.push_back(Ort::Value::CreateTensor(memory, data.data(), data.size(), shape.data(), shape.size(), type));
}

void measure(Ort::Session& session, const Options& options) {
    simdjson::dom::parser parser;
    simdjson::dom::object shapes;
    if (parser.parse(options.shapes).get(shapes) != simdjson::SUCCESS) refuse("--shapes is not a JSON object: " + options.shapes);
    Ort::AllocatorWithDefaultOptions allocator;
    const auto memory = Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
    std::vector<std::string> input_names, output_names;
    for (size_t i = 0; i < session.GetInputCount(); ++i) input_names.emplace_back(session.GetInputNameAllocated(i, allocator).get());
    for (size_t i = 0; i < session.GetOutputCount(); ++i)
        output_names.emplace_back(session.GetOutputNameAllocated(i, allocator).get());
    std::vector<const char*> inputs, outputs;
    for (const auto& name : input_names) inputs.push_back(name.c_str());
    for (const auto& name : output_names) outputs.push_back(name.c_str());

    std::mt19937 random(1);
    std::vector<Variant> variants(options.variants);
    for (Variant& variant : variants)
        for (size_t i = 0; i < inputs.size(); ++i)
            add_input(variant, memory, shape_of(shapes, input_names[i]),
                      session.GetInputTypeInfo(i).GetTensorTypeAndShapeInfo().GetElementType(), random);

    std::vector<float> run_us;
    size_t next = 0;
    const auto run_for = [&](double seconds) {
        run_us.clear();
        const auto started = Clock::now();
        auto before = started;
        while (std::chrono::duration<double>(before - started).count() < seconds) {
            Variant& variant = variants[next++ % variants.size()];
            session.Run(Ort::RunOptions{nullptr}, inputs.data(), variant.values.data(), inputs.size(), outputs.data(), outputs.size());
            const auto after = Clock::now();
            run_us.push_back(std::chrono::duration<float, std::micro>(after - before).count());
            before = after;
        }
        return std::chrono::duration<double>(before - started).count();
    };
    run_for(options.seconds / 5);
    const double elapsed = run_for(options.seconds);
    std::sort(run_us.begin(), run_us.end());
    const auto quantile = [&](double q) { return run_us[static_cast<size_t>(q * static_cast<double>(run_us.size() - 1))]; };
    std::printf("{\"runs_per_second\": %.1f, \"p50_us\": %.2f, \"p99_us\": %.2f, \"runs\": %zu}\n",
                static_cast<double>(run_us.size()) / elapsed, quantile(0.5), quantile(0.99), run_us.size());
}

}  // namespace

int main(int count, char** words) {
    const Options options = read_options(count, words);
    try {
        Ort::Env env(ORT_LOGGING_LEVEL_ERROR, "bare-run");
        Ort::SessionOptions session_options;
        session_options.SetIntraOpNumThreads(1);
        session_options.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
        Ort::Session session(env, options.model.c_str(), session_options);
        measure(session, options);
    } catch (const Ort::Exception& error) {
        std::fprintf(stderr, "bare-run: %s\n", error.what());
        return 1;
    }
    return 0;
}
