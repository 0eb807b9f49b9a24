// Chooses the vector kernels that serve: what the processor has, minus what disagrees with the reference, the fastest of the
// rest.
#include "kernels/kernels.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace rankd::kernels {
namespace {

/// Numbers for checks and measurements, the same in every run.
class Sample {
  public:
    uint32_t next() {  // xorshift32 (Marsaglia 2003)
        state_ ^= state_ << 13;
        state_ ^= state_ >> 17;
        state_ ^= state_ << 5;
        return state_;
    }
    std::vector<float> floats(size_t n) {
        std::vector<float> values(n);
        for (float& value : values) value = static_cast<float>(static_cast<int32_t>(next())) * 0x1p-31f;
        return values;
    }
    std::vector<int8_t> bytes(size_t n) {  // every third value at an end of the range, where saturation would show
        std::vector<int8_t> values(n);
        for (int8_t& value : values) {
            const uint32_t bits = next();
            value =
                bits % 3 == 0 ? (bits & 8 ? 127 : -127) : static_cast<int8_t>(static_cast<int32_t>(bits >> 8 & 0xFF) % 255 - 127);
        }
        return values;
    }
    std::vector<uint16_t> halves(size_t n) {
        std::vector<uint16_t> values(n);
        for (uint16_t& value : values) value = static_cast<uint16_t>(next() & 0xBFFF);  // finite, either sign
        return values;
    }

  private:
    uint32_t state_ = 0x9E3779B9u;
};

bool same(const std::vector<float>& a, const std::vector<float>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), [](float x, float y) { return x == y; });
}

/// Everything `form` makes of one sample of `dim`-dimensional rows, kernel by kernel.
struct Outputs {
    static constexpr size_t kRows = 11;  // a block of eight and an odd rest
    std::vector<std::pair<const char*, std::vector<float>>> of;

    Outputs(const Kernels& form, size_t dim) {
        Sample sample;
        const std::vector<float> query = sample.floats(dim), vectors = sample.floats(dim * kRows), scales = sample.floats(kRows);
        const std::vector<int8_t> query_i8 = sample.bytes(dim), vectors_i8 = sample.bytes(dim * kRows);
        const std::vector<uint16_t> halves = sample.halves(dim);
        const uint32_t listed[kRows] = {10, 3, 3, 0, 7, 1, 9, 2, 8, 5, 4};

        add("dot_f32", 1)[0] = form.dot_f32(query.data(), vectors.data(), dim);
        add("dot_i8", 1)[0] = static_cast<float>(form.dot_i8(query_i8.data(), vectors_i8.data(), dim));
        for (const uint32_t* rows : {static_cast<const uint32_t*>(nullptr), listed}) {
            form.scan_f32(query.data(), vectors.data(), dim, rows, kRows, add("scan_f32", kRows).data());
            form.scan_i8(query_i8.data(), 0.37f, vectors_i8.data(), scales.data(), dim, rows, kRows,
                         add("scan_i8", kRows).data());
        }
        form.widen_f16(halves.data(), add("widen_f16", dim).data(), dim);
        form.widen_i8(query_i8.data(), 0.37f, add("widen_i8", dim).data(), dim);
        form.add_f32(vectors.data(), add("add_f32", query).data(), dim);
        form.add_f16(halves.data(), add("add_f16", query).data(), dim);
        form.add_i8(vectors_i8.data(), 0.37f, add("add_i8", query).data(), dim);
    }

  private:
    std::vector<float>& add(const char* kernel, std::vector<float> initial) {
        return of.emplace_back(kernel, std::move(initial)).second;
    }
    std::vector<float>& add(const char* kernel, size_t n) { return add(kernel, std::vector<float>(n)); }
};

/// Microseconds for a small scan of either type and a pooled history: the best of five, since only disturbance makes it slower.
double measure(const Kernels& form) {
    constexpr size_t kDim = 64, kRows = 128;
    Sample sample;
    const std::vector<float> query = sample.floats(kDim), vectors = sample.floats(kDim * kRows), scales = sample.floats(kRows);
    const std::vector<int8_t> query_i8 = sample.bytes(kDim), vectors_i8 = sample.bytes(kDim * kRows);
    const std::vector<uint16_t> halves = sample.halves(kDim);
    std::vector<float> scores(kRows), pooled(kDim);
    double best = 1e9;
    for (int attempt = 0; attempt < 5; ++attempt) {
        const auto start = std::chrono::steady_clock::now();
        form.scan_f32(query.data(), vectors.data(), kDim, nullptr, kRows, scores.data());
        form.scan_i8(query_i8.data(), 1.0f, vectors_i8.data(), scales.data(), kDim, nullptr, kRows, scores.data());
        for (size_t i = 0; i < kRows; ++i) form.add_f16(halves.data(), pooled.data(), kDim);
        best = std::min(best, std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
}

std::string with_unit(double micros) {
    const std::string text = std::to_string(micros);
    return text.substr(0, text.find('.') + 2) + " us";
}

struct Serving {
    const Kernels* form;
    KernelReport report;

    Serving() {
        const std::vector<const Kernels*> forms = available_kernels();
        KernelChoice choice = choose_kernels(forms, std::getenv("RANKD_ISA"));
        form = choice.form;
        report = {form->isa, std::move(choice.reason)};
    }
    static const Serving& instance() {
        static const Serving serving;
        return serving;
    }
};

}  // namespace

std::vector<const Kernels*> available_kernels() {
    std::vector<const Kernels*> forms = {scalar_kernels()};
#if defined(__x86_64__)
    // These ask the operating system too (XGETBV), not the processor alone.
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                            __builtin_cpu_supports("avx512vnni");
    if (has_avx2 && avx2_kernels()) forms.push_back(avx2_kernels());
    if (has_avx512 && avx512_kernels()) forms.push_back(avx512_kernels());
#endif
    return forms;
}

std::string disagreement(const Kernels& form, const Kernels& reference) {
    for (const size_t dim : {1, 7, 8, 15, 16, 17, 31, 32, 33, 50, 63, 64, 65, 100, 127, 256, 259}) {
        const Outputs actual(form, dim), expected(reference, dim);
        for (size_t i = 0; i < expected.of.size(); ++i) {
            if (!same(actual.of[i].second, expected.of[i].second)) {
                return std::string(expected.of[i].first) + " at length " + std::to_string(dim);
            }
        }
    }
    return {};
}

KernelChoice choose_kernels(std::span<const Kernels* const> forms, const char* forced) {
    const Kernels& reference = *forms[0];
    std::string left_out;
    std::vector<const Kernels*> candidates;
    for (const Kernels* form : forms) {
        const std::string difference = disagreement(*form, reference);
        if (difference.empty()) {
            candidates.push_back(form);
        } else {
            left_out += std::string("; ") + form->isa + " left out: it disagrees with the reference in " + difference;
        }
    }
    if (forced && *forced) {
        for (const Kernels* form : candidates) {
            if (std::strcmp(form->isa, forced) == 0) return {form, "forced by RANKD_ISA" + left_out};
        }
        left_out += std::string("; RANKD_ISA=") + forced + " is not available here (expected one of";
        for (const Kernels* form : candidates) left_out += std::string(" ") + form->isa;
        left_out += "), so the fastest serves";
    }
    KernelChoice choice;
    double best = 0;
    for (const Kernels* form : candidates) {
        const double micros = measure(*form);
        if (!choice.form || micros < best) {
            choice.form = form;
            best = micros;
        }
        choice.reason += std::string(choice.reason.empty() ? "fastest of " : ", ") + form->isa + " " + with_unit(micros);
    }
    choice.reason += left_out;
    return choice;
}

const Kernels& kernels() {
    return *Serving::instance().form;
}

const KernelReport& kernel_report() {
    return Serving::instance().report;
}

}  // namespace rankd::kernels
