#include "base/status.h"

#include <array>

namespace rankd {
namespace {

constexpr std::array kCatalogue = {
#define X(number, name, http, retryable) CodeInfo{Code::name, #name, http, retryable},
#include "base/status_codes.inc"
#undef X
};

}  // namespace

std::string_view code_name(Code code) {
    return kCatalogue[static_cast<size_t>(code)].name;
}

const CodeInfo* code_catalogue(size_t& size) {
    size = kCatalogue.size();
    return kCatalogue.data();
}

}  // namespace rankd
