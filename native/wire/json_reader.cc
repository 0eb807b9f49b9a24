#include "wire/json_reader.h"

#include <algorithm>
#include <charconv>

#include "wire/describe.h"
#include "wire/request.h"

namespace rankd::wire {

static_assert(kBodyPadding >= simdjson::SIMDJSON_PADDING);

namespace {

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_word_character(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '+' || c == '-' || c == '.';
}

bool is_number_word(std::string_view word) {
    double number;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    return end == word.data() + word.size() && (is_digit(word.front()) || (word.size() > 1 && is_digit(word[1])));
}

/// What is wrong with a bare word (anything outside quotes that is no punctuation), or OK.
Status judge_word(std::string_view word, size_t at) {
    if (word == "true" || word == "false" || word == "null") return Status::ok();
    if (word == "NaN" || word == "Infinity" || word == "-Infinity") {
        return Status(Code::INVALID_BODY, concat(word, " at byte ", at, ": JSON has no such number"));
    }
    if (!is_number_word(word)) {
        return Status(Code::INVALID_BODY,
                      concat(quoted(word), " at byte ", at, " is no JSON: names and texts stand in double quotes"));
    }
    if (word.find_first_of(".eE") == std::string_view::npos) {
        constexpr size_t kDigitsThatFit = 18;
        if (word.size() <= kDigitsThatFit) return Status::ok();
        return Status(Code::INVALID_BODY, concat("the integer at byte ", at, " needs more than 64 bits: ", quoted(word)));
    }
    double number;
    if (std::from_chars(word.data(), word.data() + word.size(), number).ec == std::errc::result_out_of_range) {
        return Status(Code::NOT_FINITE, concat("the number at byte ", at, " is out of range: ", quoted(word)));
    }
    return Status::ok();
}

/// simdjson's DOM says what kind of error it met but not where; most slips are a bare word, which this finds.
Status find_bad_word(std::string_view text) {
    for (size_t at = 0; at < text.size();) {
        if (text[at] == '"') {
            for (++at; at < text.size() && text[at] != '"'; ++at) at += text[at] == '\\' ? 1 : 0;
            ++at;
        } else if (is_word_character(text[at])) {
            const size_t start = at;
            while (at < text.size() && is_word_character(text[at])) ++at;
            RANKD_RETURN_IF_ERROR(judge_word(text.substr(start, at - start), start));
        } else {
            ++at;
        }
    }
    return Status::ok();
}

std::string_view explain(simdjson::error_code error) {
    switch (error) {
        case simdjson::EMPTY:
            return "it holds nothing";
        case simdjson::UTF8_ERROR:
            return "it holds bytes that are not UTF-8";
        case simdjson::UNCLOSED_STRING:
            return "a text has no closing quote";
        case simdjson::STRING_ERROR:
            return "a text holds a bad escape sequence";
        case simdjson::UNESCAPED_CHARS:
            return "a text holds a control character that must be escaped";
        case simdjson::NUMBER_ERROR:
        case simdjson::BIGINT_ERROR:
            return "a number is malformed";
        case simdjson::T_ATOM_ERROR:
        case simdjson::F_ATOM_ERROR:
        case simdjson::N_ATOM_ERROR:
            return "a word is misspelt";
        default:
            return "brackets, commas or colons are out of place";
    }
}

}  // namespace

simdjson::error_code JsonParser::parse(std::span<const uint8_t> text, simdjson::dom::element& root) {
    const size_t settled = high_water_.settle(text.size(), parser_.capacity());
    if (settled < parser_.capacity()) parser_ = simdjson::dom::parser();
    if (parser_.capacity() < text.size()) {
        const simdjson::error_code error = parser_.allocate(std::max(text.size(), 2 * parser_.capacity()), max_depth_ + 1);
        if (error != simdjson::SUCCESS) return error;
    }
    return parser_.parse(text.data(), text.size(), false).get(root);
}

Status parse_json(JsonParser& parser, std::span<const uint8_t> body, simdjson::dom::element& root) {
    const simdjson::error_code error = parser.parse(body, root);
    if (error == simdjson::SUCCESS) return Status::ok();
    if (error == simdjson::MEMALLOC) return Status(Code::INTERNAL, "no memory for the JSON parser");
    if (error == simdjson::DEPTH_ERROR) {
        return Status(Code::LIMIT_EXCEEDED, concat("maps and lists are nested more than ", parser.max_depth(), " deep"));
    }
    RANKD_RETURN_IF_ERROR(find_bad_word({reinterpret_cast<const char*>(body.data()), body.size()}));
    return Status(Code::INVALID_BODY, concat("the body is not valid JSON: ", explain(error)));
}

}  // namespace rankd::wire
