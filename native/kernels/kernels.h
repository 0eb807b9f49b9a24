// The vector kernels that serve on this machine: chosen once, among those the processor has, by check and measurement.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/kernel_forms.h"

namespace rankd::kernels {

/// The serving form. The first call chooses, in about two milliseconds; thread-safe.
const Kernels& kernels();

/// What was chosen, and a sentence that says why, including forms left out and a RANKD_ISA that could not be honoured.
struct KernelReport {
    std::string_view isa;
    std::string reason;
};
const KernelReport& kernel_report();

/// The forms that this processor and operating system can run, the scalar reference first.
std::vector<const Kernels*> available_kernels();

/// Runs every kernel of `form` beside the reference over a fixed sample with odd lengths and extreme values.
/// @return the kernel that differs and where, or an empty text
std::string disagreement(const Kernels& form, const Kernels& reference);

/// The choice itself, for `kernels` and for tests: the fastest of `forms` (the reference first) that agrees with the reference,
/// or the one named by `forced` (null or empty: free choice).
struct KernelChoice {
    const Kernels* form = nullptr;
    std::string reason;
};
KernelChoice choose_kernels(std::span<const Kernels* const> forms, const char* forced);

}  // namespace rankd::kernels
