// `index`: builds a retrieval index, and keeps it only when it finds what an exact search finds.
#include <algorithm>
#include <chrono>
#include <optional>

#include "index/index.h"
#include "kernels/kernels.h"
#include "tools/commands.h"
#include "tools/npy.h"
#include "tools/report.h"

namespace rankd::tools {
namespace {

constexpr uint32_t kRecallQueries = 1000;
constexpr int kSpeedRounds = 5;
constexpr double kRoundSeconds = 0.1;  // per round: long enough for a steady figure, short enough to wait for

/// A file that is gone at the end, whether or not the command succeeded.
class TemporaryFile {
  public:
    explicit TemporaryFile(std::filesystem::path path) : path_(std::move(path)) {}
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

Result<index::BuildOptions> parse_options(const Args& args) {
    index::BuildOptions options;
    RANKD_ASSIGN_OR_RETURN(const std::string kind, args.text("kind"));
    RANKD_ASSIGN_OR_RETURN(const std::string metric, args.text("metric"));
    std::optional<index::Kind> known_kind;
    for (const index::Kind each : {index::Kind::kExactF32, index::Kind::kExactI8, index::Kind::kHnswF32}) {
        if (index::kind_name(each) == kind) known_kind = each;
    }
    std::optional<index::Metric> known_metric;
    for (const index::Metric each : {index::Metric::kDot, index::Metric::kCosine}) {
        if (index::metric_name(each) == metric) known_metric = each;
    }
    if (!known_kind) return Status(Code::INVALID_ARGUMENT, "--kind " + kind + " is none of exact_f32, exact_i8, hnsw");
    if (!known_metric) return Status(Code::INVALID_ARGUMENT, "--metric " + metric + " is neither dot nor cosine");
    options.kind = *known_kind;
    options.metric = *known_metric;
    RANKD_ASSIGN_OR_RETURN(options.m, args.number_or("m", options.m));
    RANKD_ASSIGN_OR_RETURN(options.ef_construction, args.number_or("ef-construction", options.ef_construction));
    RANKD_ASSIGN_OR_RETURN(options.ef_search, args.number_or("ef-search", options.ef_search));
    RANKD_ASSIGN_OR_RETURN(options.seed, args.number_or("seed", options.seed));
    return options;
}

/// Searches per second on one thread, stored vectors as queries: the median of a few rounds.
double queries_per_second(const index::Index& index, const index::Index& exact, uint32_t k) {
    using Clock = std::chrono::steady_clock;
    std::vector<float> query(exact.dim());
    std::vector<index::Neighbor> found(std::min(k, index.size()));
    index::Scratch scratch;
    std::vector<double> rates;
    uint64_t row = 0;
    for (int round = 0; round < kSpeedRounds; ++round) {
        const auto start = Clock::now();
        uint64_t searches = 0;
        double seconds = 0;
        for (; seconds < kRoundSeconds; ++searches, seconds = std::chrono::duration<double>(Clock::now() - start).count()) {
            row = (row + 7919) % exact.size();  // a prime step, so that neighbouring rows do not follow each other
            exact.vector(static_cast<uint32_t>(row), query);
            index.search(query, scratch, found);
        }
        rates.push_back(static_cast<double>(searches) / seconds);
    }
    std::nth_element(rates.begin(), rates.begin() + kSpeedRounds / 2, rates.end());
    return rates[kSpeedRounds / 2];
}

struct Measured {
    uint32_t size = 0, dim = 0;
    double build_seconds = 0, recall = 1, queries_per_second = 0, exact_queries_per_second = 0;
};

/// Builds at `path` and measures against an exact index of the same vectors, made for the occasion.
Result<Measured> build_and_measure(const std::filesystem::path& path, const std::string& vectors_path,
                                   const index::BuildOptions& options, uint32_t recall_k, bool wants_speed) {
    RANKD_ASSIGN_OR_RETURN(const NpyArray array, NpyArray::open(vectors_path));
    RANKD_ASSIGN_OR_RETURN(const std::vector<float> vectors, array.floats());
    const auto dim = static_cast<uint32_t>(std::min<uint64_t>(array.width(), UINT32_MAX));
    const auto start = std::chrono::steady_clock::now();
    if (const Status status = index::build_index(path, vectors, dim, options); !status.is_ok())
        return status.within(vectors_path);
    Measured measured;
    measured.build_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

    const TemporaryFile exact_file(path.string() + ".exact");
    index::BuildOptions exact_options = options;
    exact_options.kind = index::Kind::kExactF32;
    RANKD_RETURN_IF_ERROR(index::build_index(exact_file.path(), vectors, dim, exact_options));
    RANKD_ASSIGN_OR_RETURN(const std::unique_ptr<index::Index> built, index::open_index(path));
    RANKD_ASSIGN_OR_RETURN(const std::unique_ptr<index::Index> exact, index::open_index(exact_file.path()));
    measured.size = built->size();
    measured.dim = built->dim();
    measured.recall = index::measure_recall(*built, *exact, recall_k, kRecallQueries);
    if (!wants_speed) return measured;
    measured.queries_per_second = queries_per_second(*built, *exact, recall_k);
    measured.exact_queries_per_second = queries_per_second(*exact, *exact, recall_k);
    return measured;
}

}  // namespace

int command_index(const Args& args) {
    const Result<std::string> out = args.text("out"), vectors = args.text("vectors");
    const Result<index::BuildOptions> options = parse_options(args);
    const Result<uint32_t> recall_k = args.number_or("recall-k", 100);
    const Result<double> min_recall = args.decimal_or("min-recall", 0);
    for (const Status& status : {out.status(), vectors.status(), options.status(), recall_k.status(), min_recall.status()}) {
        if (!status.is_ok()) return usage_error(args, status);
    }
    if (*recall_k == 0) return usage_error(args, Status(Code::INVALID_ARGUMENT, "--recall-k expects at least 1"));

    const TemporaryFile candidate(*out + ".measuring");
    const Result<Measured> measured = build_and_measure(candidate.path(), *vectors, *options, *recall_k, !args.flag("no-speed"));
    if (!measured.is_ok()) return fail(args, measured.status());
    const bool accepted = measured->recall >= *min_recall;
    if (accepted) {
        std::error_code error;
        std::filesystem::rename(candidate.path(), *out, error);
        if (error) return fail(args, Status(Code::INVALID_ARGUMENT, "cannot rename to " + *out + ": " + error.message()));
    }

    const std::string at_k = "recall@" + std::to_string(*recall_k);
    Report report;
    report.add("file", *out);
    report.add("written", accepted);
    report.add("kind", index::kind_name(options->kind));
    report.add("metric", index::metric_name(options->metric));
    report.add("vectors", measured->size);
    report.add("dim", measured->dim);
    report.add("build_seconds", measured->build_seconds);
    report.add("recall_k", *recall_k);
    report.add("recall", measured->recall);
    if (!args.flag("no-speed")) {
        report.add("queries_per_second", measured->queries_per_second);
        report.add("exact_queries_per_second", measured->exact_queries_per_second);
    }
    report.add("isa", kernels::kernel_report().isa);
    report.add("isa_reason", kernels::kernel_report().reason);
    report.print(args.flag("json"));
    if (accepted) return kSuccess;
    return fail(args,
                Status(Code::BUNDLE_INVALID, at_k + " is " + std::to_string(measured->recall) + ", below --min-recall " +
                                                 std::to_string(*min_recall) + ": raise --m, --ef-construction or --ef-search"));
}

}  // namespace rankd::tools
