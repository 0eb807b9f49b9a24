#include "pipeline/item_side.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "base/mapped_file.h"
#include "pipeline/catalogue.h"

namespace rankd::pipeline {
namespace {

using session::Tensor;

/// Rows of one run while the tables are computed; what they need stays in the caches.
constexpr uint32_t kChunkRows = 512;
/// A little faster is not worth the memory.
constexpr double kWorthwhile = 0.9;

graph::Inputs sides_of(const Graph& graph) {
    graph::Inputs inputs;
    for (const GraphInput& input : graph.inputs) {
        switch (input.spec->from) {
            case From::kItem:
                inputs.item.insert(input.spec->name);
                break;
            case From::kRowUser:
                inputs.row_user = input.spec->name;
                break;
            case From::kUser:
            case From::kHistory:
            case From::kHistoryCount:
            case From::kFeatures:
            case From::kContext:
                // Without row_user they come repeated for every candidate.
                if (graph.has_row_user) inputs.user.insert(input.spec->name);
                break;
            default:
                break;
        }
    }
    return inputs;
}

/// Inputs for `rows` with everything but the items made up: two users by turns, numbers in [0, 1), which few graphs object to.
class Sample {
  public:
    Sample(const Graph& graph, std::span<const uint32_t> rows) : rows_(rows) {
        for (const GraphInput& input : graph.inputs)
            if (input.spec->from != From::kRowUser) made_.push_back({&input, values_of(input, graph.has_row_user)});
        for (size_t i = 0; i < rows.size(); ++i) {
            wide_.push_back(static_cast<int64_t>(i % kUsers));
            narrow_.push_back(static_cast<int32_t>(i % kUsers));
        }
    }

    /// The tensor of one input; nullptr data for an input that is not the graph's own.
    Tensor tensor(const GraphInput& input) {
        if (input.spec->from == From::kRowUser) {
            void* const data = input.type == ElementType::kI32 ? static_cast<void*>(narrow_.data()) : wide_.data();
            return {data, input.type, input.rank, {static_cast<int64_t>(rows_.size()), 1}};
        }
        for (Made& made : made_)
            if (made.input->spec == input.spec)
                return {made.values.data(),
                        ElementType::kF32,
                        input.rank,
                        {static_cast<int64_t>(made.values.size() / input.width), input.width}};
        return {};
    }

  private:
    static constexpr size_t kUsers = 2;
    struct Made {
        const GraphInput* input;
        std::vector<float> values;
    };

    std::vector<float> values_of(const GraphInput& input, bool has_row_user) {
        const bool is_of_user = input.spec->from == From::kUser || input.spec->from == From::kHistory ||
                                input.spec->from == From::kHistoryCount || input.spec->from == From::kFeatures ||
                                input.spec->from == From::kContext;
        std::vector<float> values((is_of_user && has_row_user ? kUsers : rows_.size()) * input.width);
        if (input.spec->from == From::kItem) {
            input.column->gather(rows_, values.data(), input.width);
        } else {
            std::uniform_real_distribution<float> uniform(0, 1);
            std::generate(values.begin(), values.end(), [&] { return uniform(random_); });
        }
        return values;
    }

    std::span<const uint32_t> rows_;
    std::mt19937 random_{1};
    std::vector<Made> made_;
    std::vector<int64_t> wide_;
    std::vector<int32_t> narrow_;
};

/// Runs one form of the graph a few times: its outputs one after the other, and its best time.
struct Trial {
    Status status;
    std::vector<std::vector<float>> outputs;
    double best_us = 0;
};

Trial try_form(session::Session& session, std::span<const Tensor> inputs, const Graph& graph, size_t rows) {
    constexpr int kRuns = 5;
    Trial trial;
    std::vector<const char*> names;
    std::vector<Tensor> outputs;
    for (const GraphOutput& output : graph.outputs) {
        names.push_back(output.name.c_str());
        auto& values = trial.outputs.emplace_back(rows * output.width);
        outputs.push_back({values.data(), ElementType::kF32, output.rank, {static_cast<int64_t>(rows), output.width}});
    }
    for (int run = 0; run < kRuns && trial.status.is_ok(); ++run) {
        const auto started = std::chrono::steady_clock::now();
        trial.status = session.run(inputs, names, outputs);
        const double took = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - started).count();
        trial.best_us = run == 0 ? took : std::min(trial.best_us, took);
    }
    return trial;
}

bool is_close(float a, float b, float tolerance) {
    return std::abs(a - b) <= tolerance * std::max(1.0f, std::abs(a)) || (std::isnan(a) && std::isnan(b));
}

std::string compare(const Trial& whole, const Trial& parts, float tolerance) {
    if (!whole.status.is_ok() || !parts.status.is_ok())
        return "a sampled run failed: " + (whole.status.is_ok() ? parts : whole).status.message();
    for (size_t output = 0; output < whole.outputs.size(); ++output)
        for (size_t i = 0; i < whole.outputs[output].size(); ++i)
            if (!is_close(whole.outputs[output][i], parts.outputs[output][i], tolerance))
                return "a sampled output differs, " + std::to_string(whole.outputs[output][i]) + " and " +
                       std::to_string(parts.outputs[output][i]);
    if (parts.best_us > kWorthwhile * whole.best_us) return "the whole graph is as fast";
    return {};
}

}  // namespace

std::unique_ptr<ItemSide> ItemSide::build(const Graph& graph, const std::filesystem::path& file,
                                          const session::SessionFactory& open, const ItemSideOptions& options,
                                          std::string& reason) {
    const auto refuse = [&](std::string why) {
        reason = std::move(why);
        return nullptr;
    };
    if (options.max_bytes == 0 || !open.open_bytes || graph.level != Level::kCandidate) return refuse("not asked for");
    const auto mapped = MappedFile::open(file);
    if (!mapped.is_ok()) return refuse(mapped.status().message());
    auto model = graph::read_model({mapped->bytes().begin(), mapped->bytes().end()});
    if (!model) return refuse("the file holds what the rewriting does not know");
    const auto factored = graph::factor_items(std::move(*model), sides_of(graph));
    if (!factored) return refuse("no dense layer depends on the item alone");

    std::unique_ptr<ItemSide> side(new ItemSide);
    if (const Status status = side->open_sessions(graph, *factored, open); !status.is_ok()) return refuse(status.message());
    if (side->bytes() > options.max_bytes)
        return refuse("its tables would take " + std::to_string(side->bytes() >> 20) + " MiB, at most " +
                      std::to_string(options.max_bytes >> 20) + " may be taken");
    if (const Status status = side->compute_tables(); !status.is_ok()) return refuse(status.message());
    side->resolve_inputs(graph);
    if (std::string fault = side->find_fault(graph, options.tolerance); !fault.empty()) return refuse(std::move(fault));
    return side;
}

Status ItemSide::open_sessions(const Graph& graph, const graph::Factored& factored, const session::SessionFactory& open) {
    const auto bytes = [](const std::string& text) {
        return std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    };
    RANKD_ASSIGN_OR_RETURN(per_item_, open.open_bytes(bytes(factored.per_item)));
    RANKD_ASSIGN_OR_RETURN(rest_, open.open_bytes(bytes(factored.rest)));
    for (const session::TensorInfo& info : per_item_->inputs()) {
        const auto input = std::find_if(graph.inputs.begin(), graph.inputs.end(),
                                        [&](const GraphInput& candidate) { return candidate.spec->name == info.name; });
        if (input == graph.inputs.end() || input->column == nullptr) return {Code::INTERNAL, "no column feeds " + info.name};
        columns_.push_back(input->column);
        row_count_ = std::max(row_count_, static_cast<uint32_t>(input->column->row_count()));
    }
    for (const graph::ItemResult& result : factored.results) results_.push_back({result.name, result.width, {}});
    return Status::ok();
}

uint64_t ItemSide::bytes() const {
    uint64_t widths = 0;
    for (const Result& result : results_) widths += result.width;
    return (uint64_t{row_count_} + 1) * widths * sizeof(float);
}

Status ItemSide::compute_tables() {
    std::vector<const char*> names;
    for (Result& result : results_) {
        names.push_back(result.name.c_str());
        result.values.resize((size_t{row_count_} + 1) * result.width);
    }
    std::vector<uint32_t> rows(kChunkRows);
    std::vector<float*> out(results_.size());
    // The row past the tables' end is read as zeros: an item of which nothing is known.
    for (uint32_t first = 0; first <= row_count_; first += kChunkRows) {
        rows.resize(std::min(kChunkRows, row_count_ + 1 - first));
        std::iota(rows.begin(), rows.end(), first);
        for (size_t r = 0; r < results_.size(); ++r) out[r] = results_[r].values.data() + size_t{first} * results_[r].width;
        RANKD_RETURN_IF_ERROR(compute(rows, nullptr, names, out));
    }
    return Status::ok();
}

Status ItemSide::compute(std::span<const uint32_t> rows, const Catalogue* items, std::span<const char* const> names,
                         std::span<float* const> out) const {
    std::vector<std::vector<float>> values;
    std::vector<Tensor> inputs, outputs;
    for (const store::Column* column : columns_) {
        auto& input = values.emplace_back(rows.size() * column->width());
        if (items != nullptr) {
            items->gather(*column, rows, input.data());
        } else {
            column->gather(rows, input.data(), column->width());
        }
        inputs.push_back(Tensor::matrix(input.data(), rows.size(), column->width()));
    }
    for (size_t i = 0; i < names.size(); ++i) {
        const auto result =
            std::find_if(results_.begin(), results_.end(), [&](const Result& candidate) { return candidate.name == names[i]; });
        outputs.push_back(Tensor::matrix(out[i], rows.size(), result->width));
    }
    return per_item_->run(inputs, names, outputs).within("item side");
}

void ItemSide::copy_stored(uint32_t result, std::span<const uint32_t> rows, float* out) const {
    constexpr size_t kPrefetchRows = 16, kLineFloats = 16;
    const Result& stored = results_[result];
    const auto at = [&](size_t i) { return stored.values.data() + size_t{std::min(rows[i], row_count_)} * stored.width; };
    for (size_t i = 0; i < rows.size(); ++i, out += stored.width) {
        if (i + kPrefetchRows < rows.size())
            for (size_t place = 0; place < stored.width; place += kLineFloats) __builtin_prefetch(at(i + kPrefetchRows) + place);
        std::memcpy(out, at(i), stored.width * sizeof(float));
    }
}

Status ItemSide::gather(uint32_t result, const Catalogue& items, std::span<const uint32_t> rows, float* out) const {
    copy_stored(result, rows, out);
    if (!items.has_live_values()) return Status::ok();
    std::vector<uint32_t> changed, places;
    for (uint32_t i = 0; i < rows.size(); ++i) {
        const bool is_changed = std::any_of(columns_.begin(), columns_.end(),
                                            [&](const store::Column* column) { return items.is_live(*column, rows[i]); });
        if (!is_changed) continue;
        changed.push_back(rows[i]);
        places.push_back(i);
    }
    if (changed.empty()) return Status::ok();
    const size_t width = results_[result].width;
    std::vector<float> values(changed.size() * width);
    const char* const name = results_[result].name.c_str();
    float* const target = values.data();
    RANKD_RETURN_IF_ERROR(compute(changed, &items, {&name, 1}, {&target, 1}));
    for (size_t i = 0; i < places.size(); ++i)
        std::copy_n(values.begin() + static_cast<ptrdiff_t>(i * width), width, out + places[i] * width);
    return Status::ok();
}

void ItemSide::resolve_inputs(const Graph& graph) {
    specs_.resize(results_.size());
    for (size_t r = 0; r < results_.size(); ++r) {
        specs_[r].name = results_[r].name;
        specs_[r].from = From::kItem;
    }
    for (const session::TensorInfo& info : rest_->inputs()) {
        const auto own = std::find_if(graph.inputs.begin(), graph.inputs.end(),
                                      [&](const GraphInput& input) { return input.spec->name == info.name; });
        if (own != graph.inputs.end()) {
            inputs_.push_back(*own);
            continue;
        }
        for (uint32_t r = 0; r < results_.size(); ++r) {
            if (results_[r].name != info.name) continue;
            GraphInput input;
            input.spec = &specs_[r];
            input.width = results_[r].width;
            input.item_result = r;
            inputs_.push_back(std::move(input));
        }
    }
}

std::string ItemSide::find_fault(const Graph& graph, float tolerance) const {
    constexpr uint32_t kSampled = 64;
    if (inputs_.size() != rest_->inputs().size()) return "an input of the rest is nobody's";
    std::vector<uint32_t> rows(std::min(kSampled, row_count_ + 1));
    for (uint32_t i = 0; i < rows.size(); ++i)
        rows[i] = static_cast<uint32_t>(uint64_t{i} * row_count_ / std::max<size_t>(1, rows.size() - 1));
    Sample sample(graph, rows);
    std::vector<Tensor> whole_inputs, rest_inputs;
    for (const GraphInput& input : graph.inputs) whole_inputs.push_back(sample.tensor(input));
    std::vector<std::vector<float>> stored;
    for (const GraphInput& input : inputs_) {
        if (!input.item_result) {
            rest_inputs.push_back(sample.tensor(input));
            continue;
        }
        auto& values = stored.emplace_back(rows.size() * input.width);
        copy_stored(*input.item_result, rows, values.data());
        rest_inputs.push_back(Tensor::matrix(values.data(), rows.size(), input.width));
    }
    return compare(try_form(*graph.session, whole_inputs, graph, rows.size()), try_form(*rest_, rest_inputs, graph, rows.size()),
                   tolerance);
}

}  // namespace rankd::pipeline
