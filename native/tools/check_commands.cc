// verify and run: a bundle through the engine itself, without a server around it.
#include <cstdio>
#include <filesystem>
#include <thread>

#include "base/mapped_file.h"
#include "engine/golden.h"
#include "engine/model.h"
#include "tools/commands.h"
#include "tools/report.h"
#include "wire/msgpack_reader.h"

namespace rankd::tools {
namespace {

Result<std::unique_ptr<engine::Model>> open_model(const std::string& folder) {
    auto bundle = pipeline::Bundle::open(folder, session::ort_sessions());
    if (!bundle.is_ok()) return bundle.status().within(folder);
    return std::make_unique<engine::Model>(std::move(bundle).value());
}

/// The bodies of a msgpack array, each as its own bytes.
Result<std::vector<std::span<const uint8_t>>> split_bodies(std::span<const uint8_t> bytes) {
    Status failure;
    wire::MsgpackReader reader(bytes, Code::INVALID_BODY, failure);
    wire::MsgpackValue list;
    if (!reader.next(list)) return failure;
    if (list.type() != wire::ValueType::kList) return Status(Code::INVALID_BODY, "expected a msgpack array of request bodies");
    std::vector<std::span<const uint8_t>> bodies;
    for (size_t i = 0; i < list.size(); ++i) {
        const size_t start = reader.position();
        if (!reader.skip(wire::Limits{}.max_depth)) return failure;
        bodies.push_back(bytes.subspan(start, reader.position() - start));
    }
    return bodies;
}

Result<std::vector<uint8_t>> read_all(std::FILE* file) {
    std::vector<uint8_t> bytes(1 << 16);
    size_t used = 0;
    for (size_t read; (read = std::fread(bytes.data() + used, 1, bytes.size() - used, file)) > 0;)
        if ((used += read) == bytes.size()) bytes.resize(bytes.size() * 2);
    bytes.resize(used);
    return bytes;
}

void write_array_header(uint32_t count) {
    const uint8_t header[5] = {0xdd, static_cast<uint8_t>(count >> 24), static_cast<uint8_t>(count >> 16),
                               static_cast<uint8_t>(count >> 8), static_cast<uint8_t>(count)};
    std::fwrite(header, 1, sizeof(header), stdout);
}

}  // namespace

int command_verify(const Args& args) {
    auto model = open_model(args.positional(0));
    if (!model.is_ok()) return fail(args, model.status());
    const pipeline::Bundle& bundle = (*model)->bundle();
    Report report;
    report.add("bundle", (*model)->name() + "@" + (*model)->version());
    report.add("files", bundle.manifest().files.size());
    report.add("bytes", bundle.file_bytes());
    report.add("items", uint64_t{bundle.item_count()});
    report.add("users", uint64_t{bundle.user_count()});
    report.add("precomputed_bytes", bundle.precomputed_bytes());
    for (const auto& [name, graph] : bundle.resources().graphs)
        if (!graph->item_side && graph->level == pipeline::Level::kCandidate)
            report.add("whole_graph_" + name, graph->why_no_item_side);
    if (!args.flag("no-golden")) {
        engine::Executor executor(wire::Limits{}, SteadyClock::instance());
        const auto file = engine::GoldenFile::open(bundle);
        if (!file.is_ok()) return fail(args, file.status());
        const engine::GoldenReport golden = engine::replay_golden(*file, **model, executor);
        if (!golden.mismatches.empty()) {
            std::string all;
            for (const std::string& mismatch : golden.mismatches) all += "\n  " + mismatch;
            return fail(args, {Code::BUNDLE_GOLDEN_MISMATCH,
                               std::to_string(golden.mismatches.size()) + " golden requests do not match:" + all});
        }
        report.add("golden_passed", uint64_t{golden.passed});
        report.add("largest_difference", golden.largest_difference);
    }
    report.add("ok", true);
    report.print(args.flag("json"));
    return kSuccess;
}

int command_run(const Args& args) {
    const auto op = args.text("op");
    if (!op.is_ok()) return usage_error(args, op.status());
    const auto operation = wire::operation_from_name(*op);
    if (!operation)
        return usage_error(
            args, {Code::UNKNOWN_OPERATION, "--op is \"" + *op + "\", expected recommend, rank, similar, score or infer"});
    auto model = open_model(args.positional(0));
    if (!model.is_ok()) return fail(args, model.status());

    std::FILE* file = args.has("body") ? std::fopen(args.text_or("body", "").c_str(), "rb") : stdin;
    if (file == nullptr) return fail(args, {Code::INVALID_ARGUMENT, "cannot read " + args.text_or("body", "")});
    const auto bytes = read_all(file);
    if (file != stdin) std::fclose(file);
    const auto bodies = split_bodies(*bytes);
    if (!bodies.is_ok()) return fail(args, bodies.status());

    // Batches as a busy server forms them, so that what is shown here is what is served.
    constexpr size_t kBatch = 64;
    engine::Executor executor(wire::Limits{}, SteadyClock::instance());
    write_array_header(static_cast<uint32_t>(bodies->size()));
    for (size_t first = 0; first < bodies->size(); first += kBatch) {
        std::vector<engine::Job> jobs(std::min(kBatch, bodies->size() - first));
        for (size_t i = 0; i < jobs.size(); ++i) {
            jobs[i].framing = wire::Framing::kBody;
            jobs[i].submitted_at = SteadyClock::instance().now();
            jobs[i].body = (*bodies)[first + i];
        }
        ByteBuffer answers;
        std::vector<engine::AnswerRecord> records(jobs.size());
        executor.execute(**model, *operation, jobs, answers, records);
        std::fwrite(answers.data(), 1, answers.size(), stdout);
    }
    return kSuccess;
}

}  // namespace rankd::tools
