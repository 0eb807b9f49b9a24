#include "wire/oip_json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>

#include "wire/describe.h"
#include "wire/json_fault.h"
#include "wire/json_scan.h"
#include "wire/request.h"

namespace rankd::wire {
namespace {

/// A map is valid nowhere in a tensor's data, so one may stand for a word there.
struct Word {
    std::string_view text, stand_in;
    double number;
};

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::array<Word, 3> kWords = {{{"NaN", "{} ", std::numeric_limits<double>::quiet_NaN()},
                                         {"Infinity", "{\"\":0}  ", kInfinity},
                                         {"-Infinity", "{\"\":1}   ", -kInfinity}}};

const Word* word_at(std::string_view text, size_t at) {
    for (const Word& word : kWords)
        if (text.substr(at).starts_with(word.text)) return &word;
    return nullptr;
}

/// Where a text or a bare word begins, from `at` on, or the end.
size_t next_text_or_word(std::string_view text, size_t at) {
    while (at < text.size() && text[at] != '"' && text[at] != 'N' && text[at] != 'I') ++at;
    return at;
}

/// Puts stand-ins for bare words; what is no JSON but for them stays so. @return whether there were any
bool replace_words(std::string& text) {
    bool found = false;
    for (size_t at = next_text_or_word(text, 0); at < text.size(); at = next_text_or_word(text, at)) {
        if (text[at] == '"') {
            at = end_of_json_text(text, at);
            continue;
        }
        at -= at > 0 && text[at - 1] == '-';
        const Word* const word = word_at(text, at);
        if (word == nullptr) return false;
        text.replace(at, word->stand_in.size(), word->stand_in);
        at += word->stand_in.size();
        found = true;
    }
    return found;
}

/// Whether the number is written as an integer and no 64 bits hold it.
bool is_beyond_64_bits(std::string_view number) {
    if (number.find_first_of(".eE") != std::string_view::npos) return false;
    const auto overflows = [&](auto integer) {
        return std::from_chars(number.data(), number.data() + number.size(), integer).ec == std::errc::result_out_of_range;
    };
    return number.front() == '-' ? overflows(int64_t{}) : overflows(uint64_t{});
}

/// Writes integers beyond 64 bits as numbers with a fraction, which are read as the doubles nearest to them: JavaScript
/// writes 1.9e19 with all its digits. @return whether there were any
bool widen_integers(std::string& text) {
    constexpr std::string_view kNumber = "0123456789+-.eE";
    std::string widened;
    size_t copied = 0;
    for (size_t at = text.find_first_of("\"-0123456789"); at < text.size(); at = text.find_first_of("\"-0123456789", at)) {
        if (text[at] == '"') {
            at = end_of_json_text(text, at);
            continue;
        }
        const size_t end = std::min(text.find_first_not_of(kNumber, at), text.size());
        if (is_beyond_64_bits(std::string_view(text).substr(at, end - at))) {
            widened.append(text, copied, end - copied).append(".0");
            copied = end;
        }
        at = end;
    }
    if (copied == 0) return false;
    text = widened.append(text, copied);
    return true;
}

Status unreadable(std::string_view text, simdjson::error_code error) {
    constexpr std::string_view kFailed = "failed to parse the request JSON buffer: ";
    if (error == simdjson::MEMALLOC) return {Code::INTERNAL, "no memory for the JSON parser"};
    const auto fault = find_json_fault(text, kMaxOipDepth);
    if (fault)
        return {fault->is_depth ? Code::LIMIT_EXCEEDED : Code::INVALID_BODY, concat(kFailed, fault->what, " at ", fault->at)};
    // All that is left to dislike in good JSON is the size of a number.
    return {Code::INVALID_BODY, concat(kFailed, "a number is too large")};
}

}  // namespace

Status parse_oip_json(JsonParser& parser, std::span<const uint8_t> bytes, OipDocument& document) {
    document = {{}, bytes.size(), false};
    simdjson::error_code error = parser.parse(bytes, document.root);
    if (error == simdjson::SUCCESS) return Status::ok();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::string readable(text);
    document.has_words = replace_words(readable);
    if (!widen_integers(readable) && !document.has_words) return unreadable(text, error);
    const size_t size = readable.size();
    readable.append(kBodyPadding, ' ');
    error = parser.parse({reinterpret_cast<const uint8_t*>(readable.data()), size}, document.root);
    return error == simdjson::SUCCESS ? Status::ok() : unreadable(text, error);
}

bool word_of(const simdjson::dom::element& element, double& number) {
    simdjson::dom::object map;
    if (element.get(map) != simdjson::SUCCESS) return false;
    uint64_t which = 0;
    if (map.size() != 0 && map.begin().value().get(which) != simdjson::SUCCESS) return false;
    const size_t word = map.size() == 0 ? 0 : 1 + which;
    if (word >= kWords.size()) return false;
    number = kWords[word].number;
    return true;
}

}  // namespace rankd::wire
